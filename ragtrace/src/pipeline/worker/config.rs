//! The configuration of a worker, and the commands that it takes afterwards.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use ragtrace_core::queue::{Queue, QueueLimits};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::pipeline::intake::Sanitizer;
use crate::pipeline::report::{Published, Report, StageTotals};
use crate::record::{LevelFilter, Origin, RecordFilter};
use crate::sample::Sampler;
use crate::sink::GuardedSink;
use crate::spool::SpoolLimits;

/// Everything that a worker needs to begin.
pub(crate) struct WorkerConfig {
    pub(crate) queue: Arc<Queue>,
    pub(crate) origin: Arc<Origin>,
    /// The levels of sinks without one of their own.
    pub(crate) levels: LevelFilter,
    pub(crate) console: Option<GuardedSink>,
    pub(crate) sinks: Vec<GuardedSink>,
    /// How much may wait in memory for each sink.
    pub(crate) memory_limits: QueueLimits,
    pub(crate) spool: Option<SpoolSettings>,
    pub(crate) sanitizer: Sanitizer,
    pub(crate) sampler: Sampler,
    pub(crate) commands: UnboundedReceiver<Command>,
    /// Where the account is kept for whoever asks.
    pub(crate) published: Published,
    pub(crate) stage_totals: StageTotals,
}

impl WorkerConfig {
    /// Returns what each sink takes, the console's first if there is one.
    pub(crate) fn filters(&self) -> Vec<RecordFilter> {
        let filter_of = |sink: &GuardedSink| sink.needs.filter(sink.level.map_or(self.levels, LevelFilter::from));
        self.console.iter().chain(&self.sinks).map(filter_of).collect()
    }

    /// Returns what at least one sink takes. Without a sink the builder's levels say what counts as
    /// filtered.
    pub(crate) fn filter(&self) -> RecordFilter {
        self.filters().into_iter().reduce(RecordFilter::or).unwrap_or(RecordFilter::new(self.levels, false))
    }
}

/// Where what cannot be delivered is kept.
#[derive(Debug)]
pub(crate) struct SpoolSettings {
    pub(crate) folder: PathBuf,
    pub(crate) limits: SpoolLimits,
    pub(crate) is_durable: bool,
}

/// A request to the worker.
pub(crate) enum Command {
    /// Deliver what was accepted so far, until `deadline`, and answer.
    Flush { deadline: Instant, reply: SyncSender<Report> },
    /// The same, and then come to an end.
    Shutdown { deadline: Instant, reply: SyncSender<Report> },
    /// Panic, as nothing should.
    #[cfg(test)]
    Panic,
    /// Have the spool's thread panic.
    #[cfg(test)]
    PanicSpool,
}
