//! The pipeline reports on itself, but never on its own reports.

use std::time::Duration;

use ragtrace::sink::SinkError;
use ragtrace::spool::DeadLetters;
use ragtrace::{Record, SpoolLimits};
use ragtrace_tests::{Reply, Scripted, install, issue, until};

use crate::process::collecting;

fn self_reports(records: &[Record]) -> Vec<String> {
    records.iter().filter(|record| record.logger() == "ragtrace").map(|record| record.message().into_owned()).collect()
}

#[test]
fn failures_and_recoveries_are_records_for_the_other_sinks() {
    let (sink, seen) = collecting();
    let flapping = Scripted::new(
        "flapping",
        |a| if a.before < 2 { Reply::Fail(SinkError::retry("down")) } else { Reply::Take },
        |_| (),
    );
    let telemetry = install(ragtrace::builder().level("debug").sink(sink).sink(flapping));
    issue(1);
    until("the recovery to be told", Duration::from_secs(10), || {
        telemetry.flush_blocking(Duration::from_millis(100));
        self_reports(&seen.lock().expect("whole")).contains(&"ragtrace_sink_recovered".to_owned())
    });
    until("the shipping to be told", Duration::from_secs(10), || {
        self_reports(&seen.lock().expect("whole")).contains(&"ragtrace_batches_shipped".to_owned())
    });
    // The delivery tests, with artificial time, check that such a report is shipped and that this
    // causes no further report.
    assert!(self_reports(&seen.lock().expect("whole")).contains(&"ragtrace_shipping_failed".to_owned()));
    telemetry.shutdown(Duration::from_secs(1));
}

#[test]
fn a_sink_that_refuses_everything_is_parked_and_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let fixed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_fixed = std::sync::Arc::clone(&fixed);
    let refusing = Scripted::new(
        "refusing",
        move |_| {
            if is_fixed.load(std::sync::atomic::Ordering::Relaxed) {
                Reply::Take
            } else {
                Reply::Fail(SinkError::rejected("no such column"))
            }
        },
        |_| (),
    );
    let mended = refusing.clone();
    let telemetry = install(ragtrace::builder().spool(folder.path(), SpoolLimits::default()).sink(refusing));
    (0..500).for_each(issue);
    telemetry.flush_blocking(Duration::from_secs(3));
    let dead = telemetry.stats().sinks[0].dead_lettered;
    assert!((1..8).contains(&dead), "a few are dead before it is seen: {dead}");
    fixed.store(true, std::sync::atomic::Ordering::Relaxed);
    until("the rest to arrive", Duration::from_secs(20), || {
        telemetry.flush_blocking(Duration::from_millis(200));
        telemetry.stats().sinks[0].delivered >= 1_000 - dead
    });
    telemetry.shutdown(Duration::from_secs(2));

    let letters = DeadLetters::new(folder.path());
    assert_eq!(letters.read().expect("readable").len() as u64, dead);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let replayed = runtime.block_on(letters.replay(&mended)).expect("the folder is ours");
    assert_eq!((replayed.delivered as u64, replayed.kept), (dead, 0), "{replayed:?}");
    assert!(letters.read().expect("readable").is_empty());
}
