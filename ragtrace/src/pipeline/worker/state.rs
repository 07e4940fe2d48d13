//! The state of the worker, and the account that it gives.

use std::sync::{Arc, Mutex, PoisonError};

use ragtrace_core::Level;
use ragtrace_core::queue::{Consumer, Queue, Requests};
use ragtrace_core::time::Calibration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use super::config::{Command, SpoolSettings, WorkerConfig};
use super::pending::{PendingFlush, PendingShutdown};
use crate::pipeline::delivery::{SinkDelivery, SpoolLink};
use crate::pipeline::intake::{Assembler, Sanitizer};
use crate::pipeline::report::{Dropped, StageCounts, Stats};
use crate::pipeline::sampling::{TailSampler, WriteAhead};
use crate::record::Origin;
use crate::sink::{Delivered, Sink, SinkError};
use crate::spool::{self, SpoolConfig, SpoolEvent, SpoolHandle};
use crate::warning::RateLimitedWarning;

pub(super) struct Worker {
    pub(super) queue: Arc<Queue>,
    pub(super) origin: Arc<Origin>,
    pub(super) level: Level,
    pub(super) consumers: Vec<Consumer>,
    /// Whether a chain has more than the slices that were read of it.
    pub(super) is_behind: bool,
    pub(super) requests: Requests,
    pub(super) assembler: Assembler,
    pub(super) sanitizer: Sanitizer,
    pub(super) stage_counts: StageCounts,
    pub(super) sampler: TailSampler,
    /// `None` where what is held need not be durable.
    pub(super) write_ahead: Option<WriteAhead>,
    pub(super) deliveries: Vec<SinkDelivery>,
    pub(super) commands: UnboundedReceiver<Command>,
    pub(super) attempts: JoinSet<AttemptAnswer>,
    pub(super) flushes: Vec<PendingFlush>,
    pub(super) shutdown: Option<PendingShutdown>,
    pub(super) spool: Option<SpoolThread>,
    /// Records that the full queue had refused at the last look, and those of them that were
    /// reported.
    pub(super) refused: u64,
    pub(super) refused_reported: u64,
    pub(super) refused_warning: RateLimitedWarning,
    published: Arc<Mutex<Stats>>,
    pub(super) clock: Calibration,
}

/// The spool's thread, as the worker sees it.
pub(super) struct SpoolThread {
    pub(super) handle: SpoolHandle,
    pub(super) events: UnboundedReceiver<SpoolEvent>,
    /// Whether what earlier processes left is known.
    pub(super) is_open: bool,
}

/// A sink's answer to a batch, and which delivery it is for.
pub(super) struct AttemptAnswer {
    pub(super) delivery: usize,
    pub(super) ticket: u64,
    pub(super) result: Result<Delivered, SinkError>,
}

impl Worker {
    pub(super) fn new(mut config: WorkerConfig) -> Self {
        let is_durable = config.spool.as_ref().is_some_and(|settings| settings.is_durable);
        let (deliveries, spool) = start_deliveries(&mut config);
        let is_written_ahead = is_durable && config.sampler.holds_traces();
        let handle = spool.as_ref().filter(|_| is_written_ahead).map(|spool| spool.handle.clone());
        let worker = Self {
            queue: config.queue,
            origin: Arc::clone(&config.origin),
            level: config.level,
            consumers: Vec::new(),
            is_behind: false,
            requests: Requests::default(),
            assembler: Assembler::new(config.origin, config.level),
            sanitizer: config.sanitizer,
            stage_counts: StageCounts::new(config.stage_totals),
            sampler: TailSampler::new(config.sampler, handle.is_some()),
            write_ahead: handle.map(WriteAhead::new),
            deliveries,
            commands: config.commands,
            attempts: JoinSet::new(),
            flushes: Vec::new(),
            shutdown: None,
            spool,
            refused: 0,
            refused_reported: 0,
            refused_warning: RateLimitedWarning::default(),
            published: config.published,
            clock: Calibration::begin(),
        };
        worker.publish_stats();
        worker
    }

    /// Returns the account at this moment.
    pub(super) fn stats(&self) -> Stats {
        Stats {
            sinks: self.deliveries.iter().map(|delivery| delivery.account().clone()).collect(),
            filtered: self.assembler.filtered(),
            sampled_out: self.sampler.left_out(),
            held: self.sampler.held(),
            dropped: Dropped(self.queue.dropped()),
        }
    }

    /// Keeps the account for whoever asks.
    pub(super) fn publish_stats(&self) {
        let stats = self.stats();
        *self.published.lock().unwrap_or_else(PoisonError::into_inner) = stats;
    }
}

/// Makes a delivery for each sink, and starts the spool that they share. The console has nothing on
/// disk: what it did not show is old.
fn start_deliveries(config: &mut WorkerConfig) -> (Vec<SinkDelivery>, Option<SpoolThread>) {
    let (console, sinks) = (config.console.take(), std::mem::take(&mut config.sinks));
    let (memory_limits, origin) = (config.memory_limits, &config.origin);
    let mut names: Vec<Option<String>> = console.iter().map(|_| None).collect();
    for sink in &sinks {
        // Two sinks of one name are kept apart by their order.
        let same = names.iter().flatten().filter(|name| name.split('#').next() == Some(sink.name())).count();
        names.push(Some(if same == 0 { sink.name().to_owned() } else { format!("{}#{}", sink.name(), same + 1) }));
    }
    let batch_limits = console.iter().chain(&sinks).map(Sink::limits).collect();
    let is_durable = config.spool.as_ref().is_some_and(|settings| settings.is_durable);
    let spool = config.spool.take().and_then(|SpoolSettings { folder, limits, .. }| {
        let (sender, events) = tokio::sync::mpsc::unbounded_channel();
        let sampler = config.sampler;
        let config = SpoolConfig { folder, limits, sinks: names, batch_limits, sampler, events: sender };
        Some(SpoolThread { handle: spool::start(config)?, events, is_open: false })
    });
    let link = |sink_index: usize| {
        spool.as_ref().map(|spool| SpoolLink { spool: spool.handle.clone(), sink_index, is_durable })
    };
    let of_console = console.map(|console| SinkDelivery::new(console, memory_limits, None, Arc::clone(origin)));
    let first = usize::from(of_console.is_some());
    let of_sinks = (first..)
        .zip(sinks)
        .map(|(index, sink)| SinkDelivery::new(sink, memory_limits, link(index), Arc::clone(origin)));
    let deliveries: Vec<_> = of_console.into_iter().chain(of_sinks).collect();
    (deliveries, spool)
}
