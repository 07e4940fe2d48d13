//! Records gather into batches, with what is counted meanwhile.

use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use crate::metrics::{RequestMetric, StageMinute};
use crate::record::{Origin, Record};
use crate::sink::{Batch, BatchLimits};
use crate::time::Timestamp;

/// The batch that is being filled.
#[derive(Debug)]
pub(super) struct Batcher {
    origin: Arc<Origin>,
    limits: BatchLimits,
    records: Vec<Record>,
    requests: Vec<RequestMetric>,
    minutes: Vec<StageMinute>,
    bytes: usize,
    since: Option<Instant>,
}

impl Batcher {
    pub(super) fn new(origin: Arc<Origin>, limits: BatchLimits) -> Self {
        let (records, requests, minutes) = (Vec::new(), Vec::new(), Vec::new());
        Self { origin, limits, records, requests, minutes, bytes: 0, since: None }
    }

    /// An empty one for the same sink.
    pub(super) fn another(&self) -> Self {
        Self::new(Arc::clone(&self.origin), self.limits)
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

    /// Adds counts, which go with the records.
    pub(super) fn add_metrics(&mut self, requests: &[RequestMetric], minutes: &[StageMinute], now: Instant) {
        if !requests.is_empty() || !minutes.is_empty() {
            self.requests.extend_from_slice(requests);
            self.minutes.extend_from_slice(minutes);
            self.since.get_or_insert(now);
        }
    }

    /// Closes the batch, unless it is empty.
    pub(super) fn close(&mut self) -> Option<Batch> {
        self.since.take()?;
        Some(self.close_anyhow())
    }

    /// Closes the batch, also if there is nothing in it: it says that the process lives.
    pub(super) fn close_anyhow(&mut self) -> Batch {
        self.since = None;
        self.bytes = 0;
        let (requests, minutes) = (std::mem::take(&mut self.requests), std::mem::take(&mut self.minutes));
        let records = std::mem::take(&mut self.records);
        let batch = Batch::new(Uuid::now_v7(), records).with_metrics(requests, minutes);
        batch.with_origin(Arc::clone(&self.origin), Timestamp::now())
    }

    /// When the batch is old enough to be closed.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + self.limits.age)
    }
}
