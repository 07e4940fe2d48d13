//! Tasks, threads and races: where the context is inherited, and where it has to be passed on.

use std::time::Duration;

use ragtrace::{InContext, RequestContext, traced_stage};
use ragtrace_sinks::SqliteSink;
use tokio::time::sleep;

/// Searches two indexes at the same time, ranks the results, and asks two models, of which the
/// first to answer wins.
#[traced_stage(kind = pipeline, fields(query = text))]
async fn question(text: &str) -> Result<String, tokio::task::JoinError> {
    // A spawned task does not inherit the context. `ragtrace::spawn` passes it on; under a bare
    // `tokio::spawn`, the stage would begin a trace of its own.
    let words = ragtrace::spawn(search("words", text.to_owned()));
    let vectors = ragtrace::spawn(search("vectors", text.to_owned()));

    // Futures in the same task share its context, however they are joined.
    let (words, vectors) = tokio::try_join!(words, vectors)?;
    let hits = [words, vectors].concat();

    // A closure on another thread, here one of the blocking pool, gets the context explicitly.
    let context = RequestContext::current().unwrap_or_default();
    let hits = tokio::task::spawn_blocking(move || context.sync_scope(|| rank(hits))).await?;

    // The future that loses is dropped in the middle of its work, and its stage is recorded as
    // cancelled.
    let answer = tokio::select! {
        answer = generate("small", &hits, Duration::from_millis(20)) => answer,
        answer = generate("large", &hits, Duration::from_mins(1)) => answer,
    };

    // If another function spawns the task, the future itself carries the context.
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
    // The runtime is dropped first, so that tasks that this cancels are recorded too.
    drop(runtime);
    telemetry.shutdown_blocking(Duration::from_secs(10));
    Ok(())
}
