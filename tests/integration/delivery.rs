//! Setting up, delivering, and shutting down.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use ragtrace::sink::{Batch, BatchLimits, Delivered, SinkError};
use ragtrace::{Event, QueueLimits, Record, RequestContext, Sampler, Sink, Value, traced_stage};

use crate::support::{Memory, finish, quiet, turn};

#[traced_stage]
fn work(n: u64) -> Vec<u64> {
    (0..n).collect()
}

#[traced_stage]
async fn endless() {
    std::future::pending::<()>().await;
}

#[traced_stage(fields(name, size), ok(|pages| pages = pages, title = %format!("{pages} pages")))]
fn document(name: &str, size: u64, pages: u64) -> u64 {
    (0..pages).for_each(|number| page(number, &format!("page {number} of {name}")).unwrap_or_default());
    pages
}

#[traced_stage(level = "debug", fields(number, text), err(|error| length = error.len()))]
fn page(number: u64, text: &str) -> Result<(), String> {
    if number.is_multiple_of(3) { Err(text.to_owned()) } else { Ok(()) }
}

#[traced_stage(level = "debug")]
fn detail() -> Result<(), String> {
    work(1);
    Err("out of luck".to_owned())
}

#[test]
fn a_second_installation_is_an_error_until_the_first_is_shut_down() {
    let _turn = turn();
    let first = quiet().sink(Memory::default()).install().expect("the only one");
    let error = quiet().install().expect_err("there is one already");
    assert_eq!(
        error.to_string(),
        "telemetry is already installed in this process: call `install` once, at the start of `main`"
    );
    finish(first);
    finish(quiet().install().expect("the first is gone"));
}

