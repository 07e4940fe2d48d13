//! The unit of delivery, and the limits at which it is closed.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use ragtrace_core::Timestamp;
use uuid::Uuid;

use crate::metrics::{RequestMetric, StageMinute};
use crate::record::{Origin, Record};

/// Limits at which a batch is closed, and on the number of batches in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchLimits {
    /// The maximum number of records in a batch; at least 1. Defaults to 1,000.
    pub records: usize,
    /// The maximum size of a batch in bytes, as an estimate of the records' canonical JSON.
    /// Defaults to 1 MiB.
    pub bytes: usize,
    /// The longest time that the first record of a batch waits for more. Defaults to 1 second.
    pub age: Duration,
    /// The maximum number of batches in delivery at the same time; at least 1. Defaults to 1.
    pub in_flight: usize,
}

impl Default for BatchLimits {
    /// Returns limits of 1,000 records, 1 MiB, 1 second, and 1 batch in flight.
    fn default() -> Self {
        Self { records: 1_000, bytes: 1 << 20, age: Duration::from_secs(1), in_flight: 1 }
    }
}

impl BatchLimits {
    /// Sets the maximum number of records in a batch.
    pub fn with_records(mut self, records: usize) -> Self {
        self.records = records;
        self
    }

    /// Sets the maximum size of a batch in bytes.
    pub fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets the longest time that the first record of a batch waits for more.
    pub fn with_age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// Sets how many batches may be in delivery at the same time.
    pub fn with_in_flight(mut self, in_flight: usize) -> Self {
        self.in_flight = in_flight;
        self
    }
}

/// Records that are delivered together, with the metrics that were counted meanwhile.
///
/// A clone is cheap and shares the records. A batch without records carries metrics only, or
/// nothing: after 30 seconds without a batch, an empty one shows that its process is alive. A sink
/// with no use for such batches returns [`Delivered::all`](super::Delivered::all).
#[derive(Clone, Debug)]
pub struct Batch {
    id: Uuid,
    records: Arc<Vec<Record>>,
    requests: Arc<Vec<RequestMetric>>,
    minutes: Arc<Vec<StageMinute>>,
    /// The estimated memory of the records, in bytes.
    memory: usize,
    sent: Option<(Arc<Origin>, Timestamp)>,
}

impl Batch {
    /// Creates a batch from an id of its own and records, as the pipeline does. It is public for
    /// the tests of sinks.
    pub fn new(id: Uuid, records: impl Into<Vec<Record>>) -> Self {
        let records: Vec<_> = records.into();
        let memory = records.iter().map(Record::memory_estimate).sum();
        Self::with_memory(id, records, memory)
    }

    /// Creates a batch from records whose memory is known.
    pub(crate) fn with_memory(id: Uuid, records: Vec<Record>, memory: usize) -> Self {
        let records = Arc::new(records);
        Self { id, records, requests: Arc::default(), minutes: Arc::default(), memory, sent: None }
    }

    /// Sets the metrics of finished requests and of stages that the batch carries.
    pub fn with_metrics(mut self, requests: Vec<RequestMetric>, minutes: Vec<StageMinute>) -> Self {
        self.requests = Arc::new(requests);
        self.minutes = Arc::new(minutes);
        self
    }

    /// Sets the process that closed the batch, and the time at which it did.
    pub fn with_origin(mut self, origin: impl Into<Arc<Origin>>, closed_at: Timestamp) -> Self {
        self.sent = Some((origin.into(), closed_at));
        self
    }

    /// Returns the id of the batch, which stays the same for every attempt to deliver it.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Returns the records, in the order in which they were accepted.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Returns the requests that finished, including those whose records the level excludes.
    pub fn requests(&self) -> &[RequestMetric] {
        &self.requests
    }

    /// Returns metrics of stages by the minute.
    ///
    /// Add them to the stored metrics of the same minute, stage, instance and tenant.
    pub fn minutes(&self) -> &[StageMinute] {
        &self.minutes
    }

