//! Levels by target: of stages and of log lines, for sinks without a level of their own.

use ragtrace::{Event, Level, Record, traced_stage};
use ragtrace_tests_tracing::{Kept, finish, quiet, turn};
use tracing::{Dispatch, dispatcher};
use tracing_subscriber::prelude::*;

#[traced_stage("levels.parse", target = "rag.ingestion", level = "debug")]
fn parse(fails: bool) -> Result<(), String> {
    tracing::debug!(target: "rag.ingestion.pdf", "a page");
    tracing::trace!(target: "rag.ingestion.pdf", "a glyph");
    if fails { Err("no text".to_owned()) } else { Ok(()) }
}

#[traced_stage("levels.connect", target = "hyper::client")]
fn connect() {
    tracing::info!(target: "hyper::client::pool", "a connection");
    tracing::warn!(target: "hyper::client::pool", "a slow connection");
}

#[traced_stage("levels.answer")]
fn answer() {
    tracing::info!("an answer");
    tracing::debug!("its cost");
    let _ = parse(false);
    let _ = parse(true);
    connect();
}

/// Does `work` under a subscriber with the layer.
fn under_layer(work: impl FnOnce()) {
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(ragtrace::layer()));
    let _second = Dispatch::new(tracing_subscriber::registry());
    dispatcher::with_default(&dispatch, work);
}

fn summary(kept: &Kept) -> Vec<String> {
    let records = kept.records().into_iter().filter(|record| record.logger() != "ragtrace");
    let of = |record: Record| match record.event() {
        Event::Log => record.message().into_owned(),
        event => format!("{} {}", record.stage().unwrap_or_default().trim_start_matches("levels."), event.as_str()),
    };
    let mut summary: Vec<_> = records.map(of).collect();
    summary.sort();
    summary
}

#[test]
fn a_directive_holds_for_stages_and_lines_of_its_target_and_those_below() {
    let _turn = turn();
    let (usual, warnings) = (Kept::named("usual"), Kept::named("warnings").level(Level::Warn));
    let builder = quiet().level("info,rag.ingestion=debug,hyper=warn,hyper::client::pool=error");
    let telemetry = builder.sink(usual.clone()).sink(warnings.clone()).install().expect("the only one");
    under_layer(answer);
    let report = telemetry.flush_blocking(std::time::Duration::from_secs(30));
    // Of the stage below `hyper` no sink takes a record.
    assert_eq!(report.stats.filtered, 2);
    finish(telemetry);
    let expected = [
        "a page",
        "a page",
        "an answer",
        "answer completed",
        "answer started",
        "parse completed",
        "parse failed",
        "parse started",
        "parse started",
    ];
    // A line that one sink takes is offered to each, and each takes its own.
    assert_eq!(summary(&usual), expected);
    assert_eq!(summary(&warnings), ["a slow connection", "parse failed"], "a sink's own level is one for all targets");
}

#[test]
fn off_takes_nothing_of_a_target_and_a_lone_directive_leaves_the_rest_at_info() {
    let _turn = turn();
    let kept = Kept::default();
    let telemetry = quiet().level("rag=off,hyper=off,levels=off").sink(kept.clone()).install().expect("the only one");
    under_layer(answer);
    finish(telemetry);
    assert_eq!(summary(&kept), Vec::<String>::new());
    let telemetry = quiet().level("rag=trace").sink(kept.clone()).install().expect("the only one");
    under_layer(|| {
        let _ = parse(false);
        connect();
    });
    finish(telemetry);
    let expected = [
        "a connection",
        "a glyph",
        "a page",
        "a slow connection",
        "connect completed",
        "connect started",
        "parse completed",
        "parse started",
    ];
    assert_eq!(summary(&kept), expected);
}

#[test]
fn the_variable_takes_directives_and_code_wins_over_it() {
    let _turn = turn();
    let lookup = |name: &str| (name == "RAGTRACE_LOG").then(|| " warn , rag.ingestion = debug ".to_owned());
    let kept = Kept::default();
    let telemetry = quiet().from_lookup(lookup).sink(kept.clone()).install().expect("the only one");
    under_layer(answer);
    finish(telemetry);
    let of_parse = ["parse completed", "parse failed", "parse started", "parse started"];
    assert_eq!(summary(&kept), [&["a page", "a page", "a slow connection"][..], &of_parse].concat());
    let kept = Kept::default();
    let builder = quiet().level(Level::Error).from_lookup(lookup).sink(kept.clone());
    let telemetry = builder.install().expect("the only one");
    under_layer(answer);
    finish(telemetry);
    assert_eq!(summary(&kept), ["parse failed"]);
}

#[test]
fn a_malformed_part_is_named() {
    let _turn = turn();
    let lookup = |name: &str| (name == "RAGTRACE_LOG").then(|| "info,rag.ingestion=loud,hyper=warn".to_owned());
    let error = quiet().from_lookup(lookup).install().expect_err("no such level");
    assert!(error.is_setting());
    let expected = "RAGTRACE_LOG: expected a directive whose level is trace, debug, info, warn, error or off, found \
                    \"rag.ingestion=loud\"";
    assert_eq!(error.to_string(), expected);
    let error = quiet().level("debug,=info").install().expect_err("no target");
    assert!(error.is_setting() && error.to_string().ends_with("found \"=info\""), "{error}");
}

#[test]
fn a_callsite_is_judged_anew_when_telemetry_is_installed_with_other_levels() {
    fn line() {
        tracing::debug!("the same callsite");
    }
    let _turn = turn();
    let lines = |level: &str| {
        let kept = Kept::default();
        let telemetry = quiet().level(level).sink(kept.clone()).install().expect("the only one");
        under_layer(line);
        finish(telemetry);
        kept.messages().len()
    };
    let seen = ["info", "debug", "levels=debug", "levels=info,trace", "off", "trace"].map(lines);
    assert_eq!(seen, [0, 1, 1, 0, 0, 1]);
    under_layer(line);
}

#[test]
fn a_span_below_the_level_is_not_there_and_one_that_was_made_before_the_telemetry_is() {
    let _turn = turn();
    let kept = Kept::default();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(ragtrace::layer()));
    let _second = Dispatch::new(tracing_subscriber::registry());
    dispatcher::with_default(&dispatch, || {
        let early = tracing::info_span!("early", region = "eu").entered();
        let telemetry = quiet().sink(kept.clone()).install().expect("the only one");
        let hidden = tracing::debug_span!("hidden", detail = 7).entered();
        tracing::info!("a line");
        drop((hidden, early));
        finish(telemetry);
    });
    let lines = kept.lines();
    let [line] = &lines[..] else { panic!("one line: {lines:?}") };
    assert_eq!((line.field("region"), line.field("detail")), (Some(&"eu".into()), None));
}
