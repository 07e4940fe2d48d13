//! A batch on its way to one sink, and its place on disk.

use std::time::Instant;

use crate::sink::Batch;
use crate::spool::{SpoolHandle, StoredKey};

/// A batch on its way.
#[derive(Clone, Debug)]
pub(super) struct OutgoingBatch {
    /// The batch's number in the order of this process; `None` for one that was finished by going
    /// to disk. The parts of a batch keep its number and finish together.
    pub(super) number: Option<u64>,
    /// Names the batch on disk, if it is there.
    pub(super) key: Option<StoredKey>,
    pub(super) batch: Batch,
    /// An estimate of the memory that it takes.
    pub(super) bytes: usize,
    /// How often the sink panicked over it.
    pub(super) panics: u32,
    /// How many batches the sink had taken something of when this one was kept though it was
    /// refused.
    pub(super) refused_after: Option<u64>,
}

impl OutgoingBatch {
    pub(super) fn new(number: Option<u64>, key: Option<StoredKey>, batch: Batch) -> Self {
        Self { number, key, bytes: batch.memory_estimate(), batch, panics: 0, refused_after: None }
    }

    pub(super) fn records(&self) -> u64 {
        self.batch.records().len() as u64
    }
}

/// A batch that waits for an answer of the spool.
pub(super) enum AwaitingDisk {
    /// It is being stored; with `in_memory` it stays in memory, too.
    Store { outgoing: OutgoingBatch, in_memory: bool },
    /// Its parts are being stored in its place.
    Split { outgoing: OutgoingBatch, parts: Vec<OutgoingBatch> },
}

impl AwaitingDisk {
    pub(super) fn outgoing(&self) -> &OutgoingBatch {
        match self {
            Self::Store { outgoing, .. } | Self::Split { outgoing, .. } => outgoing,
        }
    }

    pub(super) fn into_outgoing(self) -> OutgoingBatch {
        match self {
            Self::Store { outgoing, .. } | Self::Split { outgoing, .. } => outgoing,
        }
    }

    pub(super) fn outgoing_mut(&mut self) -> &mut OutgoingBatch {
        match self {
            Self::Store { outgoing, .. } | Self::Split { outgoing, .. } => outgoing,
        }
    }
}

/// Connects a delivery to the spool.
pub(crate) struct SpoolLink {
    pub(crate) spool: SpoolHandle,
    /// The number by which the spool knows the sink.
    pub(crate) sink_index: usize,
    /// Whether batches are on disk before they are sent.
    pub(crate) is_durable: bool,
}

/// The batches of a delivery that are on disk, as far as it keeps count of them.
pub(super) struct SpooledBatches {
    pub(super) link: SpoolLink,
    /// Batches that are on disk alone.
    pub(super) batches: u64,
    pub(super) is_loading: bool,
    /// Nothing is read or stored before.
    pub(super) not_before: Option<Instant>,
}

impl SpooledBatches {
    pub(super) fn new(link: SpoolLink) -> Self {
        Self { link, batches: 0, is_loading: false, not_before: None }
    }

    pub(super) fn is_durable(&self) -> bool {
        self.link.is_durable
    }

    pub(super) fn holds_any(&self) -> bool {
        self.batches > 0 || self.is_loading
    }

    pub(super) fn is_paused(&self, now: Instant) -> bool {
        self.not_before.is_some_and(|time| time > now)
    }
}
