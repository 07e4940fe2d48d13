//! Records gather into batches, and batches come apart again.

use std::time::Instant;

use uuid::Uuid;

use crate::record::Record;
use crate::sink::{Batch, BatchLimits};

/// The batch that is being filled.
#[derive(Debug)]
pub(super) struct Batcher {
    limits: BatchLimits,
    records: Vec<Record>,
    bytes: usize,
    since: Option<Instant>,
}

impl Batcher {
    pub(super) fn new(limits: BatchLimits) -> Self {
        Self { limits, records: Vec::new(), bytes: 0, since: None }
    }

    /// Adds a record, and returns the batch that it completes, or that had no room for it.
    pub(super) fn add(&mut self, record: Record, now: Instant) -> Option<Batch> {
        let size = record.size_estimate();
        let overflowing = !self.records.is_empty() && self.bytes + size > self.limits.bytes;
        let closed = if overflowing { self.close() } else { None };
        self.records.push(record);
        self.bytes += size;
        self.since.get_or_insert(now);
        // A record that overflows is never the one that fills the next batch too, unless a batch is one record.
        let full = self.records.len() >= self.limits.records.max(1);
        closed.or_else(|| if full { self.close() } else { None })
    }

    /// Closes the batch, unless it is empty.
    pub(super) fn close(&mut self) -> Option<Batch> {
        let records = std::mem::take(&mut self.records);
        self.bytes = 0;
        self.since = None;
        (!records.is_empty()).then(|| Batch::new(Uuid::now_v7(), records))
    }

    /// When the batch is old enough to be closed.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + self.limits.age)
    }
}

/// The two halves of a batch of at least two records. Their ids follow from its id, so that they are the same whenever
/// it is split (UUID version 5 of the parent and the range).
pub(super) fn halve(batch: &Batch) -> [Batch; 2] {
    let records = batch.records();
    let middle = records.len() / 2;
    [(0, middle), (middle, records.len())].map(|(from, to)| {
        let id = Uuid::new_v5(&batch.id(), format!("{from}..{to}").as_bytes());
        Batch::new(id, &records[from..to])
    })
}
