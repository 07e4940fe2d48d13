//! A sink that is down for the whole run: memory stays within its limit. The cost for the caller is
//! measured and printed, since timings are not asserted.

use std::fs;
use std::time::{Duration, Instant};

use ragtrace::sink::{BoxSink, Discard, SinkError};
use ragtrace::{Builder, SpoolLimits};
use ragtrace_tests::{Reply, Scripted, install, issue, until};

use crate::process::disk_use;

const RUNS: u64 = 300_000;

/// Returns the resident memory in bytes.
fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux says how much memory there is");
    let pages: u64 = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).expect("a number of pages");
    pages * 4_096
}

struct Measured {
    /// The caller's cost of one run.
    cost: Duration,
    grown: u64,
    dropped: u64,
    accepted: u64,
}

fn measure(builder: Builder) -> Measured {
    let telemetry = install(builder);
    (0..1_000).for_each(issue);
    telemetry.flush_blocking(Duration::from_millis(200));
    let (before, mut most) = (resident(), 0);
    let mut costs = Vec::new();
    for round in 0..RUNS / 1_000 {
        let begin = Instant::now();
        (round * 1_000..(round + 1) * 1_000).for_each(issue);
        costs.push(begin.elapsed() / 1_000);
        most = most.max(resident());
        // Runs are issued as fast as the worker reads them, so that the queue does not fill up.
        let issued = (round + 1) * 2_000;
        until("the worker to read", Duration::from_mins(1), || {
            let stats = telemetry.stats();
            stats.sinks[0].accepted + stats.dropped.total() + 32_000 >= issued
        });
    }
    let report = telemetry.shutdown(Duration::from_secs(2));
    let sink = &report.stats.sinks[0];
    assert!(sink.is_balanced(), "{report}");
    costs.sort();
    let cost = costs[costs.len() / 2];
    Measured { cost, grown: most.saturating_sub(before), dropped: sink.dropped, accepted: sink.accepted }
}

#[test]
fn a_sink_that_is_down_costs_neither_memory_nor_time() {
    let down = || BoxSink::new(Scripted::new("down", |_| Reply::Fail(SinkError::retry("down")), |_| ()));
    let folder = tempfile::tempdir().expect("a folder");
    let limits = SpoolLimits::default().with_bytes(64 << 20);
    let normal = measure(ragtrace::builder().sink(Discard::new()));
    let in_memory = measure(ragtrace::builder().sinks([down()]));
    let spooled = measure(ragtrace::builder().sinks([down()]).spool(folder.path(), limits));
    for (name, measured) in [("normal", &normal), ("memory only", &in_memory), ("spooled", &spooled)] {
        let Measured { cost, grown, dropped, accepted } = measured;
        println!("{name}: {cost:?} a run, {} KiB more, {dropped} of {accepted} dropped", grown >> 10);
    }
    assert_eq!(normal.dropped, 0, "a sink that answers at once keeps up with the queue");
    for (name, down) in [("memory only", &in_memory), ("spooled", &spooled)] {
        println!("{name}: {:.2} times the normal cost", down.cost.as_secs_f64() / normal.cost.as_secs_f64());
        assert!(down.grown <= 64 << 20, "{} KiB", down.grown >> 10);
    }
    let (blocks, _) = disk_use(folder.path());
    assert!(blocks <= limits.bytes, "{blocks} bytes on disk");
    assert!(in_memory.dropped > 0 && in_memory.dropped <= in_memory.accepted, "what has no room is counted");
}
