//! A batch on its way to one sink, and its place on disk.

use std::time::Instant;

use ragtrace_core::Timestamp;

use crate::sink::Batch;
use crate::spool::{SpoolHandle, StoredKey};

/// A batch on its way to the sink.
#[derive(Clone, Debug)]
pub(super) struct OutgoingBatch {
    /// The number of the batch in the order of this process; `None` once it is only on disk and
    /// counts as finished. The parts of a batch keep its number, and it is finished when all of
    /// them are.
    pub(super) number: Option<u64>,
    /// The key of the batch on disk, if it is there.
    pub(super) key: Option<StoredKey>,
    pub(super) batch: Batch,
    /// The estimated memory of the batch in bytes.
    pub(super) bytes: usize,
    /// The number of panics of the sink over this batch.
    pub(super) panics: u32,
    /// The number of batches that the sink had accepted when this batch was kept although it was
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

/// A batch that waits for an event of the spool.
pub(super) enum AwaitingDisk {
    /// The batch is being stored; with `in_memory`, it stays in memory too.
    Store { outgoing: OutgoingBatch, in_memory: bool },
    /// The parts are being stored in place of the batch.
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

/// The connection of a delivery to the spool.
pub(crate) struct SpoolLink {
    pub(crate) spool: SpoolHandle,
    /// The index of the sink in the spool.
    pub(crate) sink_index: usize,
    /// Set if batches are stored on disk before they are sent.
    pub(crate) is_durable: bool,
}

/// The batches of a delivery that are on disk, as far as the delivery counts them.
pub(super) struct SpooledBatches {
    pub(super) link: SpoolLink,
    /// The number of batches that are only on disk.
    pub(super) batches: u64,
    pub(super) is_loading: bool,
    /// The time until which nothing is read or stored.
    pub(super) not_before: Option<Instant>,
    /// The time at which the oldest batch on disk was stored.
    pub(super) oldest: Option<Timestamp>,
}

impl SpooledBatches {
    pub(super) fn new(link: SpoolLink) -> Self {
        Self { link, batches: 0, is_loading: false, not_before: None, oldest: None }
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
