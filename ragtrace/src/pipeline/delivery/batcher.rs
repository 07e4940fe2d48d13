//! Gathers records into batches, with the counts of meanwhile.

use std::sync::Arc;
use std::time::Instant;

use ragtrace_core::Timestamp;
use uuid::Uuid;

use crate::metrics::{RequestMetric, StageMinute};
use crate::record::{Origin, Record};
use crate::sink::{Batch, BatchLimits};

/// Takes what is in `list`, and leaves one with room for half as much: one batch is much like the
/// other.
fn take_list<T>(list: &mut Vec<T>) -> Vec<T> {
    let room = list.len() / 2;
    std::mem::replace(list, Vec::with_capacity(room))
}

/// The batch that is being filled.
#[derive(Debug)]
pub(super) struct Batcher {
    origin: Arc<Origin>,
    limits: BatchLimits,
    records: Vec<Record>,
    requests: Vec<RequestMetric>,
    minutes: Vec<StageMinute>,
    sizes: BatchSizes,
    since: Option<Instant>,
}

/// The size of records, as estimates in bytes: of their canonical JSON, and of memory.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BatchSizes {
    pub(super) json: usize,
    pub(super) memory: usize,
}

impl BatchSizes {
    pub(super) fn of(records: &[Record]) -> Self {
        let mut sizes = Self::default();
        for record in records {
            sizes.add(Self::of_one(record));
        }
        sizes
    }

    fn of_one(record: &Record) -> Self {
        Self { json: record.size_estimate(), memory: record.memory_estimate() }
    }

    fn add(&mut self, other: Self) {
        self.json += other.json;
        self.memory += other.memory;
    }
}

impl Batcher {
    pub(super) fn new(origin: Arc<Origin>, limits: BatchLimits) -> Self {
        let (records, requests, minutes) = (Vec::new(), Vec::new(), Vec::new());
        Self { origin, limits, records, requests, minutes, sizes: BatchSizes::default(), since: None }
    }

    /// Returns an empty one for the same sink.
    pub(super) fn empty_copy(&self) -> Self {
        Self::new(Arc::clone(&self.origin), self.limits)
    }

    /// Adds a record, and returns the batch that it completes, or that had no room for it.
    pub(super) fn add(&mut self, record: Record, now: Instant) -> Option<Batch> {
        let sizes = BatchSizes::of_one(&record);
        let overflowing = !self.records.is_empty() && self.sizes.json + sizes.json > self.limits.bytes;
        let closed = if overflowing { self.close() } else { None };
        self.records.push(record);
        self.sizes.add(sizes);
        self.since.get_or_insert(now);
        // A record that overflows is never the one that fills the next batch too, unless a batch is
        // one record.
        let full = self.records.len() >= self.limits.records.max(1);
        closed.or_else(|| if full { self.close() } else { None })
    }

    /// Adds all of `records` at once, which take `sizes`, if none of them completes or overflows
    /// the batch; else they stay where they are.
    pub(super) fn add_all(&mut self, records: &mut Vec<Record>, sizes: BatchSizes, now: Instant) {
        let has_room = self.sizes.json + sizes.json <= self.limits.bytes;
        if has_room && self.records.len() + records.len() < self.limits.records && !records.is_empty() {
            self.records.append(records);
            self.sizes.add(sizes);
            self.since.get_or_insert(now);
        }
    }

    /// Adds counts, which go with the records.
    pub(super) fn add_metrics(
        &mut self,
        mut requests: Vec<RequestMetric>,
        mut minutes: Vec<StageMinute>,
        now: Instant,
    ) {
        if !requests.is_empty() || !minutes.is_empty() {
            self.requests.append(&mut requests);
            self.minutes.append(&mut minutes);
            self.since.get_or_insert(now);
        }
    }

    /// Closes the batch, unless it is empty.
    pub(super) fn close(&mut self) -> Option<Batch> {
        self.since.take()?;
        Some(self.close_even_if_empty())
    }

    /// Closes the batch, also if there is nothing in it: it says that the process lives.
    pub(super) fn close_even_if_empty(&mut self) -> Batch {
        self.since = None;
        let memory = std::mem::take(&mut self.sizes).memory;
        let minutes = std::mem::take(&mut self.minutes);
        let (requests, records) = (take_list(&mut self.requests), take_list(&mut self.records));
        let batch = Batch::with_memory(Uuid::now_v7(), records, memory).with_metrics(requests, minutes);
        batch.with_origin(Arc::clone(&self.origin), Timestamp::now())
    }

    /// Returns when the batch is old enough to be closed.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + self.limits.age)
    }
}
