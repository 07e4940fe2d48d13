//! The handle that an application's state keeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ragtrace::sink::{Batch, Delivered, SinkError};
use ragtrace::{Sink, TelemetryHandle, traced_stage};

use crate::support::{Memory, finish, quiet, turn};

/// A time limit far longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

#[traced_stage]
fn handled() {}

fn is_for_state<T: Clone + Send + Sync + 'static>(_: &T) {}

#[test]
fn a_handle_flushes_and_counts_from_any_thread() {
    let _turn = turn();
    let memory = Memory::default();
    let telemetry = quiet().sink(memory.clone()).install().expect("the only one");
    let handle = telemetry.handle();
    is_for_state(&handle);
    handled();
    let other = handle.clone();
    let report = std::thread::spawn(move || other.flush_blocking(LONG)).join().expect("it does not panic");
    assert!(report.complete);
    assert_eq!(memory.records().len(), 2);
    assert_eq!(handle.stats().sink("memory").map(|sink| sink.delivered), Some(2));
    let line = "ragtrace_stage_runs_total{stage=\"handled\",kind=\"task\",outcome=\"completed\"} 1";
    assert!(handle.to_prometheus().lines().any(|said| said == line), "{}", handle.to_prometheus());
    assert_eq!(handle.to_prometheus(), telemetry.to_prometheus());
    finish(telemetry);
}

fn answers_at_once(handle: &TelemetryHandle) -> ragtrace::Report {
    let before = Instant::now();
    let report = handle.flush_blocking(LONG);
    assert!(before.elapsed() < LONG / 2);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert_eq!(runtime.block_on(handle.flush(LONG)), report);
    assert!(before.elapsed() < LONG / 2);
    report
}

#[test]
fn after_the_shutdown_a_handle_has_the_last_account() {
    let _turn = turn();
    let telemetry = quiet().sink(Memory::default()).install().expect("the only one");
    let handle = telemetry.handle();
    handled();
    let last = telemetry.shutdown_blocking(LONG);
    assert!(last.complete);
    // The handle does not follow another installation.
    let next = quiet().sink(Memory::default()).install().expect("the first is gone");
    handled();
    handled();
    assert!(next.flush_blocking(LONG).complete);
    assert_eq!(answers_at_once(&handle), last);
    assert_eq!(handle.stats(), last.stats);
    finish(next);
}

/// A sink that accepts nothing, and notes when it is closed.
struct Closing(Arc<AtomicBool>);

impl Sink for Closing {
    fn name(&self) -> &'static str {
        "closing"
    }

    async fn deliver(&self, _: &Batch) -> Result<Delivered, SinkError> {
        Err(SinkError::park("nobody is there"))
    }

    async fn close(&self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn a_handle_keeps_nothing_alive_and_an_incomplete_end_stays_incomplete() {
    let _turn = turn();
    let is_closed = Arc::new(AtomicBool::new(false));
    let telemetry = quiet().sink(Closing(Arc::clone(&is_closed))).install().expect("the only one");
    let handle = telemetry.handle();
    handled();
    drop(telemetry);
    assert!(is_closed.load(Ordering::Acquire), "the worker has ended, although there is a handle");
    let last = answers_at_once(&handle);
    assert!(!last.complete);
    let sink = last.stats.sink("closing").expect("it was set up");
    assert!(sink.is_balanced() && sink.dropped >= 2, "{sink:?}");
    assert_eq!(handle.stats(), last.stats);
    finish(quiet().install().expect("the first is gone"));
}

#[test]
fn the_last_handle_may_go_before_or_after_the_telemetry() {
    let _turn = turn();
    let telemetry = quiet().sink(Memory::default()).install().expect("the only one");
    drop(telemetry.handle());
    handled();
    let late = telemetry.handle();
    finish(telemetry);
    drop(late);
}
