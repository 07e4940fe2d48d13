//! A million records through sinks that are down, slow, flapping, lying and picky: each arrives
//! once, or is a dead letter with its reason.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ragtrace::sink::{BatchLimits, SinkError};
use ragtrace::spool::DeadLetters;
use ragtrace::{QueueLimits, Record, SpoolLimits};
use ragtrace_tests::{Attempt, Oracle, Reply, Scripted, Trace, install, issue, number_of, until};

const TASKS: u64 = 8;
const RUNS_A_TASK: u64 = 62_500;
/// The number of records that may wait, in the queue and for a sink, before the tasks pause. Beyond
/// its memory, a sink whose disk is behind drops records.
const WAITING: u64 = 24_000;
const RUNS: u64 = TASKS * RUNS_A_TASK;

/// Returns `true` for the records that a picky sink refuses for good, spread out and some in a row.
fn is_poison(record: &Record) -> bool {
    number_of(record).is_some_and(|number| number % 50_021 == 13)
}

fn sink(
    name: &'static str,
    oracle: &Arc<Oracle>,
    script: impl FnMut(&Attempt<'_>) -> Reply + Send + 'static,
) -> Scripted {
    let oracle = Arc::clone(oracle);
    let take = move |record: &Record| {
        if let Some(trace) = Trace::of(record) {
            oracle.arrived(trace);
        }
    };
    Scripted::new(name, script, take)
}

/// Signals the end of the test, even if it fails.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn down() -> Reply {
    Reply::Fail(SinkError::retry("down"))
}

#[test]
fn every_record_arrives_once_or_is_dead_with_its_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let begin = Instant::now();
    let oracles: Vec<_> = (0..4).map(|_| Arc::new(Oracle::new(RUNS))).collect();
    let is_up = Arc::new(AtomicBool::new(false));
    let up = Arc::clone(&is_up);
    let down_for_long =
        sink("down", &oracles[0], move |_| if up.load(Ordering::Relaxed) { Reply::Take } else { down() });
    let slow = sink("slow", &oracles[1], |_| Reply::Slow(Duration::from_millis(5)))
        .with_limits(BatchLimits::default().with_in_flight(4));
    let flapping = sink("flapping", &oracles[2], |attempt| match attempt.before % 40 {
        0 | 1 => down(),
        2 => Reply::Lie,
        3 if attempt.batch.records().len() > 64 => Reply::Fail(SinkError::split("too large")),
        _ => Reply::Take,
    });
    let picky = sink("picky", &oracles[3], |attempt| {
        if attempt.batch.records().iter().any(is_poison) {
            Reply::Fail(SinkError::rejected("poison"))
        } else {
            Reply::Take
        }
    });
    let builder = ragtrace::builder()
        .queue(QueueLimits::default().with_bytes(512 << 20).with_sink_bytes(256 << 20))
        .spool(folder.path(), SpoolLimits::default())
        .sink(down_for_long)
        .sink(slow)
        .sink(flapping)
        .sink(picky);
    let telemetry = install(builder);

    let (readings, is_done, is_behind) = (AtomicU64::new(0), AtomicBool::new(false), Arc::<AtomicBool>::default());
    let issued = Arc::<AtomicU64>::default();
    let unbalanced = std::thread::scope(|scope| {
        let done = Done(&is_done);
        let watcher = scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                let stats = telemetry.stats();
                let accepted = stats.sinks[0].accepted;
                let queued = (issued.load(Ordering::Relaxed) * 2).saturating_sub(accepted);
                let waits = stats.sinks.iter().any(|sink| sink.pending + queued > WAITING);
                is_behind.store(waits, Ordering::Relaxed);
                readings.fetch_add(1, Ordering::Relaxed);
                if let Some(sink) = stats.sinks.into_iter().find(|sink| !sink.is_balanced()) {
                    return Some(sink);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            None
        });
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let tasks: Vec<_> = (0..TASKS)
                .map(|task| tokio::spawn(run_task(task, Arc::clone(&issued), Arc::clone(&is_behind))))
                .collect();
            for task in tasks {
                task.await.expect("the task does not panic");
            }
        });
        is_up.store(true, Ordering::Relaxed);
        until("everything to be settled", Duration::from_secs(150), || {
            let flushed = telemetry.flush_blocking(Duration::from_secs(1));
            let stats = flushed.stats;
            stats.sinks.iter().all(|sink| sink.spooled == 0 && sink.pending == 0 && sink.accepted >= RUNS * 2)
        });
        drop(done);
        watcher.join().expect("the watcher does not panic")
    });
    assert_eq!(unbalanced, None, "the account holds at every reading");
    let report = telemetry.shutdown(Duration::from_secs(20));
    let readings = readings.into_inner();
    println!("{} records in {:?}, {readings} readings: {report}", RUNS * 2, begin.elapsed());

    assert!(report.complete, "{report}");
    assert_eq!(report.stats.dropped.total(), 0, "the queue had room");
    assert!(report.stats.sinks.iter().all(|sink| sink.dropped == 0), "{report}");
    let all = usize::try_from(RUNS * 2).expect("fits");
    for oracle in &oracles[..3] {
        assert_eq!(oracle.summary(), (0, all, 0), "never, once, more often");
    }
    let letters = DeadLetters::new(folder.path()).read().expect("the dead letters can be read");
    for letter in &letters {
        assert_eq!((letter.sink(), letter.reason(), is_poison(letter.record())), ("picky", "poison", true));
        oracles[3].arrived(Trace::of(letter.record()).expect("a record of ours"));
    }
    assert!(letters.len() >= 18, "{} letters", letters.len());
    assert_eq!(oracles[3].summary(), (0, all, 0), "never, once, more often");
}

async fn run_task(task: u64, issued: Arc<AtomicU64>, is_behind: Arc<AtomicBool>) {
    for number in task * RUNS_A_TASK..(task + 1) * RUNS_A_TASK {
        issue(number);
        if number % 64 == 0 {
            issued.fetch_add(64, Ordering::Relaxed);
            while is_behind.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    }
}
