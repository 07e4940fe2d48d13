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

/// Runs `work` under a subscriber with the layer.
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
    // No sink accepts a record of the stage below `hyper`.
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
    // A line that one sink accepts is offered to every sink, and each applies its own level.
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
fn a_line_has_the_fields_of_the_spans_around_it_whatever_their_level() {
    let _turn = turn();
    let kept = Kept::default();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(ragtrace::layer()));
    let _second = Dispatch::new(tracing_subscriber::registry());
    dispatcher::with_default(&dispatch, || {
        let telemetry = quiet().level("warn").sink(kept.clone()).install().expect("the only one");
        let below = tracing::debug_span!("below", detail = 7, late = tracing::field::Empty).entered();
        below.record("late", "set later");
        tracing::error!("a line");
        drop(below);
        finish(telemetry);
    });
    let lines = kept.lines();
    let [line] = &lines[..] else { panic!("one line: {lines:?}") };
    assert_eq!((line.field("late"), line.field("detail")), (Some(&"set later".into()), Some(&7_u64.into())));
}

#[test]
fn a_large_field_of_a_span_is_cut_and_redacted_in_each_line_and_none_is_lost() {
    let _turn = turn();
    let kept = Kept::default();
    let telemetry = quiet().sink(kept.clone()).install().expect("the only one");
    let secret = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH";
    under_layer(|| {
        let text = format!("{secret} {}", "x".repeat(1 << 20));
        let span = tracing::info_span!("parse", text, late = tracing::field::Empty).entered();
        span.record("late", "y".repeat(1 << 20));
        (0..40).for_each(|number| tracing::info!(number, "a page with {secret}"));
    });
    finish(telemetry);
    let lines = kept.lines();
    assert_eq!(lines.len(), 40);
    for line in lines {
        let [text, late] =
            ["text", "late"].map(|name| line.field(name).and_then(|value| value.as_str()).expect("a text"));
        assert!(!text.contains(secret) && !line.message().contains(secret), "{}", line.message());
        assert!(text.len() < 8_300 && text.contains("…[truncated 10"), "{} bytes", text.len());
        assert!(late.len() < 8_300 && late.ends_with(&format!("…[truncated {} bytes]", (1 << 20) - 8_192)), "{late}");
    }
}

#[test]
fn fields_of_spans_are_not_looked_at_while_nothing_is_installed_any_more_or_nobody_takes_a_line() {
    struct Counts<'a>(&'a std::cell::Cell<usize>);
    impl std::fmt::Debug for Counts<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.set(self.0.get() + 1);
            f.write_str("counted")
        }
    }
    let _turn = turn();
    let counted = std::cell::Cell::new(0);
    let span = || {
        let span = tracing::info_span!("counting", value = ?Counts(&counted), late = tracing::field::Empty);
        span.record("late", tracing::field::debug(Counts(&counted)));
    };
    let telemetry = quiet().level("off").sink(Kept::default()).install().expect("the only one");
    under_layer(span);
    finish(telemetry);
    under_layer(span);
    assert_eq!(counted.get(), 0);
    let telemetry = quiet().level("off,else=error").sink(Kept::default()).install().expect("the only one");
    under_layer(span);
    finish(telemetry);
    assert_eq!(counted.get(), 2);
}
