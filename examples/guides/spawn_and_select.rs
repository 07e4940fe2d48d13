//! Tasks, threads and races: where a context goes by itself, and where it has to be carried.

use std::time::Duration;

use ragtrace::{InContext, RequestContext, traced_stage};
use ragtrace_sinks::SqliteSink;
use tokio::time::sleep;

/// Searches two indexes at once, ranks what they found, and asks two models, of which the first to
/// answer wins.
#[traced_stage(kind = pipeline, fields(query = text))]
async fn question(text: &str) -> Result<String, tokio::task::JoinError> {
    // A task knows nothing of who spawned it. `ragtrace::spawn` carries the context; under a bare
    // `tokio::spawn` the stage would begin a trace of its own.
    let words = ragtrace::spawn(search("words", text.to_owned()));
    let vectors = ragtrace::spawn(search("vectors", text.to_owned()));

    // Futures of the same task need nothing, however they are joined.
    let (words, vectors) = tokio::try_join!(words, vectors)?;
    let hits = [words, vectors].concat();

    // A thread, here one of the blocking pool, is given the context by hand.
    let context = RequestContext::current().unwrap_or_default();
    let hits = tokio::task::spawn_blocking(move || context.sync_scope(|| rank(hits))).await?;

    // The future that loses is dropped in the middle of its work: its stage is recorded as
    // cancelled.
    let answer = tokio::select! {
        answer = generate("small", &hits, Duration::from_millis(20)) => answer,
        answer = generate("large", &hits, Duration::from_mins(1)) => answer,
    };

    // Where another function does the spawning, the future itself carries the context.
    spawned_by_a_library(remember(answer.clone()).in_current_context()).await?;
    Ok(answer)
}

#[traced_stage("retrieval", kind = retrieve, fields(index))]
async fn search(index: &'static str, text: String) -> Vec<String> {
    sleep(Duration::from_millis(5)).await;
    vec![format!("what {index} say of {text}")]
}

#[traced_stage("reranking", kind = rerank)]
fn rank(mut hits: Vec<String>) -> Vec<String> {
    hits.sort();
    hits
}

#[traced_stage("answer", kind = generate, fields(model, input_count = hits.len()))]
async fn generate(model: &str, hits: &[String], takes: Duration) -> String {
    sleep(takes).await;
    format!("by the {model} model: {}", hits.join(", "))
}

#[traced_stage("answer_storage", kind = store, fields(chars = answer.len()))]
async fn remember(answer: String) {
    tokio::task::yield_now().await;
}

fn spawned_by_a_library(work: impl Future<Output = ()> + Send + 'static) -> tokio::task::JoinHandle<()> {
    tokio::spawn(work)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = ragtrace::builder().service("rag-api").sink(SqliteSink::new("ragtrace.db")).from_env().install()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let request = RequestContext::new().with_user_id("alice").with_request_type("ask");
    println!("{}", runtime.block_on(request.scope(question("the pump")))?);
    // The runtime goes first, so that the tasks that it cancels are recorded too.
    drop(runtime);
    telemetry.shutdown_blocking(Duration::from_secs(10));
    Ok(())
}