#[test]
fn an_unknown_level_is_an_error_that_names_the_known_ones() {
    let _turn = turn();
    let error = quiet().level("loud").install().expect_err("there is no such level");
    let expected =
        "expected a level (trace, debug, info, warn, error or off) or a directive (target=level), found \"loud\"";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_level_hides_lines_and_no_account_of_them() {
    let _turn = turn();
    let memory = Memory::default();
    let telemetry = quiet().level("warn").sink(memory.clone()).install().expect("the only one");
    let _ = RequestContext::new().with_user_id("alice").sync_scope(detail);
    finish(telemetry);
    let records = memory.records();
    let [failed] = &records[..] else { panic!("one record is severe enough: {records:#?}") };
    assert_eq!((failed.event(), failed.stage()), (Event::Failed, Some("detail")));
    assert!(failed.duration().is_some());
    let stages: Vec<_> =
        memory.minutes().iter().map(|m| (m.stage().to_owned(), m.completed(), m.failed(), m.items())).collect();
    assert_eq!(stages, [("detail".to_owned(), 0, 1, 0), ("work".to_owned(), 1, 0, 1)]);
    assert_eq!(memory.requests().len(), 1);
}

/// Records are made some hundreds at a time, so a stage may have begun among earlier ones.
#[test]
fn a_stage_ends_with_the_fields_of_its_start_however_much_comes_between_and_whether_that_is_shown() {
    let text = |record: &Record, name| record.field(name).and_then(Value::as_str).map(str::to_owned);
    let number = |record: &Record, name| record.field(name).and_then(Value::as_u64);
    for level in ["debug", "info"] {
        let _turn = turn();
        let memory = Memory::default();
        let telemetry = quiet().level(level).sink(memory.clone()).install().expect("the only one");
        RequestContext::new().sync_scope(|| document("a long one", 1_000_000, 1_000));
        finish(telemetry);
        let records = memory.records();
        let ids: BTreeSet<_> = records.iter().map(Record::id).collect();
        assert_eq!(ids.len(), records.len());
        // There may be records of the pipeline's own reports beside them.
        let of = |stage| records.iter().filter(move |record| record.stage() == Some(stage)).collect::<Vec<_>>();
        let (pages, documents) = (of("page"), of("document"));
        assert_eq!((documents.len(), pages.len()), (2, if level == "debug" { 2_000 } else { 334 }));
        for record in documents {
            assert_eq!(
                (text(record, "name").as_deref(), number(record, "size")),
                (Some("a long one"), Some(1_000_000))
            );
            let is_end = record.event() == Event::Completed;
            assert_eq!(text(record, "title").as_deref(), is_end.then_some("1000 pages"));
            assert_eq!(record.metric("pages"), is_end.then_some(1_000.0));
        }
        for record in pages {
            let number = number(record, "number").expect("a start's field");
            let expected = format!("page {number} of a long one");
            assert_eq!(text(record, "text").as_deref(), Some(&expected[..]));
            let length = u32::try_from(expected.len()).map(f64::from).expect("short");
            assert_eq!(record.metric("length"), (record.event() == Event::Failed).then_some(length));
            assert_eq!(record.context().count(), 2);
        }
    }
}

/// Records that the sampler holds are copied and keep their ids, which contain the millisecond of
/// the record.
#[test]
fn records_that_were_held_have_ids_of_their_own_and_of_their_time() {
    let _turn = turn();
    let memory = Memory::default();
    let sampler = Sampler::ratio(0.0).keep_errors(true);
    let telemetry = quiet().level("debug").sample(sampler).sink(memory.clone()).install().expect("the only one");
    for size in 0..200 {
        RequestContext::new().sync_scope(|| document("held", size, 4));
    }
    finish(telemetry);
    let records: Vec<_> = memory.records().into_iter().filter(|record| record.stage().is_some()).collect();
    assert_eq!(records.len(), 200 * 10);
    let ids: BTreeSet<_> = records.iter().map(Record::id).collect();
    assert_eq!(ids.len(), records.len());
    for record in records {
        let (seconds, nanos) = record.id().get_timestamp().expect("version 7").to_unix();
        let millis = record.timestamp().as_micros() / 1_000;
        assert_eq!(i64::try_from(seconds * 1_000 + u64::from(nanos) / 1_000_000), Ok(millis));
    }
}

#[test]
fn tasks_that_the_end_of_their_runtime_cancels_are_recorded() {
    let _turn = turn();
    let memory = Memory::default();
    let telemetry = quiet().sink(memory.clone()).install().expect("the only one");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let (sender, receiver) = std::sync::mpsc::channel();
    for _ in 0..10 {
        let sender = sender.clone();
        runtime.spawn(async move {
            let mut stage = std::pin::pin!(endless());
            let pending = poll_fn(|cx| Poll::Ready(stage.as_mut().poll(cx).is_pending())).await;
            assert!(pending);
            sender.send(()).expect("the test waits");
            stage.await;
        });
    }
    (0..10).for_each(|_| receiver.recv().expect("every task is polled"));
    drop(runtime);
    finish(telemetry);
    let ends: Vec<_> = memory.records().iter().map(ragtrace::Record::event).filter(|event| event.is_end()).collect();
    assert_eq!(ends, [Event::Cancelled; 10]);
}

#[test]
fn a_program_without_a_runtime_is_served_by_threads_of_its_own() {
    let _turn = turn();
    let memory = Memory::default();
    let telemetry = quiet().sink(memory.clone()).install().expect("the only one");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..100).for_each(|n| drop(work(n))));
        }
    });
    let report = telemetry.flush_blocking(Duration::from_secs(30));
    assert!(report.complete);
    assert_eq!(memory.records().len(), 800);
    finish(telemetry);
}

/// A sink that accepts nothing before it was asked a number of times.
#[derive(Clone)]
struct Flaky {
    inner: Memory,
    failures_left: Arc<AtomicUsize>,
}

impl Sink for Flaky {
    fn name(&self) -> &'static str {
        "flaky"
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits::default().with_age(Duration::from_millis(5))
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let left = self.failures_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match left {
            Ok(_) => Err(SinkError::retry("the backend is down")),
            Err(_) => self.inner.deliver(batch).await,
        }
    }
}

#[test]
fn a_sink_that_fails_for_a_while_gets_everything_and_holds_up_no_other() {
    let _turn = turn();
    let (steady, late) = (Memory::default(), Memory::default());
    let flaky = Flaky { inner: late.clone(), failures_left: Arc::new(AtomicUsize::new(3)) };
    let telemetry = quiet().sink(steady.clone()).sink(flaky).install().expect("the only one");
    (0..50).for_each(|n| drop(work(n)));
    while steady.records().len() < 100 {
        std::thread::yield_now();
    }
    finish(telemetry);
    let ids = |memory: &Memory| memory.records().iter().map(ragtrace::Record::id).collect::<BTreeSet<_>>();
    assert_eq!(ids(&late), ids(&steady));
}

