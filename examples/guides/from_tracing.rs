//! Coming from `tracing`: one more layer in the subscriber, and contexts that spans carry.

use std::time::Duration;

use ragtrace::{Console, RequestContext, traced_stage};
use ragtrace_sinks::SqliteSink;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, Level, debug, info, info_span, instrument, span, warn};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;

#[traced_stage(kind = pipeline, fields(query = text))]
async fn question(text: &str) -> Result<Vec<u32>, tokio::task::JoinError> {
    // An event inside of a stage becomes a record with the ids of the stage, and still goes to the
    // other layers.
    info!(words = text.split(' ').count(), "a question has come");

    // A span that is created inside of a stage carries its context. Code that enters the span, in
    // another task or on another thread, is in the stage again, so code that passes on work in this
    // way needs no change.
    let searches = ["words", "vectors"].map(|index| tokio::spawn(search(index).instrument(info_span!("task", index))));
    let mut hits = Vec::new();
    for found in searches {
        hits.extend(found.await?);
    }
    if normalise(text).is_empty() {
        warn!("the question is empty");
    }

    // A span that its level disables carries nothing, and `or_current` falls back to the span
    // around it. With mirrored stages that is the stage itself, so the context is not lost.
    let quiet = span!(Level::TRACE, "quiet").or_current();
    hits.extend(tokio::spawn(search("archive").instrument(quiet)).await?);
    Ok(hits)
}

/// The fields of the spans around an event are recorded with it, here `index`.
#[traced_stage("retrieval", kind = retrieve, fields(index))]
async fn search(index: &'static str) -> Vec<u32> {
    let hits = if index == "archive" { Vec::new() } else { vec![1, 2] };
    debug!("not recorded, nor printed: the level is INFO");
    info!(hits = hits.len(), "searched");
    hits
}

/// Functions with `#[instrument]` stay as they are: spans of `tracing` are not stages, and may lie
/// between stages.
#[instrument]
fn normalise(text: &str) -> String {
    text.trim().to_lowercase()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::registry()
        .with(filter)
        .with(tracing_subscriber::fmt::layer())
        // Stages appear as spans to the other layers, because the application composes its layers
        // itself. `.mirror_stages(false)` turns that off.
        .with(ragtrace::layer())
        .try_init()?;
    let telemetry = ragtrace::builder()
        .service("rag-api")
        // `fmt` already prints the events.
        .console(Console::Off)
        .sink(SqliteSink::new("ragtrace.db"))
        .install()?;

    // An event outside of any request is recorded without ids.
    info!("ready");
    let runtime = tokio::runtime::Runtime::new()?;
    let request = RequestContext::new().with_user_id("alice").with_request_type("ask");
    let hits = runtime.block_on(request.scope(question("the pump")))?;
    println!("{} hits", hits.len());
    drop(runtime);
    telemetry.shutdown_blocking(Duration::from_secs(10));
    Ok(())
}
