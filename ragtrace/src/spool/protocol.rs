//! The commands that the worker sends to the spool's thread, and the events that come back.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::mpsc::UnboundedSender;

use super::dead_letter::DeadLetter;
use super::limits::SpoolLimits;
use crate::TraceId;
use crate::record::{Record, RecordFilter};
use crate::sample::Sampler;
use crate::sink::{Batch, BatchLimits};

/// Everything that a spool needs to begin.
#[derive(Debug)]
pub(crate) struct SpoolConfig {
    pub(crate) folder: PathBuf,
    pub(crate) limits: SpoolLimits,
    /// The names under which batches are kept, by the index of the sink; `None` for a sink of which
    /// none are.
    pub(crate) sinks: Vec<Option<String>>,
    /// How large a batch may be, by the index of the sink.
    pub(crate) batch_limits: Vec<BatchLimits>,
    /// Which records each takes, by the index of the sink.
    pub(crate) filters: Vec<RecordFilter>,
    /// Decides over what the sampler of a process that is gone had not decided.
    pub(crate) sampler: Sampler,
    pub(crate) events: UnboundedSender<SpoolEvent>,
}

/// Names a stored batch, in this process.
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

/// A request to the spool. `ticket` comes back with the answer.
#[derive(Debug)]
pub(crate) enum SpoolCommand {
    /// Keep a batch. With `in_memory` its delivery has it, too, and it is neither loaded nor
    /// dropped.
    Store { sink_index: usize, ticket: u64, batch: Batch, in_memory: bool },
    /// Put the parts in the place of a batch that is in memory.
    Split { sink_index: usize, ticket: u64, parent: StoredKey, parts: Vec<Batch> },
    /// Remove a batch that is done with.
    Remove { sink_index: usize, key: StoredKey },
    /// Note that a batch of so many records is not in memory any more.
    Unload { sink_index: usize, key: StoredKey, records: u64 },
    /// Read batches back until they have so many bytes, the oldest first; they are in memory from
    /// then on.
    Load { sink_index: usize, bytes: u64 },
    /// Write down what a sink refused for good.
    WriteDeadLetters { sink_index: usize, letters: Vec<DeadLetter> },
    /// Keep records whose traces the sampler has not decided.
    WriteUndecided { ticket: u64, traces: Vec<(TraceId, Vec<Record>)> },
    /// Let go of the undecided records of these traces. Those of them that are kept come in
    /// `batches`, which are stored in the same transaction and stay in memory.
    Decide { traces: Vec<TraceId>, batches: Vec<KeptBatch> },
    /// Come to an end, and say so.
    Close { done: tokio::sync::oneshot::Sender<()> },
    /// Panic, as nothing should.
    #[cfg(test)]
    Panic,
}

/// An answer of the spool.
#[derive(Debug)]
pub(crate) enum SpoolEvent {
    /// What earlier processes left was looked at, if the disk allows it; nothing more comes of
    /// that.
    Opened,
    /// Undecided records are on disk, or why they are not.
    UndecidedWritten { ticket: u64, written: Result<(), String> },
    /// Undecided records that were on disk are not any more.
    UndecidedLost,
    /// A process that is gone had not decided over these records, and they are not kept.
    SampledOut { records: u64 },
    /// Batches that an earlier process left for a sink.
    Recovered { sink_index: usize, batches: u64, records: u64 },
    /// A batch is on disk, or why it is not.
    Stored { sink_index: usize, ticket: u64, key: Result<StoredKey, String> },
    /// Parts are on disk in the place of their parent, or why they are not.
    Split { sink_index: usize, ticket: u64, keys: Result<Vec<StoredKey>, String> },
    /// Batches that were read back: none, if there are none or the disk fails.
    Loaded { sink_index: usize, batches: Vec<StoredBatch> },
    /// Batches that were on disk alone were given up.
    Dropped { sink_index: usize, batches: u64, records: u64, why: String },
    /// Batches that are in memory are not on disk any more.
    Lost { sink_index: usize, keys: Vec<StoredKey> },
    /// Records could not be written down as dead letters.
    DeadLettersFailed { sink_index: usize, records: u64, why: String },
}

impl SpoolEvent {
    /// Returns the index of the sink that it is for, if it is for one.
    pub(crate) fn sink_index(&self) -> Option<usize> {
        match self {
            Self::Opened | Self::UndecidedWritten { .. } | Self::UndecidedLost | Self::SampledOut { .. } => None,
            Self::Recovered { sink_index, .. }
            | Self::Stored { sink_index, .. }
            | Self::Split { sink_index, .. }
            | Self::Loaded { sink_index, .. }
            | Self::Dropped { sink_index, .. }
            | Self::Lost { sink_index, .. }
            | Self::DeadLettersFailed { sink_index, .. } => Some(*sink_index),
        }
    }
}

/// Sends commands to the spool's thread.
#[derive(Clone, Debug)]
pub(crate) struct SpoolHandle(Sender<SpoolCommand>);

impl SpoolHandle {
    /// Makes a handle, and the end where its commands arrive.
    pub(crate) fn channel() -> (Self, Receiver<SpoolCommand>) {
        let (sender, receiver) = channel();
        (Self(sender), receiver)
    }

    /// Sends a command, without waiting, and returns whether the thread is there to do it.
    pub(crate) fn send(&self, command: SpoolCommand) -> bool {
        self.0.send(command).is_ok()
    }
}

#[cfg(test)]
impl StoredKey {
    /// Makes a key that no file knows.
    pub(crate) fn for_test(number: u64) -> Self {
        Self(number)
    }
}