    /// Returns `true` if the batch has neither records nor metrics.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.requests.is_empty() && self.minutes.is_empty()
    }

    /// Returns the number of metrics in the batch: finished requests and minutes of stages.
    pub(crate) fn counts(&self) -> usize {
        self.requests.len() + self.minutes.len()
    }

    /// Estimates the memory that the batch takes, in bytes.
    pub(crate) fn memory_estimate(&self) -> usize {
        self.memory + self.requests.len() * RequestMetric::MEMORY + self.minutes.len() * StageMinute::MEMORY
    }

    /// Returns the process that closed the batch and counted its metrics. The records may come from
    /// other processes.
    pub fn origin(&self) -> Option<&Origin> {
        self.sent.as_ref().map(|(origin, _)| &**origin)
    }

    /// Returns the time at which the batch was closed. Its process was alive then.
    pub fn closed_at(&self) -> Option<Timestamp> {
        self.sent.as_ref().map(|(_, at)| *at)
    }

    /// Returns the two or more parts that the batch is split into, or none if it has only one
    /// record or one metric. The id of a part is derived from the batch's id and the range (UUID
    /// version 5), so it is the same whenever the batch is split.
    ///
    /// Metrics never share a part with records, which may be refused: the metrics of a batch with
    /// records become a part of their own, the last one. A batch of metrics alone is halved like
    /// one of records.
    pub(crate) fn split(&self) -> Vec<Self> {
        let (records, counts) = (self.records.len(), self.counts());
        let mut parts: Vec<_> = halves(records).map(|range| self.records_part(range)).collect();
        if records > 0 && counts > 0 {
            parts.push(self.counts_part("counts", 0..counts));
        } else if counts > 0 {
            parts.extend(halves(counts).map(|range| {
                let name = format!("counts {}..{}", range.start, range.end);
                self.counts_part(&name, range)
            }));
        }
        if parts.len() > 1 { parts } else { Vec::new() }
    }

    fn records_part(&self, range: Range<usize>) -> Self {
        let id = Uuid::new_v5(&self.id, format!("{}..{}", range.start, range.end).as_bytes());
        Self { sent: self.sent.clone(), ..Self::new(id, &self.records[range]) }
    }

    /// Returns a part with a range of the metrics, in which minutes come before requests.
    fn counts_part(&self, name: &str, range: Range<usize>) -> Self {
        let first_request = self.minutes.len();
        let of_minutes = range.start.min(first_request)..range.end.min(first_request);
        let of_requests = range.start.saturating_sub(first_request)..range.end.saturating_sub(first_request);
        let part = Self::new(Uuid::new_v5(&self.id, name.as_bytes()), Vec::new())
            .with_metrics(self.requests[of_requests].to_vec(), self.minutes[of_minutes].to_vec());
        Self { sent: self.sent.clone(), ..part }
    }
}

/// Returns the halves of `number` items as ranges, leaving out empty ones.
fn halves(number: usize) -> impl Iterator<Item = Range<usize>> {
    let middle = number / 2;
    [0..middle, middle..number].into_iter().filter(|range| !range.is_empty())
}

#[cfg(test)]
mod tests {
    use ragtrace_core::StageKind;

    use super::*;
    use crate::metrics::DurationSketch;

    fn minute(stage: &'static str) -> StageMinute {
        StageMinute {
            minute: Timestamp::from_micros(0),
            stage: stage.into(),
            kind: StageKind::Task,
            tenant_id: None,
            completed: 1,
            failed: 0,
            cancelled: 0,
            items: 0,
            cost_usd: 0.0,
            total: 1,
            durations: DurationSketch::new(),
        }
    }

    fn records(number: usize) -> Vec<Record> {
        let record = || {
            let json = format!(
                r#"{{"id":"{}","timestamp":"2026-11-22T08:20:11Z","level":"INFO","logger":"app","message":"m","event":"log","instance":"{}"}}"#,
                Uuid::new_v4(),
                Uuid::nil()
            );
            Record::from_json(&json).expect("a record")
        };
        (0..number).map(|_| record()).collect()
    }

    fn batch(number: usize, stages: &[&'static str]) -> Batch {
        Batch::new(Uuid::new_v4(), records(number))
            .with_metrics(Vec::new(), stages.iter().map(|stage| minute(stage)).collect())
    }

    fn sizes(batch: &Batch) -> Vec<(usize, usize)> {
        batch.split().iter().map(|part| (part.records().len(), part.counts())).collect()
    }

    #[test]
    fn counts_become_a_part_of_their_own_and_ride_on_no_record() {
        assert_eq!(sizes(&batch(5, &["a", "b"])), [(2, 0), (3, 0), (0, 2)]);
        assert_eq!(sizes(&batch(1, &["a"])), [(1, 0), (0, 1)]);
        assert_eq!(sizes(&batch(2, &[])), [(1, 0), (1, 0)]);
        assert_eq!(sizes(&batch(0, &["a", "b", "c"])), [(0, 1), (0, 2)]);
        assert!([batch(1, &[]), batch(0, &["a"]), batch(0, &[])].iter().all(|lone| lone.split().is_empty()));
    }

    #[test]
    fn parts_have_ids_that_follow_from_the_batch_and_are_all_different() {
        let whole = batch(4, &["a", "b", "c", "d"]);
        let ids_of =
            |batch: &Batch| -> Vec<_> { batch.split().iter().flat_map(Batch::split).map(|b| b.id()).collect() };
        let ids = ids_of(&whole);
        assert_eq!((ids.len(), ids_of(&whole)), (6, ids.clone()));
        assert!(ids.iter().enumerate().all(|(at, id)| !ids[..at].contains(id)));
        let memory: usize = whole.split().iter().map(Batch::memory_estimate).sum();
        assert_eq!(memory, whole.memory_estimate());
    }
}
