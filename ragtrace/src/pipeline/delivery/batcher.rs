//! Gathering records and metrics into batches.

use std::sync::Arc;
use std::time::Instant;

use ragtrace_core::Timestamp;
use uuid::Uuid;

use crate::metrics::{RequestMetric, StageMinute};
use crate::record::{Origin, Record};
use crate::sink::{Batch, BatchLimits};

/// Takes the contents of `list`, and leaves an empty list with half of their number as its
/// capacity, because batches tend to have similar sizes.
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

/// Estimated sizes of records in bytes, in canonical JSON and in memory.
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

    /// Returns an empty batcher for the same sink.
    pub(super) fn empty_copy(&self) -> Self {
        Self::new(Arc::clone(&self.origin), self.limits)
    }

    /// Adds a record, and returns the batch that is full with it, or that had no room for it.
    pub(super) fn add(&mut self, record: Record, now: Instant) -> Option<Batch> {
        let sizes = BatchSizes::of_one(&record);
        let overflowing = !self.records.is_empty() && self.sizes.json + sizes.json > self.limits.bytes;
        let closed = if overflowing { self.close() } else { None };
        self.records.push(record);
        self.sizes.add(sizes);
        self.since.get_or_insert(now);
        // A record that overflows a batch does not fill the next one as well, unless batches have
        // only one record.
        let full = self.records.len() >= self.limits.records.max(1);
        closed.or_else(|| if full { self.close() } else { None })
    }

    /// Adds all `records`, whose size is `sizes`, if none of them fills the batch; otherwise leaves
    /// them in the list.
    pub(super) fn add_all(&mut self, records: &mut Vec<Record>, sizes: BatchSizes, now: Instant) {
        let has_room = self.sizes.json + sizes.json <= self.limits.bytes;
        if has_room && self.records.len() + records.len() < self.limits.records && !records.is_empty() {
            self.records.append(records);
            self.sizes.add(sizes);
            self.since.get_or_insert(now);
        }
    }

    /// Adds metrics to the batch.
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

    /// Closes the batch even if it is empty; an empty batch shows that the process is alive.
    pub(super) fn close_even_if_empty(&mut self) -> Batch {
        self.since = None;
        let memory = std::mem::take(&mut self.sizes).memory;
        let minutes = std::mem::take(&mut self.minutes);
        let (requests, records) = (take_list(&mut self.requests), take_list(&mut self.records));
        let batch = Batch::with_memory(Uuid::now_v7(), records, memory).with_metrics(requests, minutes);
        batch.with_origin(Arc::clone(&self.origin), Timestamp::now())
    }

    /// Returns the time at which the batch has reached its maximum age.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + self.limits.age)
    }
}
