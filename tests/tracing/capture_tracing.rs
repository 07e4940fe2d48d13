//! A program without a subscriber, for which `install()` sets one.

use ragtrace::{Level, traced_stage};
use ragtrace_tests_tracing::{Kept, finish, quiet, turn};
use tracing::level_filters::LevelFilter;

#[traced_stage("capture.work")]
fn work() {
    tracing::info!("an event");
    log::warn!("a line");
    tracing::debug!("a detail");
    log::debug!("a detail to log");
}

#[test]
fn events_and_lines_are_recorded_at_the_level_that_a_sink_takes_and_anew_by_each_installation() {
    let _turn = turn();
    assert!(!tracing::dispatcher::has_been_set());
    let kept = Kept::default();
    let telemetry = quiet().capture_tracing(true).sink(kept.clone()).install().expect("the only one");
    assert_eq!((LevelFilter::current(), log::max_level()), (LevelFilter::INFO, log::LevelFilter::Info));
    work();
    finish(telemetry);
    assert_eq!(kept.messages(), ["an event", "a line"]);
    assert!(kept.lines().iter().all(|line| line.stage() == Some("capture.work")));
    // There is no subscriber yet.
    work();

    let (kept, warnings) = (Kept::default(), Kept::named("warnings").level(Level::Warn));
    let builder = quiet().capture_tracing(true).level("warn,capture_tracing=debug");
    let telemetry = builder.sink(kept.clone()).sink(warnings.clone()).install().expect("the only one");
    assert_eq!((LevelFilter::current(), log::max_level()), (LevelFilter::DEBUG, log::LevelFilter::Debug));
    work();
    finish(telemetry);
    assert_eq!(kept.messages(), ["an event", "a line", "a detail", "a detail to log"]);
    assert_eq!(warnings.messages(), ["a line"]);

    let kept = Kept::default();
    let builder = quiet().capture_tracing(true).level("off").sink(kept.clone());
    let telemetry = builder.install().expect("the only one");
    assert_eq!(LevelFilter::current(), LevelFilter::OFF);
    work();
    finish(telemetry);
    assert!(kept.lines().is_empty());

    // Stages are not spans here, since nothing else would see them.
    let kept = Kept::default();
    let telemetry = quiet().capture_tracing(true).sink(kept.clone()).install().expect("the only one");
    assert!(looks());
    finish(telemetry);
}

#[traced_stage("capture.looks")]
fn looks() -> bool {
    tracing::Span::current().is_none()
}
