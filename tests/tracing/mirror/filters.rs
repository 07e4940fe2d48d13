//! Filters by level, target and name.

use ragtrace::{testing, traced_stage};
use tracing::dispatcher::with_default;
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, Subscriber};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use crate::formatter::Output;
use crate::record;

#[traced_stage(target = "rag.ingest")]
fn ingest() -> Result<(), std::fmt::Error> {
    embed();
    tracing::debug!("inside");
    Err(std::fmt::Error)
}

#[traced_stage(target = "rag.embed", level = "debug")]
fn embed() {}

/// Returns the messages that a formatter under `filter` writes, each with the names of the spans
/// around it.
fn written(filter: &str) -> Vec<String> {
    let output = Output::default();
    let subscriber = registry().with(EnvFilter::new(filter)).with(formatter(&output)).with(ragtrace::layer());
    run(&Dispatch::new(subscriber));
    summaries(&output)
}

fn formatter<S: Subscriber + for<'a> LookupSpan<'a>>(output: &Output) -> impl Layer<S> {
    fmt::layer().with_writer(output.clone()).with_ansi(false).without_time().with_target(false)
}

fn run(subscriber: &Dispatch) {
    with_default(subscriber, || testing::capture_sync(|| ingest().is_err()));
}

fn summaries(output: &Output) -> Vec<String> {
    let summary = |line: &String| {
        let mut names = Vec::new();
        let mut rest = line.trim_start().split_once(' ').map_or("", |(_, rest)| rest.trim_start());
        while let Some((name, after)) = rest.split_once('{').filter(|(name, _)| !name.contains(' ')) {
            names.push(name.to_owned());
            rest = after.split_once('}').map_or("", |(_, rest)| rest.trim_start_matches(':'));
        }
        while let Some((name, after)) = rest.split_once(':').filter(|(name, _)| !name.contains(' ')) {
            names.push(name.to_owned());
            rest = after;
        }
        names.push(rest.trim_start().split(' ').next().unwrap_or("").to_owned());
        names.join(" ")
    };
    output.lines().iter().map(summary).collect()
}

#[test]
fn a_level_hides_a_stage_and_not_its_failure() {
    let _turn = record();
    assert_eq!(written("info"), ["ingest ingest_started", "ingest ingest_failed"]);
    assert_eq!(written("warn"), ["ingest_failed"]);
    assert!(written("off").is_empty());
    let all = [
        "ingest ingest_started",
        "ingest embed embed_started",
        "ingest embed embed_completed",
        "ingest inside",
        "ingest ingest_failed",
    ];
    assert_eq!(written("debug"), all);
}

#[test]
fn a_target_lets_through_its_own_stages() {
    let _turn = record();
    assert_eq!(written("off,rag.embed=debug"), ["embed embed_started", "embed embed_completed"]);
    assert_eq!(written("off,rag=info"), ["ingest ingest_started", "ingest ingest_failed"]);
}

#[test]
fn a_stage_s_name_lets_through_what_is_in_its_span() {
    let _turn = record();
    let within = ["ingest ingest_started", "ingest embed embed_started", "ingest embed embed_completed"];
    let all: Vec<_> = within.into_iter().chain(["ingest inside", "ingest ingest_failed"]).collect();
    assert_eq!(written("off,[ingest]=debug"), all);
}

#[test]
fn a_layer_s_own_filter_hides_stages_from_that_layer_alone() {
    let _turn = record();
    let (all, errors) = (Output::default(), Output::default());
    let subscriber = registry()
        .with(formatter(&errors).with_filter(LevelFilter::ERROR))
        .with(formatter(&all))
        .with(ragtrace::layer());
    run(&Dispatch::new(subscriber));
    assert_eq!(summaries(&errors), ["ingest_failed"]);
    assert_eq!(summaries(&all).len(), 5);
}
