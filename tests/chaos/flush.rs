//! Flush and shutdown return in time and with correct figures, from wherever they are called.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ragtrace::sink::{BatchLimits, SinkError};
use ragtrace::{SpoolLimits, stage};
use ragtrace_tests::{Attempt, Reply, Scripted, install, issue};

const SECOND: Duration = Duration::from_secs(1);
/// The time after which something that should take a second is taken for hanging, even on a busy
/// machine.
const HANGING: Duration = Duration::from_secs(20);

fn counting(
    name: &'static str,
    script: impl FnMut(&Attempt<'_>) -> Reply + Send + 'static,
) -> (Scripted, Arc<AtomicUsize>) {
    let arrived = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&arrived);
    let sink = Scripted::new(name, script, move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    (sink, arrived)
}

#[test]
fn shutdown_with_a_dead_sink_ends_within_its_timeout() {
    for reply in [|| Reply::Stall, || Reply::Fail(SinkError::retry("dead"))] {
        for spools in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let (dead, _) = counting("dead", move |_| reply());
            let (well, arrived) = counting("well", |_| Reply::Take);
            let mut builder = ragtrace::builder().sink(dead).sink(well);
            if spools {
                builder = builder.spool(folder.path(), SpoolLimits::default());
            }
            let telemetry = install(builder);
            (0..100).for_each(issue);
            let begin = Instant::now();
            let report = telemetry.shutdown(SECOND);
            let took = begin.elapsed();
            println!("spools: {spools}, took {took:?}: {report}");
            assert!(took < HANGING, "it hangs: {took:?}");
            let [dead, well] = &report.stats.sinks[..] else { panic!("two sinks") };
            assert!(dead.is_balanced() && well.is_balanced(), "{report}");
            assert_eq!(dead.pending, 0, "{report}");
            assert_eq!(if spools { dead.spooled } else { dead.dropped }, dead.accepted, "{report}");
            assert_eq!(report.complete, spools, "{report}");
            assert!(arrived.load(Ordering::Relaxed) >= 200);
        }
    }
}

#[test]
fn flush_returns_inside_a_stage_without_a_runtime_and_twice_at_once() {
    let (sink, arrived) = counting("well", |_| Reply::Slow(Duration::from_millis(20)));
    let telemetry = install(ragtrace::builder().sink(sink));
    issue(1);
    // This is a thread without a runtime.
    let report = telemetry.flush_blocking(SECOND);
    assert!(report.complete && report.stats.sinks[0].delivered == 2, "{report}");

    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        issue(2);
        let report = stage!("flushing", async { telemetry.flush(SECOND).await }).await;
        assert!(report.complete && report.stats.sinks[0].delivered == 5, "its start and the run before it: {report}");
        issue(3);
        let (one, other) = tokio::join!(telemetry.flush(SECOND), telemetry.flush(SECOND));
        assert!(one.complete && other.complete, "{one} / {other}");
        assert_eq!((one.stats.sinks[0].delivered, other.stats.sinks[0].delivered), (8, 8));
    });
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let telemetry = &telemetry;
            scope.spawn(move || {
                for n in 0..20 {
                    issue(thread * 100 + n);
                    let report = telemetry.flush_blocking(Duration::from_secs(5));
                    assert!(report.complete && report.stats.sinks[0].is_balanced(), "{report}");
                }
            });
        }
    });
    let report = telemetry.shutdown(SECOND);
    assert_eq!(report.stats.sinks[0].delivered, 8 + 4 * 20 * 2, "{report}");
    assert_eq!(arrived.load(Ordering::Relaxed), 8 + 4 * 20 * 2);
}

#[test]
fn flush_in_the_middle_of_a_delivery_waits_for_it_and_for_what_came_after() {
    let limits = BatchLimits::default().with_records(10).with_age(Duration::from_millis(1));
    let (sink, arrived) = counting("slow", |_| Reply::Slow(Duration::from_millis(50)));
    let sink = sink.with_limits(limits);
    let seen = sink.clone();
    let telemetry = install(ragtrace::builder().sink(sink));
    (0..10).for_each(issue);
    ragtrace_tests::until("a delivery to begin", SECOND, || seen.attempts() > 0);
    (10..15).for_each(issue);
    let report = telemetry.flush_blocking(Duration::from_secs(5));
    assert!(report.complete, "{report}");
    assert_eq!((report.stats.sinks[0].delivered, arrived.load(Ordering::Relaxed)), (30, 30), "{report}");
    telemetry.shutdown(SECOND);
}

#[test]
fn a_sink_that_stalls_does_not_delay_another() {
    const STALL: Duration = Duration::from_mins(1);
    const SAMPLES: u64 = 40;
    // The stall takes a minute, and the measurement as long as it needs within it.
    let delays = |stalled: Option<Scripted>| {
        let (sink, _) = counting("well", |_| Reply::Take);
        let sink = sink.with_limits(BatchLimits::default().with_age(Duration::from_millis(20)));
        let seen = sink.clone();
        let telemetry = install(ragtrace::builder().sink(sink).sinks(stalled.map(ragtrace::sink::BoxSink::new)));
        let mut delays: Vec<_> = (0..SAMPLES)
            .map(|number| {
                let (before, begin) = (seen.batches(), Instant::now());
                issue(number);
                ragtrace_tests::until("the delivery", Duration::from_secs(5), || seen.batches() > before);
                begin.elapsed()
            })
            .collect();
        telemetry.shutdown(Duration::from_millis(100));
        delays.sort();
        (delays[delays.len() / 2], delays[delays.len() - 2])
    };
    let alone = delays(None);
    let (stalled, _) = counting("stalled", |_| Reply::Slow(STALL));
    let beside = delays(Some(stalled.with_limits(BatchLimits::default().with_age(Duration::from_millis(1)))));
    // Timings are printed and not asserted. The assertion is that each record arrived while the
    // other sink stalled.
    println!("delay alone {alone:?}, beside a stalled sink {beside:?} (median, 95%)");
}

#[test]
fn a_shutdown_does_not_wait_for_a_sink_that_is_parked_until_later() {
    let (parked, _) = counting("parked", |_| Reply::Fail(SinkError::park("no such user")));
    let (later, _) = counting("later", |_| Reply::Fail(SinkError::retry("busy").after(Duration::from_hours(1))));
    let (well, arrived) = counting("well", |_| Reply::Slow(Duration::from_millis(20)));
    let telemetry = install(ragtrace::builder().sink(parked).sink(later).sink(well));
    (0..100).for_each(issue);
    let begin = Instant::now();
    // Neither sink would be tried again in that time, and there is no disk.
    let patience = Duration::from_secs(25);
    let flushed = telemetry.flush_blocking(patience);
    assert!(!flushed.complete && flushed.stats.sinks[0].pending >= 200, "{flushed}");
    let report = telemetry.shutdown(patience);
    assert!(begin.elapsed() < patience, "{:?}", begin.elapsed());
    assert!(!report.complete && report.stats.sinks.iter().all(ragtrace::SinkStats::is_balanced), "{report}");
    for sink in &report.stats.sinks[..2] {
        assert!(sink.dropped == sink.accepted && sink.pending == 0, "{report}");
    }
    assert!(arrived.load(Ordering::Relaxed) >= 200 && report.stats.sinks[2].dropped == 0, "{report}");
}
