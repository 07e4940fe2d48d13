//! Accepting records and metrics into a delivery, as far as there is room.

use std::time::Instant;

use super::batcher::BatchSizes;
use super::outgoing::SpooledBatches;
use super::sink_delivery::{DeliveryInput, SinkDelivery};
use crate::metrics::{RequestMetric, StageMinute};
use crate::record::Record;
use crate::sink::Batch;

const AT_ITS_END: &str = "the sink has ended";
const NO_ROOM: &str = "too many records are waiting for the sink";

impl SinkDelivery {
    /// Accepts metrics, and the records that the sink takes. Records without room are dropped and
    /// counted.
    pub(crate) fn accept(&mut self, input: DeliveryInput, now: Instant) {
        let DeliveryInput { mut records, requests, minutes } = input;
        if let Some(filter) = self.filter {
            records.retain(|record| filter.takes_record(record));
        }
        if self.takes_nothing() {
            self.drop_counts(requests.len() + minutes.len(), AT_ITS_END);
        } else {
            self.accept_counts(requests, minutes, now);
        }
        let sizes = BatchSizes::of(&records);
        let admitted = self.admit(&records, sizes.memory);
        if admitted == records.len() {
            self.batcher.add_all(&mut records, sizes, now);
        }
        records.truncate(admitted);
        for record in records {
            if let Some(batch) = self.batcher.add(record, now) {
                self.enqueue(batch);
            }
        }
    }

    /// Accepts records that were written ahead while the sampler held them. They become separate
    /// batches, each returned with the ticket under which the disk stores it in place of the
    /// records written ahead. A delivery without a disk accepts them like all other records.
    pub(crate) fn accept_written_ahead(&mut self, records: &[Record], now: Instant) -> Vec<(u64, Batch)> {
        if self.spooled.is_none() {
            self.accept(DeliveryInput { records: records.to_vec(), ..DeliveryInput::default() }, now);
            return Vec::new();
        }
        let takes = |record: &&Record| self.filter.is_none_or(|filter| filter.takes_record(record));
        let records: Vec<_> = records.iter().filter(takes).cloned().collect();
        let admitted = self.admit(&records, BatchSizes::of(&records).memory);
        let mut batcher = self.batcher.empty_copy();
        let added = records.into_iter().take(admitted).filter_map(|record| batcher.add(record, now));
        let mut batches: Vec<_> = added.collect();
        batches.extend(batcher.close());
        batches.into_iter().map(|batch| self.await_store(batch)).collect()
    }

    /// Closes the current batch whatever its age, and makes waiting batches due at once. Returns a
    /// number above those of all batches so far.
    pub(crate) fn flush(&mut self) -> u64 {
        self.close_batch();
        self.not_before = None;
        self.wanted_below = self.next_number;
        self.next_number
    }

    pub(super) fn close_batch(&mut self) {
        if let Some(batch) = self.batcher.close() {
            self.enqueue(batch);
        }
    }

    fn enqueue(&mut self, batch: Batch) {
        let outgoing = self.register(batch);
        if self.spooled.as_ref().is_some_and(SpooledBatches::is_durable) {
            self.store(outgoing, true);
        } else {
            self.ready.push_back(outgoing);
        }
    }

    /// Accepts metrics as far as there is room, minutes first, because one of them stands for many
    /// runs.
    fn accept_counts(&mut self, mut requests: Vec<RequestMetric>, mut minutes: Vec<StageMinute>, now: Instant) {
        let offered = requests.len() + minutes.len();
        let room = |memory: usize, each: usize| self.memory_limits.sink_bytes.saturating_sub(memory) / each;
        minutes.truncate(room(self.memory, StageMinute::MEMORY));
        let memory = self.memory + minutes.len() * StageMinute::MEMORY;
        requests.truncate(room(memory, RequestMetric::MEMORY));
        self.memory = memory + requests.len() * RequestMetric::MEMORY;
        self.drop_counts(offered - requests.len() - minutes.len(), NO_ROOM);
        self.batcher.add_metrics(requests, minutes, now);
    }

    /// Counts records that take `memory` bytes as accepted, and returns the number of those for
    /// which there is room. The others are dropped.
    fn admit(&mut self, records: &[Record], memory: usize) -> usize {
        let takes_nothing = self.takes_nothing();
        self.account.accepted += records.len() as u64;
        let mut admitted = 0;
        if !takes_nothing && self.has_room(records.len(), memory) {
            admitted = records.len();
            self.memory += memory;
        } else if !takes_nothing {
            for memory in records.iter().map(Record::memory_estimate) {
                if !self.has_room(admitted + 1, memory) {
                    break;
                }
                self.memory += memory;
                admitted += 1;
            }
        }
        self.account.pending += admitted as u64;
        let rest = (records.len() - admitted) as u64;
        self.drop_records(rest, if takes_nothing { AT_ITS_END } else { NO_ROOM });
        admitted
    }
}
