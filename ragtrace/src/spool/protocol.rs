//! The commands that the worker sends to the spool's thread, and the events that come back.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};

use ragtrace_core::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use super::dead_letter::DeadLetter;
use super::limits::SpoolLimits;
use crate::TraceId;
use crate::record::{Record, RecordFilter};
use crate::sample::Sampler;
use crate::sink::{Batch, BatchLimits};

/// The configuration that a spool starts with.
#[derive(Debug)]
pub(crate) struct SpoolConfig {
    pub(crate) folder: PathBuf,
    pub(crate) limits: SpoolLimits,
    /// The names under which batches are stored, by the index of the sink; `None` for a sink
    /// without a spool.
    pub(crate) sinks: Vec<Option<String>>,
    /// The limits of a batch, by the index of the sink.
    pub(crate) batch_limits: Vec<BatchLimits>,
    /// The filters of the sinks, by index.
    pub(crate) filters: Vec<RecordFilter>,
    /// Decides about traces that an ended process had not decided.
    pub(crate) sampler: Sampler,
    pub(crate) events: UnboundedSender<SpoolEvent>,
}

/// The key of a stored batch, unique in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredKey(pub(super) u64);

/// A batch that was read back.
#[derive(Debug)]
pub(crate) struct StoredBatch {
    pub(crate) key: StoredKey,
    pub(crate) batch: Batch,
}

/// A batch of records that were undecided and are kept.
#[derive(Debug)]
pub(crate) struct KeptBatch {
    pub(crate) sink_index: usize,
    pub(crate) ticket: u64,
    pub(crate) batch: Batch,
}

/// A command to the spool. The `ticket` is returned with the event that answers it.
#[derive(Debug)]
pub(crate) enum SpoolCommand {
    /// Stores a batch. With `in_memory`, the delivery keeps it too, and it is neither loaded nor
    /// dropped.
    Store { sink_index: usize, ticket: u64, batch: Batch, in_memory: bool },
    /// Replaces a batch that is in memory by its parts.
    Split { sink_index: usize, ticket: u64, parent: StoredKey, parts: Vec<Batch> },
    /// Removes a finished batch.
    Remove { sink_index: usize, key: StoredKey },
    /// Notes that a batch with this number of records is no longer in memory.
    Unload { sink_index: usize, key: StoredKey, records: u64 },
    /// Reads batches back, oldest first, until they have this many bytes. They count as in memory
    /// from then on.
    Load { sink_index: usize, bytes: u64 },
    /// Writes dead letters.
    WriteDeadLetters { sink_index: usize, letters: Vec<DeadLetter> },
    /// Stores records of traces that the sampler has not decided.
    WriteUndecided { ticket: u64, traces: Vec<(TraceId, Vec<Record>)> },
    /// Removes the undecided records of these traces. Those that are kept are in `batches`, which
    /// are stored in the same transaction and stay in memory.
    Decide { traces: Vec<TraceId>, batches: Vec<KeptBatch> },
    /// Ends the thread, and reports when it has ended its work.
    Close { done: tokio::sync::oneshot::Sender<()> },
    /// Panics, which no other command should do.
    #[cfg(test)]
    Panic,
}

/// An event of the spool.
#[derive(Debug)]
pub(crate) enum SpoolEvent {
    /// The batches of earlier processes have been recovered, as far as the disk allowed, and no
    /// more will follow.
    Opened,
    /// Undecided records were written, or the reason why not.
    UndecidedWritten { ticket: u64, written: Result<(), String> },
    /// Undecided records that were on disk were lost.
    UndecidedLost,
    /// Records of an ended process that were undecided, and are not kept.
    SampledOut { records: u64 },
    /// Batches that an earlier process left for a sink.
    Recovered { sink_index: usize, batches: u64, records: u64 },
    /// The batch is on disk, or the reason why not.
    Stored { sink_index: usize, ticket: u64, key: Result<StoredKey, String> },
    /// The parts are on disk in place of their parent, or the reason why not.
    Split { sink_index: usize, ticket: u64, keys: Result<Vec<StoredKey>, String> },
    /// Batches that were read back; empty if there are none or the disk failed.
    Loaded { sink_index: usize, batches: Vec<StoredBatch> },
    /// Batches that were only on disk were dropped.
    Dropped { sink_index: usize, batches: u64, records: u64, why: String },
    /// The time at which the oldest of all stored batches was stored, or `None` if there are none
    /// left.
    Oldest { sink_index: usize, stored_at: Option<Timestamp> },
    /// Batches that are in memory are no longer on disk.
    Lost { sink_index: usize, keys: Vec<StoredKey> },
    /// Dead letters could not be written.
    DeadLettersFailed { sink_index: usize, records: u64, why: String },
}

impl SpoolEvent {
    /// Returns the index of the sink that the event is for, if it is for one.
    pub(crate) fn sink_index(&self) -> Option<usize> {
        match self {
            Self::Opened | Self::UndecidedWritten { .. } | Self::UndecidedLost | Self::SampledOut { .. } => None,
            Self::Recovered { sink_index, .. }
            | Self::Stored { sink_index, .. }
            | Self::Split { sink_index, .. }
            | Self::Loaded { sink_index, .. }
            | Self::Dropped { sink_index, .. }
            | Self::Oldest { sink_index, .. }
            | Self::Lost { sink_index, .. }
            | Self::DeadLettersFailed { sink_index, .. } => Some(*sink_index),
        }
    }
}

/// Sends commands to the spool's thread.
#[derive(Clone, Debug)]
pub(crate) struct SpoolHandle(Sender<SpoolCommand>);

impl SpoolHandle {
    /// Creates a handle, and the receiver of its commands.
    pub(crate) fn channel() -> (Self, Receiver<SpoolCommand>) {
        let (sender, receiver) = channel();
        (Self(sender), receiver)
    }

    /// Sends a command without waiting, and returns `false` if the thread has ended.
    pub(crate) fn send(&self, command: SpoolCommand) -> bool {
        self.0.send(command).is_ok()
    }
}

#[cfg(test)]
impl StoredKey {
    /// Returns a key that no file has.
    pub(crate) fn for_test(number: u64) -> Self {
        Self(number)
    }
}
