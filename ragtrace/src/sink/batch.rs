//! What is delivered at once, and when it is enough.

use std::sync::Arc;
use std::time::Duration;

use ragtrace_core::Timestamp;
use uuid::Uuid;

use crate::metrics::{RequestMetric, StageMinute};
use crate::record::{Origin, Record};

/// Limits at which a batch is closed, and on how many may be under way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchLimits {
    /// Records in a batch; at least 1.
    pub records: usize,
    /// Bytes in a batch, as an estimate of the records' canonical JSON.
    pub bytes: usize,
    /// The longest that a batch's first record waits.
    pub age: Duration,
    /// Batches under way at once; at least 1.
    pub in_flight: usize,
}

impl Default for BatchLimits {
    /// Returns limits of 1,000 records, 1 MiB, 1 second, and 1 batch under way.
    fn default() -> Self {
        Self { records: 1_000, bytes: 1 << 20, age: Duration::from_secs(1), in_flight: 1 }
    }
}

impl BatchLimits {
    /// Sets the number of records in a batch.
    pub fn with_records(mut self, records: usize) -> Self {
        self.records = records;
        self
    }

    /// Sets the number of bytes in a batch.
    pub fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets how long the first record of a batch waits for more.
    pub fn with_age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// Sets how many batches may be under way at once.
    pub fn with_in_flight(mut self, in_flight: usize) -> Self {
        self.in_flight = in_flight;
        self
    }
}

/// Records that travel together, and what was counted meanwhile. A clone shares them.
///
/// A batch without records carries counts alone, or nothing: it says that its process lives. A sink
/// that has no use for those answers [`Delivered::all`](super::Delivered::all).
#[derive(Clone, Debug)]
pub struct Batch {
    id: Uuid,
    records: Arc<Vec<Record>>,
    requests: Arc<Vec<RequestMetric>>,
    minutes: Arc<Vec<StageMinute>>,
    /// An estimate, in bytes, of what the records take.
    memory: usize,
    sent: Option<(Arc<Origin>, Timestamp)>,
}

impl Batch {
    /// Makes a batch of records, as the pipeline does and a sink's tests may. The id is the batch's
    /// own.
    pub fn new(id: Uuid, records: impl Into<Vec<Record>>) -> Self {
        let records: Vec<_> = records.into();
        let memory = records.iter().map(Record::memory_estimate).sum();
        Self::with_memory(id, records, memory)
    }

    /// Makes a batch of records that are known to take so much memory.
    pub(crate) fn with_memory(id: Uuid, records: Vec<Record>, memory: usize) -> Self {
        let records = Arc::new(records);
        Self { id, records, requests: Arc::default(), minutes: Arc::default(), memory, sent: None }
    }

    /// Sets the counts that go with the records.
    pub fn with_metrics(mut self, requests: Vec<RequestMetric>, minutes: Vec<StageMinute>) -> Self {
        self.requests = Arc::new(requests);
        self.minutes = Arc::new(minutes);
        self
    }

    /// Sets the process that the batch is from, and the time at which that closed it.
    pub fn with_origin(mut self, origin: impl Into<Arc<Origin>>, closed_at: Timestamp) -> Self {
        self.sent = Some((origin.into(), closed_at));
        self
    }

    /// Returns the batch's id, which is the same over every attempt to deliver it.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Returns the records, in the order they were accepted.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Returns the requests that finished, also those whose records the level hides.
    pub fn requests(&self) -> &[RequestMetric] {
        &self.requests
    }

    /// Returns counts of stages by the minute, to be added to what is stored for the same minute,
    /// instance and tenant.
    pub fn minutes(&self) -> &[StageMinute] {
        &self.minutes
    }

    /// Returns true if there is neither a record nor a count in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.requests.is_empty() && self.minutes.is_empty()
    }

    /// Estimates how many bytes of memory it takes.
    pub(crate) fn memory_estimate(&self) -> usize {
        self.memory + self.requests.len() * RequestMetric::MEMORY + self.minutes.len() * StageMinute::MEMORY
    }

    /// Returns the process that closed the batch, whose counts these are. Its records may be of
    /// other processes.
    pub fn origin(&self) -> Option<&Origin> {
        self.sent.as_ref().map(|(origin, _)| &**origin)
    }

    /// Returns when the batch was closed: its process lived then.
    pub fn closed_at(&self) -> Option<Timestamp> {
        self.sent.as_ref().map(|(_, at)| *at)
    }

    /// Returns the two halves of a batch of at least two records. Their ids follow from its id, so
    /// they are the same whenever it is split (UUID version 5 of the parent and the range). The
    /// first half has the counts.
    pub(crate) fn halve(&self) -> [Self; 2] {
        let middle = self.records.len() / 2;
        let half = |from: usize, to: usize| {
            let id = Uuid::new_v5(&self.id, format!("{from}..{to}").as_bytes());
            Self { sent: self.sent.clone(), ..Self::new(id, &self.records[from..to]) }
        };
        let first =
            Self { requests: Arc::clone(&self.requests), minutes: Arc::clone(&self.minutes), ..half(0, middle) };
        [first, half(middle, self.records.len())]
    }
}
