//! The configuration of a worker, and the commands that it accepts while it runs.

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

/// The configuration that a worker starts with.
pub(crate) struct WorkerConfig {
    pub(crate) queue: Arc<Queue>,
    pub(crate) origin: Arc<Origin>,
    /// The levels of sinks without a level of their own.
    pub(crate) levels: LevelFilter,
    pub(crate) console: Option<GuardedSink>,
    pub(crate) sinks: Vec<GuardedSink>,
    /// The limits on the memory that waits for each sink.
    pub(crate) memory_limits: QueueLimits,
    pub(crate) spool: Option<SpoolSettings>,
    pub(crate) sanitizer: Sanitizer,
    pub(crate) sampler: Sampler,
    pub(crate) commands: UnboundedReceiver<Command>,
    /// The published counts.
    pub(crate) published: Published,
    pub(crate) stage_totals: StageTotals,
}

impl WorkerConfig {
    /// Returns the filter of each sink; the console's comes first if there is one.
    pub(crate) fn filters(&self) -> Vec<RecordFilter> {
        let filter_of = |sink: &GuardedSink| sink.needs.filter(sink.level.map_or(self.levels, LevelFilter::from));
        self.console.iter().chain(&self.sinks).map(filter_of).collect()
    }

    /// Returns a filter for all records that at least one sink takes. Without a sink, the builder's
    /// levels decide which records count as filtered.
    pub(crate) fn filter(&self) -> RecordFilter {
        self.filters().into_iter().reduce(RecordFilter::or).unwrap_or(RecordFilter::new(self.levels, false))
    }
}

/// The folder and limits of the spool.
#[derive(Debug)]
pub(crate) struct SpoolSettings {
    pub(crate) folder: PathBuf,
    pub(crate) limits: SpoolLimits,
    pub(crate) is_durable: bool,
}

/// A command to the worker.
pub(crate) enum Command {
    /// Delivers everything accepted so far, until `deadline`, and replies.
    Flush { deadline: Instant, reply: SyncSender<Report> },
    /// Delivers everything accepted so far, until `deadline`, then ends the worker and replies.
    Shutdown { deadline: Instant, reply: SyncSender<Report> },
    /// Panics, which no other command should do.
    #[cfg(test)]
    Panic,
    /// Makes the spool's thread panic.
    #[cfg(test)]
    PanicSpool,
}
