//! The state of the delivery to one sink: its batches, their memory, and the counts.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use ragtrace_core::Timestamp;
use ragtrace_core::queue::QueueLimits;

use super::backoff::Backoff;
use super::batcher::Batcher;
use super::outgoing::{AwaitingDisk, OutgoingBatch, SpoolLink, SpooledBatches};
use crate::metrics::{RequestMetric, StageMinute};
use crate::pipeline::report::{SelfReport, SinkReporter, SinkStats};
use crate::record::{Origin, Record, RecordFilter};
use crate::sink::{Batch, BatchLimits, GuardedSink};

/// Records and metrics that the worker gives to every delivery.
#[derive(Clone, Default)]
pub(crate) struct DeliveryInput {
    pub(crate) records: Vec<Record>,
    pub(crate) requests: Vec<RequestMetric>,
    pub(crate) minutes: Vec<StageMinute>,
}

/// A batch of this process that is neither finished nor only on disk.
#[derive(Debug)]
pub(super) struct UnfinishedBatch {
    /// The number of unfinished parts.
    pub(super) parts: usize,
    closed_at: Option<Timestamp>,
}

/// A sink and all batches on their way to it.
pub(crate) struct SinkDelivery {
    pub(crate) sink: Arc<GuardedSink>,
    /// The records that the sink takes; `None` if it takes all that are made.
    pub(super) filter: Option<RecordFilter>,
    pub(super) batch_limits: BatchLimits,
    /// The limits of the records and bytes in memory.
    pub(super) memory_limits: QueueLimits,
    pub(super) batcher: Batcher,
    /// Batches of this process, which are sent before those of `backlog`.
    pub(super) ready: VecDeque<OutgoingBatch>,
    /// Batches that were read back from disk.
    pub(super) backlog: VecDeque<OutgoingBatch>,
    /// Batches that were handed out, by ticket.
    pub(super) in_flight: BTreeMap<u64, OutgoingBatch>,
    /// Batches that wait for an event of the spool, by ticket.
    pub(super) awaiting_disk: BTreeMap<u64, AwaitingDisk>,
    /// The unfinished batches, by number.
    pub(super) unfinished: BTreeMap<u64, UnfinishedBatch>,
    pub(super) next_number: u64,
    last_ticket: u64,
    /// The estimated memory of all batches in bytes.
    pub(super) memory: usize,
    pub(super) backoff: Backoff,
    /// The time until which nothing is sent.
    pub(super) not_before: Option<Instant>,
    /// The time at which the last batch was closed, or at which the delivery began.
    pub(super) last_batch: Option<Instant>,
    /// The time since which nothing has been delivered.
    pub(super) failing_since: Option<Instant>,
    /// The number of lone records refused since the last one that was accepted.
    pub(super) refused_in_a_row: usize,
    /// The number of batches of which some records were accepted.
    pub(super) taken: u64,
    /// A flush waits for the batches with numbers below this one.
    pub(super) wanted_below: u64,
    pub(super) is_closed: bool,
    pub(super) is_ending: bool,
    /// Set if the last error asked for an operator.
    pub(super) is_parked: bool,
    /// `None` if the sink has no spool.
    pub(super) spooled: Option<SpooledBatches>,
    /// The number of records that were refused for good but not written as dead letters, because
    /// there is no spool.
    pub(super) unwritten_letters: u64,
    pub(super) account: SinkStats,
    pub(super) reporter: SinkReporter,
}

impl SinkDelivery {
    pub(crate) fn new(
        sink: GuardedSink,
        filter: Option<RecordFilter>,
        memory_limits: QueueLimits,
        link: Option<SpoolLink>,
        origin: Arc<Origin>,
    ) -> Self {
        let batch_limits = sink.limits;
        let name = sink.name.clone();
        Self {
            sink: Arc::new(sink),
            filter,
            batch_limits,
            memory_limits,
            batcher: Batcher::new(origin, batch_limits),
            ready: VecDeque::new(),
            backlog: VecDeque::new(),
            in_flight: BTreeMap::new(),
            awaiting_disk: BTreeMap::new(),
            unfinished: BTreeMap::new(),
            next_number: 0,
            last_ticket: 0,
            memory: 0,
            backoff: Backoff::default(),
            not_before: None,
            last_batch: None,
            failing_since: None,
            refused_in_a_row: 0,
            taken: 0,
            wanted_below: 0,
            is_closed: false,
            is_ending: false,
            is_parked: false,
            spooled: link.map(SpooledBatches::new),
            unwritten_letters: 0,
            reporter: SinkReporter::new(name.clone()),
            account: SinkStats { name, ..SinkStats::default() },
        }
    }

    pub(crate) fn account(&self) -> &SinkStats {
        &self.account
    }

    /// Returns the counts, and the condition of the sink.
    pub(crate) fn stats(&self) -> SinkStats {
        let in_memory = self.unfinished.values().find_map(|batch| batch.closed_at);
        let on_disk = self.spooled.as_ref().and_then(|spooled| spooled.oldest);
        SinkStats {
            parked: self.is_parked,
            failing: self.failing_since.is_some(),
            oldest_waiting: in_memory.into_iter().chain(on_disk).min(),
            ..self.account.clone()
        }
    }

    /// Removes and returns the reports on this sink since the last call.
    pub(crate) fn take_self_reports(&mut self, now: Instant) -> Vec<SelfReport> {
        self.reporter.take(now)
    }

    /// Returns the index of the sink in the spool, if it has one.
    pub(crate) fn spool_index(&self) -> Option<usize> {
        self.spooled.as_ref().map(|spooled| spooled.link.sink_index)
    }

