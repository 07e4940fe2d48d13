//! Streams: a stage that lasts until its last item, such as an answer that arrives token by token.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use ragtrace::{RequestContext, traced_stage};
use ragtrace_sinks::SqliteSink;

/// Answers word by word. The stage begins with the first poll and ends with the stream. It records
/// the number of items, and the time to the first one as `first_item_ms`. An item that is an `Err`
/// fails it.
#[traced_stage("answer", kind = generate, fields(model = "echo", prompt), record(output_tokens: usize))]
fn answer(prompt: String) -> impl Stream<Item = Result<String, ModelError>> + Send {
    let words: Vec<_> = prompt.split(' ').map(str::to_owned).collect();
    stream::iter(words).enumerate().then(async move |(at, word)| {
        tokio::time::sleep(Duration::from_millis(2)).await;
        // The body of the stream runs inside of the stage, so it may use `record!` at any time.
        record!(output_tokens = at + 1);
        if word == "fail" { Err(ModelError) } else { Ok(word) }
    })
}

/// Requests a stream, as over a connection. The argument `stream` tells the reader that the stage
/// is not over when the function returns.
#[traced_stage("remote_answer", kind = generate, stream)]
async fn remote_answer(prompt: String) -> Result<BoxStream<'static, Result<String, ModelError>>, ModelError> {
    tokio::time::sleep(Duration::from_millis(2)).await;
    if prompt.is_empty() { Err(ModelError) } else { Ok(answer(prompt).boxed()) }
}

#[derive(Debug)]
struct ModelError;

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the model gave up")
    }
}

impl std::error::Error for ModelError {}

async fn ask() -> Result<(), ModelError> {
    // Read to its end: completed, with 4 items.
    let whole: Vec<_> = answer("oil the pump weekly".to_owned()).collect().await;
    println!("{} words", whole.len());

    // Dropped early, because its reader has enough or has left: cancelled, with the items so far.
    let mut first = pin!(answer("one two three".to_owned()).take(1));
    println!("first: {}", first.next().await.unwrap_or(Err(ModelError))?);

    // An item that is an error: failed. The stream continues after it, and its other 3 items are
    // counted.
    let failed =
        answer("this will fail here".to_owned()).filter(|word| std::future::ready(word.is_err())).count().await;
    println!("{failed} failed");

    // The stage of the connection encloses the stage of the answer.
    let remote = remote_answer("from afar".to_owned()).await?;
    println!("{} words from afar", remote.count().await);
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = ragtrace::builder().service("rag-api").sink(SqliteSink::new("ragtrace.db")).from_env().install()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let request = RequestContext::new().with_request_type("ask");
    let outcome = runtime.block_on(request.scope(ask()));
    drop(runtime);
    telemetry.shutdown_blocking(Duration::from_secs(10));
    Ok(outcome?)
}