#[test]
fn a_shutdown_with_a_dead_sink_ends_in_time_and_says_what_was_lost() {
    let _turn = turn();
    let dead = Flaky { inner: Memory::default(), failures_left: Arc::new(AtomicUsize::new(usize::MAX)) };
    let telemetry = quiet().sink(dead).install().expect("the only one");
    (0..50).for_each(|n| drop(work(n)));
    let report = telemetry.shutdown_blocking(Duration::from_millis(300));
    assert!(!report.complete);
    let sink = report.stats.sink("flaky").expect("it was set up");
    assert!(sink.is_balanced(), "{sink:?}");
    // The pipeline's report on itself is a record too.
    assert!(sink.accepted >= 100 && sink.dropped == sink.accepted, "{sink:?}");
}

#[test]
fn a_full_queue_drops_and_counts_and_keeps_every_end_of_what_it_took() {
    let _turn = turn();
    let memory = Memory::default();
    let limits = QueueLimits::default().with_bytes(32 << 10).with_sink_records(1 << 20).with_sink_bytes(1 << 32);
    let telemetry = quiet().queue(limits).sink(memory.clone()).install().expect("the only one");
    // More than the worker can read in this time, on any machine.
    (0..200_000).for_each(|_| drop(work(0)));
    let report = telemetry.shutdown_blocking(Duration::from_secs(30));
    assert!(report.complete, "{report}");
    let mut records = memory.records();
    records.retain(|record| record.stage().is_some());
    assert_eq!(records.len() as u64 + report.stats.dropped.total(), 400_000);
    let started = records.iter().filter(|record| record.event() == Event::Started).count();
    let ended = records.len() - started;
    assert!(ended >= started, "{started} started, {ended} ended");
}

#[test]
fn a_flush_from_inside_a_stage_and_from_two_threads_at_once_returns() {
    let _turn = turn();
    let memory = Memory::default();
    let telemetry = quiet().sink(memory.clone()).install().expect("the only one");
    let inside = ragtrace::RequestContext::new();
    inside.sync_scope(|| {
        work(3);
        std::thread::scope(|scope| {
            let flushes = [(); 2].map(|()| scope.spawn(|| telemetry.flush_blocking(Duration::from_secs(30))));
            for flush in flushes {
                assert!(flush.join().expect("it does not panic").complete);
            }
        });
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert!(runtime.block_on(telemetry.flush(Duration::from_secs(30))).complete);
    assert_eq!(memory.records().len(), 2);
    finish(telemetry);
}

#[test]
fn stages_are_counted_for_prometheus_whatever_the_level_and_the_sampler_leave_out() {
    let _turn = turn();
    let memory = Memory::default();
    let sampler = ragtrace::Sampler::ratio(0.0).keep_errors(false);
    let telemetry = quiet().level("warn").sample(sampler).sink(memory.clone()).install().expect("the only one");
    let counted = |runs: u64| {
        for _ in 0..runs {
            let _ = RequestContext::new().with_tenant_id("acme").sync_scope(detail);
        }
        assert!(telemetry.flush_blocking(Duration::from_secs(30)).complete);
        telemetry.to_prometheus()
    };
    let says = |text: &str, line: &str| assert!(text.lines().any(|said| said == line), "{line} in\n{text}");
    let first = counted(3);
    says(&first, "ragtrace_stage_runs_total{stage=\"detail\",kind=\"task\",outcome=\"failed\"} 3");
    says(&first, "ragtrace_stage_runs_total{stage=\"work\",kind=\"task\",outcome=\"completed\"} 3");
    says(&first, "ragtrace_stage_items_total{stage=\"work\",kind=\"task\"} 3");
    says(&first, "ragtrace_stage_duration_seconds_count{stage=\"work\",kind=\"task\"} 3");
    says(&first, "ragtrace_records_sampled_out_total 3");
    let second = counted(2);
    says(&second, "ragtrace_stage_runs_total{stage=\"work\",kind=\"task\",outcome=\"completed\"} 5");
    says(&second, "ragtrace_stage_duration_seconds_bucket{stage=\"work\",kind=\"task\",le=\"+Inf\"} 5");
    finish(telemetry);
    let shipped: u64 = memory.minutes().iter().map(ragtrace::metrics::StageMinute::runs).sum();
    assert_eq!((shipped, memory.records().len()), (10, 0), "the sinks get each part once");
}
