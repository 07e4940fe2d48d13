//! Coming from `tracing`: one line beside its layers, and contexts that its spans carry.

use std::time::Duration;

use ragtrace::{Console, RequestContext, traced_stage};
use ragtrace_sinks::SqliteSink;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, Level, debug, info, info_span, instrument, span, warn};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;

#[traced_stage(kind = pipeline, fields(query = text))]
async fn question(text: &str) -> Result<Vec<u32>, tokio::task::JoinError> {
    // An event inside a stage becomes a record with the ids of the stage, and goes to the other
    // layers as before.
    info!(words = text.split(' ').count(), "a question has come");

    // A span that is made inside a stage carries its context. Whoever enters it, in another task or
    // on another thread, is back in the stage; so code that hands on its work in this way needs no
    // change.
    let searches = ["words", "vectors"].map(|index| tokio::spawn(search(index).instrument(info_span!("task", index))));
    let mut hits = Vec::new();
    for found in searches {
        hits.extend(found.await?);
    }
    if normalise(text).is_empty() {
        warn!("the question is empty");
    }

    // Where the level disables a span, it carries nothing, and `or_current` falls back to the span
    // around it. With mirrored stages that is the stage itself, so the context is not lost.
    let quiet = span!(Level::TRACE, "quiet").or_current();
    hits.extend(tokio::spawn(search("archive").instrument(quiet)).await?);
    Ok(hits)
}

/// The fields of the spans around an event are in its record, too: here `index`.
#[traced_stage("retrieval", kind = retrieve, fields(index))]
async fn search(index: &'static str) -> Vec<u32> {
    let hits = if index == "archive" { Vec::new() } else { vec![1, 2] };
    debug!("not recorded, nor printed: the level is INFO");
    info!(hits = hits.len(), "searched");
    hits
}

/// Functions with `#[instrument]` stay as they are: spans of `tracing` are no stages, and lie
/// between stages without harm.
#[instrument]
fn normalise(text: &str) -> String {
    text.trim().to_lowercase()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::registry()
        .with(filter)
        .with(tracing_subscriber::fmt::layer())
        // The line. Stages are spans for the layers beside it, since the application composes them
        // (`.mirror_stages(false)` would leave that out).
        .with(ragtrace::layer())
        .try_init()?;
    let telemetry = ragtrace::builder()
        .service("rag-api")
        // The lines are printed by `fmt` already.
        .console(Console::Off)
        .sink(SqliteSink::new("ragtrace.db"))
        .install()?;

    // Outside of any request an event is recorded without ids.
    info!("ready");
    let runtime = tokio::runtime::Runtime::new()?;
    let request = RequestContext::new().with_user_id("alice").with_request_type("ask");
    let hits = runtime.block_on(request.scope(question("the pump")))?;
    println!("{} hits", hits.len());
    drop(runtime);
    telemetry.shutdown_blocking(Duration::from_secs(10));
    Ok(())
}
