//! The state of the worker, and its counts.

use std::sync::Arc;

use ragtrace_core::queue::{Consumer, Queue, RequestCache};
use ragtrace_core::time::Calibration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use super::config::{Command, SpoolSettings, WorkerConfig};
use super::pending::{PendingFlush, PendingShutdown};
use crate::pipeline::delivery::{SinkDelivery, SpoolLink};
use crate::pipeline::intake::{Assembler, Sanitizer};
use crate::pipeline::report::{Dropped, Published, StageCounts, Stats};
use crate::pipeline::sampling::{TailSampler, WriteAhead};
use crate::record::{Origin, RecordFilter};
use crate::sink::{Delivered, SinkError};
use crate::spool::{self, SpoolConfig, SpoolEvent, SpoolHandle};
use crate::warning::RateLimitedWarning;

pub(super) struct Worker {
    pub(super) queue: Arc<Queue>,
    pub(super) origin: Arc<Origin>,
    /// The records that at least one sink takes.
    pub(super) filter: RecordFilter,
    pub(super) consumers: Vec<Consumer>,
    /// Set if a chain has more entries than were read.
    pub(super) is_behind: bool,
    pub(super) requests: RequestCache,
    pub(super) assembler: Assembler,
    pub(super) sanitizer: Sanitizer,
    pub(super) stage_counts: StageCounts,
    pub(super) sampler: TailSampler,
    /// `None` if held records need not be durable.
    pub(super) write_ahead: Option<WriteAhead>,
    pub(super) deliveries: Vec<SinkDelivery>,
    pub(super) commands: UnboundedReceiver<Command>,
    pub(super) attempts: JoinSet<AttemptAnswer>,
    pub(super) flushes: Vec<PendingFlush>,
    /// The turn after the one in which everything that flushes wait for was read, if that has
    /// happened.
    pub(super) flush_turn: Option<u64>,
    pub(super) shutdown: Option<PendingShutdown>,
    pub(super) spool: Option<SpoolThread>,
    /// The number of records that the full queue had refused at the last check, and the number of
    /// those that were reported.
    pub(super) refused: u64,
    pub(super) refused_reported: u64,
    pub(super) refused_warning: RateLimitedWarning,
    /// Records in the queue that will not be read.
    pub(super) unread: Dropped,
    /// The number of records on their way from the assembler to the deliveries.
    pub(super) dispatching: usize,
    /// Set if everything recorded before the shutdown has been read.
    pub(super) all_was_read: bool,
    /// The losses as of the last flush that was answered.
    pub(super) lost_answered: u64,
    pub(super) published: Published,
    pub(super) clock: Calibration,
}

/// The spool's thread, as seen by the worker.
pub(super) struct SpoolThread {
    pub(super) handle: SpoolHandle,
    pub(super) events: UnboundedReceiver<SpoolEvent>,
    /// Set once the batches that earlier processes left are known.
    pub(super) is_open: bool,
}

/// A sink's answer to a batch, and the delivery that it belongs to.
pub(super) struct AttemptAnswer {
    pub(super) delivery: usize,
    pub(super) ticket: u64,
    pub(super) result: Result<Delivered, SinkError>,
}

impl Worker {
    pub(super) fn new(mut config: WorkerConfig) -> Self {
        let is_durable = config.spool.as_ref().is_some_and(|settings| settings.is_durable);
        let needs_paths = config.sinks.iter().any(|sink| sink.needs.ancestry());
        let Deliveries { all: deliveries, filter, spool } = start_deliveries(&mut config);
        let is_written_ahead = is_durable && config.sampler.holds_traces();
        let handle = spool.as_ref().filter(|_| is_written_ahead).map(|spool| spool.handle.clone());
        let worker = Self {
            queue: config.queue,
            origin: Arc::clone(&config.origin),
            filter,
            consumers: Vec::new(),
            is_behind: false,
            requests: RequestCache::default(),
            assembler: Assembler::new(config.origin, filter).with_paths(needs_paths),
            sanitizer: config.sanitizer,
            stage_counts: StageCounts::new(config.stage_totals),
            sampler: TailSampler::new(config.sampler, handle.is_some()),
            write_ahead: handle.map(WriteAhead::new),
            deliveries,
            commands: config.commands,
            attempts: JoinSet::new(),
            flushes: Vec::new(),
            flush_turn: None,
            shutdown: None,
            spool,
            refused: 0,
            refused_reported: 0,
            refused_warning: RateLimitedWarning::default(),
            unread: Dropped::default(),
            dispatching: 0,
            all_was_read: false,
            lost_answered: 0,
            published: config.published,
            clock: Calibration::begin(),
        };
        worker.publish_stats();
        worker
    }

    /// Returns the current counts.
    pub(super) fn stats(&self) -> Stats {
        Stats {
            sinks: self.deliveries.iter().map(SinkDelivery::stats).collect(),
            filtered: self.assembler.filtered(),
            sampled_out: self.sampler.left_out(),
            held: self.sampler.held(),
            dropped: Dropped(self.queue.dropped()).plus(self.unread),
            rule_panics: self.sanitizer.rule_panics(),
            forked: false,
        }
    }

    /// Returns the number of records and metrics that all sinks have lost so far.
    pub(super) fn lost(&self) -> u64 {
        self.deliveries.iter().map(SinkDelivery::lost).sum()
    }

    /// Publishes the current counts.
    pub(super) fn publish_stats(&self) {
        self.published.publish(self.stats());
    }
}

/// The deliveries, and the state that they share.
struct Deliveries {
    /// All deliveries; the console's comes first if there is one.
    all: Vec<SinkDelivery>,
    /// The records that at least one of them takes.
    filter: RecordFilter,
    spool: Option<SpoolThread>,
}

/// Creates a delivery for each sink, and starts the spool that they share. The console is not
/// spooled, because late output on a console is useless.
fn start_deliveries(config: &mut WorkerConfig) -> Deliveries {
    let (filters, filter) = (config.filters(), config.filter());
    let (console, sinks) = (config.console.take(), std::mem::take(&mut config.sinks));
    let (memory_limits, origin) = (config.memory_limits, &config.origin);
    let all = || console.iter().chain(&sinks);
    let names = console.iter().map(|_| None).chain(sinks.iter().map(|sink| Some(sink.name.clone()))).collect();
    let batch_limits = all().map(|sink| sink.limits).collect();
    let narrower: Vec<_> = filters.iter().map(|of_sink| Some(*of_sink).filter(|of_sink| *of_sink != filter)).collect();
    let is_durable = config.spool.as_ref().is_some_and(|settings| settings.is_durable);
    let spool = config.spool.take().and_then(|SpoolSettings { folder, limits, .. }| {
        let (sender, events) = tokio::sync::mpsc::unbounded_channel();
        let sampler = config.sampler;
        let config = SpoolConfig { folder, limits, sinks: names, batch_limits, filters, sampler, events: sender };
        Some(SpoolThread { handle: spool::start(config)?, events, is_open: false })
    });
    let has_console = console.is_some();
    let link = |index: usize| {
        let spool = spool.as_ref().filter(|_| !(has_console && index == 0))?;
        Some(SpoolLink { spool: spool.handle.clone(), sink_index: index, is_durable })
    };
    let deliver =
        |(index, (sink, filter))| SinkDelivery::new(sink, filter, memory_limits, link(index), Arc::clone(origin));
    let all = console.into_iter().chain(sinks).zip(narrower).enumerate().map(deliver).collect();
    Deliveries { all, filter, spool }
}