    /// Returns the number of records and metrics that are lost: neither delivered nor on disk.
    pub(crate) fn lost(&self) -> u64 {
        self.account.dropped + self.account.counts_dropped + self.unwritten_letters
    }

    /// Drops records, and reports the reason.
    pub(super) fn drop_records(&mut self, records: u64, why: &str) {
        if records > 0 {
            self.account.dropped += records;
            self.account.drop_reason = Some(why.to_owned());
            self.reporter.report_dropped(records, why);
        }
    }

    /// Drops metrics, and reports the reason.
    pub(super) fn drop_counts(&mut self, counts: usize, why: &str) {
        if counts > 0 {
            self.account.counts_dropped += counts as u64;
            self.account.drop_reason = Some(why.to_owned());
            self.reporter.report_counts_dropped(counts as u64, why);
        }
    }

    /// Drops a batch that is only in memory.
    pub(super) fn drop_batch(&mut self, outgoing: &OutgoingBatch, why: &str) {
        self.release_memory(outgoing);
        self.finish_part(outgoing);
        self.drop_records(outgoing.records(), why);
        self.drop_counts(outgoing.batch.counts(), why);
    }

    /// Returns `true` if every batch below `number` is finished: delivered, dead-lettered, dropped,
    /// or only on disk.
    pub(crate) fn is_finished_below(&self, number: u64) -> bool {
        self.unfinished.first_key_value().is_none_or(|(first, _)| *first >= number)
    }

    /// Returns `true` if every batch below `number` is finished or on disk.
    pub(crate) fn is_safe_below(&self, number: u64) -> bool {
        let is_wanted = |outgoing: &OutgoingBatch| outgoing.number.is_some_and(|n| n < number);
        let is_in_memory_alone = |outgoing: &OutgoingBatch| is_wanted(outgoing) && outgoing.key.is_none();
        let mut in_memory = self.ready.iter().chain(self.in_flight.values());
        !in_memory.any(is_in_memory_alone)
            && !self.awaiting_disk.values().any(|awaiting| is_wanted(awaiting.outgoing()))
    }

    /// Returns `true` if no batch remains that the sink could take now.
    pub(crate) fn is_drained(&self) -> bool {
        let is_stuck = self.is_closed || self.failing_since.is_some();
        let on_disk = self.spooled.as_ref().is_some_and(SpooledBatches::holds_any);
        is_stuck || (!on_disk && self.backlog.is_empty() && self.in_flight.is_empty())
    }

    /// Returns `true` if nothing can be finished before `deadline`, because the sink is tried again
    /// only later and there is no disk.
    pub(crate) fn is_idle_until(&self, deadline: Instant) -> bool {
        let is_asked = !self.in_flight.is_empty() || self.not_before.is_none_or(|time| time < deadline);
        self.spooled.is_none() && !is_asked
    }

    /// Returns `true` if an event of the spool is outstanding.
    pub(crate) fn waits_for_disk(&self) -> bool {
        !self.awaiting_disk.is_empty() || self.spooled.as_ref().is_some_and(|spooled| spooled.is_loading)
    }

    /// Returns `true` if there is no place for new records.
    pub(super) fn takes_nothing(&self) -> bool {
        self.is_closed && self.spooled.is_none()
    }

    /// Returns `true` if there is room for this many more records and this much more memory.
    pub(super) fn has_room(&self, records: usize, memory: usize) -> bool {
        let pending = usize::try_from(self.account.pending).unwrap_or(usize::MAX);
        pending.saturating_add(records) <= self.memory_limits.sink_records
            && self.memory + memory <= self.memory_limits.sink_bytes
    }

    /// Returns a ticket that no batch had before.
    pub(super) fn next_ticket(&mut self) -> u64 {
        self.last_ticket += 1;
        self.last_ticket
    }

    /// Gives a batch its number in the order of this process.
    pub(super) fn register(&mut self, batch: Batch) -> OutgoingBatch {
        self.last_batch = Some(Instant::now());
        let number = self.next_number;
        self.next_number += 1;
        // A heartbeat is worthless later, so its waiting means nothing.
        let closed_at = batch.closed_at().filter(|_| !batch.is_empty());
        self.unfinished.insert(number, UnfinishedBatch { parts: 1, closed_at });
        OutgoingBatch::new(Some(number), None, batch)
    }

    /// Subtracts the memory of a batch that has left it.
    pub(super) fn release_memory(&mut self, outgoing: &OutgoingBatch) {
        self.account.pending = self.account.pending.saturating_sub(outgoing.records());
        self.memory = self.memory.saturating_sub(outgoing.bytes);
    }

    /// Notes that one part of a batch is finished.
    pub(super) fn finish_part(&mut self, outgoing: &OutgoingBatch) {
        let Some(number) = outgoing.number else { return };
        if let Some(batch) = self.unfinished.get_mut(&number) {
            batch.parts -= 1;
            if batch.parts == 0 {
                self.unfinished.remove(&number);
            }
        }
    }

    /// Puts a batch before all others in its queue, live or backlog.
    pub(super) fn requeue_first(&mut self, outgoing: OutgoingBatch) {
        if outgoing.number.is_some() {
            self.ready.push_front(outgoing);
        } else {
            self.backlog.push_front(outgoing);
        }
    }

    /// Puts a batch behind all others in its queue, live or backlog.
    pub(super) fn requeue_last(&mut self, outgoing: OutgoingBatch) {
        if outgoing.number.is_some() {
            self.ready.push_back(outgoing);
        } else {
            self.backlog.push_back(outgoing);
        }
    }
}
