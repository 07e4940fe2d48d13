//! Tests of a worker whose loop, or whose spool's thread, panics. Nothing in an application can
//! cause that, so the tests do it by commands.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ragtrace_core::dispatch::ListenerGuard;
use ragtrace_core::queue::{Queue, QueueLimits, install, uninstall};
use ragtrace_core::{Level, NamedStage, StageKind};
use tokio::sync::mpsc::UnboundedSender;
use uuid::Uuid;

use super::{Command, SpoolSettings, WorkerConfig, start};
use crate::pipeline::Sanitizer;
use crate::pipeline::report::{Published, Report, SinkStats, StageTotals};
use crate::record::{Origin, RecordLimits};
use crate::redact::Redactor;
use crate::sample::Sampler;
use crate::sink::{Batch, BoxSink, Delivered, GuardedSink, Sink, SinkError};
use crate::spool::SpoolLimits;

/// A time within which nothing ends by itself, even on a busy machine.
const LONG: Duration = Duration::from_mins(1);
/// A time shorter than the pause before a parked sink is probed.
const SOON: Duration = Duration::from_secs(20);

/// A sink that accepts everything, or is parked until its configuration is corrected.
struct Switch(bool);

impl Sink for Switch {
    fn name(&self) -> &'static str {
        "switch"
    }

    async fn deliver(&self, _: &Batch) -> Result<Delivered, SinkError> {
        if self.0 { Ok(Delivered::all()) } else { Err(SinkError::park("no such user")) }
    }
}

/// A worker without a builder. Only one exists at a time, because a process has one queue.
struct Running {
    commands: UnboundedSender<Command>,
    published: Published,
    queue: Arc<Queue>,
    thread: JoinHandle<()>,
    _listener: ListenerGuard,
    _turn: std::sync::MutexGuard<'static, ()>,
}

impl Running {
    fn start(takes: bool, folder: Option<&Path>) -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = install(QueueLimits::default()).expect("the only one");
        let (commands, received) = tokio::sync::mpsc::unbounded_channel();
        let published = Published::default();
        let sink = GuardedSink::new(BoxSink::new(Switch(takes))).expect("it does not panic");
        let settings = |folder: &Path| SpoolSettings {
            folder: folder.to_owned(),
            limits: SpoolLimits::default(),
            is_durable: true,
        };
        let thread = start(WorkerConfig {
            queue: Arc::clone(&queue),
            origin: Arc::new(Origin::new(Uuid::now_v7())),
            levels: Level::Info.into(),
            console: None,
            sinks: vec![sink],
            memory_limits: QueueLimits::default(),
            spool: folder.map(settings),
            sanitizer: Sanitizer::new(Redactor::new(), RecordLimits::default()),
            sampler: Sampler::all(),
            commands: received,
            published: published.clone(),
            stage_totals: StageTotals::default(),
        });
        let thread = thread.expect("there is room for a thread");
        Self { commands, published, queue, thread, _listener: ListenerGuard::begin(), _turn: turn }
    }

    fn send(&self, command: Command) {
        assert!(self.commands.send(command).is_ok(), "the worker listens");
    }

    fn flush(&self) -> Report {
        let (reply, answer) = sync_channel(1);
        self.send(Command::Flush { deadline: Instant::now() + SOON, reply });
        answer.recv_timeout(SOON).expect("it is answered at once")
    }

    fn shut_down(self) -> Report {
        uninstall(&self.queue);
        let (reply, answer) = sync_channel(1);
        self.send(Command::Shutdown { deadline: Instant::now() + SOON, reply });
        let report = answer.recv_timeout(LONG).expect("it is answered");
        self.thread.join().expect("the thread comes to its end");
        report
    }
}

/// Records a number of runs, with two records each.
fn record(runs: u64) {
    let stage = NamedStage::new("worked", StageKind::Task).expect("there is room for a name");
    (0..runs).for_each(|_| stage.run_sync(|| ()));
}

fn balanced(report: &Report) -> &SinkStats {
    let sink = &report.stats.sinks[0];
    assert!(sink.is_balanced(), "{report}");
    sink
}

#[test]
fn a_worker_that_panicked_answers_that_it_is_incomplete_and_counts_what_it_does_not_deliver() {
    let worker = Running::start(true, None);
    record(10);
    assert!(worker.flush().complete);
    worker.send(Command::Panic);
    record(100);
    let flushed = worker.flush();
    assert!(!flushed.complete, "{flushed}");
    record(1_000);
    let report = worker.shut_down();
    assert!(!report.complete, "{report}");
    let sink = balanced(&report);
    assert_eq!((sink.delivered, sink.pending), (20, 0), "{report}");
    assert_eq!(
        sink.dropped + report.stats.dropped.total(),
        2_200,
        "what was recorded since is accounted for: {report}"
    );
}

#[test]
fn a_worker_that_panicked_while_others_wait_for_it_keeps_nobody_waiting() {
    let worker = Running::start(false, None);
    record(10);
    let (reply, answer) = sync_channel(1);
    worker.send(Command::Flush { deadline: Instant::now() + SOON, reply });
    worker.send(Command::Panic);
    let waiting = answer.recv_timeout(SOON).expect("it is answered at once");
    assert!(!waiting.complete, "{waiting}");
    let report = worker.shut_down();
    assert!(!report.complete && balanced(&report).delivered == 0, "{report}");
    assert_eq!(balanced(&report).dropped + report.stats.dropped.total(), 20, "{report}");
}

#[test]
fn what_a_worker_that_panicked_had_goes_to_disk_where_there_is_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let worker = Running::start(false, Some(folder.path()));
    record(10);
    worker.flush();
    worker.send(Command::Panic);
    assert!(!worker.flush().complete);
    let report = worker.shut_down();
    // The pipeline's own reports may be among the records.
    let spooled = balanced(&report).spooled;
    assert!(!report.complete && spooled >= 20, "{report}");
    let next = Running::start(true, Some(folder.path()));
    let report = next.shut_down();
    assert!(
        report.complete && balanced(&report).recovered == spooled && balanced(&report).delivered == spooled,
        "{report}"
    );
}

#[test]
fn a_spool_whose_thread_panicked_costs_durability_and_holds_nobody_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let worker = Running::start(false, Some(folder.path()));
    record(10);
    worker.flush();
    worker.send(Command::PanicSpool);
    record(5);
    let flushed = worker.flush();
    assert!(!flushed.complete, "what came since is nowhere: {flushed}");
    let report = worker.shut_down();
    let sink = balanced(&report);
    assert!(!report.complete && sink.spooled + sink.dropped >= 30 && sink.dropped >= 10, "{report}");
    let next = Running::start(true, Some(folder.path()));
    let report = next.shut_down();
    assert!(report.complete && balanced(&report).delivered >= 20, "what was on disk is there: {report}");
}

#[test]
fn a_sink_that_is_well_gets_everything_although_the_spool_s_thread_panicked() {
    let folder = tempfile::tempdir().expect("a folder");
    let worker = Running::start(true, Some(folder.path()));
    record(10);
    assert!(worker.flush().complete);
    worker.send(Command::PanicSpool);
    record(10);
    let flushed = worker.flush();
    assert!(flushed.complete && balanced(&flushed).delivered == 40, "{flushed}");
    assert_eq!(worker.published.stats().sinks[0].delivered, 40);
    assert!(worker.shut_down().complete);
}
