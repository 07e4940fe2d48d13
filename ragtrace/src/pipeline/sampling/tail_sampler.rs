//! The tail sampler: it passes records on, holds them until their trace is decided, or leaves them
//! out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::decisions::Decisions;
use crate::record::Record;
use crate::sample::Sampler;
use crate::{Event, TraceId};

/// Decides about whole traces, once enough of them is known.
pub(crate) struct TailSampler {
    sampler: Sampler,
    decisions: Decisions,
    held: HashMap<TraceId, HeldTrace>,
    /// The held traces, in the order in which they arrived.
    order: BTreeMap<u64, TraceId>,
    last_number: u64,
    held_records: usize,
    held_bytes: usize,
    left_out: u64,
    /// The start of the second that [`Sampler::per_second`] counts, and the number of traces kept
    /// in it.
    second: Option<Instant>,
    in_this_second: u32,
    /// Set if held records are written ahead, see [`super::write_ahead`].
    is_durable: bool,
    /// Held traces with records that have not been written ahead.
    unwritten: BTreeSet<TraceId>,
    /// Traces that were written ahead and have since been left out.
    left_out_on_disk: Vec<TraceId>,
}

#[derive(Debug)]
struct HeldTrace {
    number: u64,
    since: Instant,
    records: Vec<Record>,
    bytes: usize,
    /// The number of the records that are on disk or on their way there.
    written: usize,
    /// Set if the disk ever had a part of the trace, and must be told of the decision.
    was_written: bool,
}

/// Records to be delivered now.
#[derive(Default)]
pub(crate) struct Sampled {
    pub(crate) records: Vec<Record>,
    /// Traces that are kept now and have records on disk.
    pub(crate) kept: Vec<KeptTrace>,
}

/// A trace that is kept now, with its held records.
pub(crate) struct KeptTrace {
    pub(crate) trace_id: TraceId,
    pub(crate) records: Vec<Record>,
}

impl TailSampler {
    /// Creates a sampler. With `is_durable`, it keeps track of the held records that were written
    /// ahead.
    pub(crate) fn new(sampler: Sampler, is_durable: bool) -> Self {
        Self {
            sampler,
            decisions: Decisions::default(),
            held: HashMap::new(),
            order: BTreeMap::new(),
            last_number: 0,
            held_records: 0,
            held_bytes: 0,
            left_out: 0,
            second: None,
            in_this_second: 0,
            is_durable,
            unwritten: BTreeSet::new(),
            left_out_on_disk: Vec::new(),
        }
    }

    /// Returns the number of records that were left out.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Returns the number of held records.
    pub(crate) fn held(&self) -> u64 {
        self.held_records as u64
    }

    /// Returns those of `records` that are to be delivered now, with the held records of their
    /// traces.
    pub(crate) fn sample(&mut self, records: Vec<Record>, now: Instant) -> Sampled {
        if self.sampler.samples_all() {
            return Sampled { records, ..Sampled::default() };
        }
        let mut sampled = Sampled { records: Vec::with_capacity(records.len()), ..Sampled::default() };
        for record in records {
            self.sample_one(record, now, &mut sampled);
        }
        self.enforce_bounds(now);
        sampled
    }

    /// Leaves out all held records at the end, because none of their traces had an error or was
    /// slow.
    pub(crate) fn leave_out_held(&mut self) {
        while let Some((_, trace_id)) = self.order.first_key_value() {
            self.leave_out(*trace_id);
        }
    }

    /// Counts records as left out that another process held when it was killed, and that this
    /// process does not deliver either.
    pub(crate) fn count_left_out(&mut self, records: u64) {
        self.left_out += records;
    }

    /// Returns `true` if held records have not been written ahead.
    pub(crate) fn has_unwritten(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// Returns, by trace, the held records that were not written ahead, and marks them as written.
    pub(crate) fn take_unwritten(&mut self) -> Vec<(TraceId, Vec<Record>)> {
        let traces = std::mem::take(&mut self.unwritten).into_iter();
        let records = traces.filter_map(|trace_id| {
            let held = self.held.get_mut(&trace_id)?;
            let records = held.records[held.written..].to_vec();
            held.written = held.records.len();
            held.was_written = true;
            Some((trace_id, records))
        });
        records.collect()
    }

    /// Marks all held records as not written, because records written ahead may not be on disk.
    pub(crate) fn mark_unwritten(&mut self) {
        for (trace_id, held) in &mut self.held {
            held.written = 0;
            self.unwritten.insert(*trace_id);
        }
    }

    /// Removes and returns the traces that were written ahead and have been left out since the last
    /// call.
    pub(crate) fn take_left_out_on_disk(&mut self) -> Vec<TraceId> {
        std::mem::take(&mut self.left_out_on_disk)
    }

    /// Leaves out the oldest held traces until the limits are met; the ratio has already refused
    /// them.
    pub(crate) fn enforce_bounds(&mut self, now: Instant) {
        while let Some((_, trace_id)) = self.order.first_key_value() {
            let trace_id = *trace_id;
            let is_old = self.held.get(&trace_id).is_none_or(|h| now.duration_since(h.since) >= self.sampler.held_for);
            let is_over = self.held_records > self.sampler.held_records || self.held_bytes > self.sampler.held_bytes;
            if !is_old && !is_over {
                return;
            }
            self.leave_out(trace_id);
        }
    }

    fn sample_one(&mut self, record: Record, now: Instant, sampled: &mut Sampled) {
        // A score does not make its trace be kept, and is not held for it, because it may arrive
        // days later and is useful by itself.
        let trace_id = record.trace_id().filter(|_| record.event() != Event::Score);
        let Some(trace_id) = trace_id else { return sampled.records.push(record) };
        let is_kept = match self.decisions.of(trace_id) {
            Some(is_kept) => is_kept,
            None => self.decide_by_ratio(trace_id, now),
        };
        if is_kept {
            sampled.records.push(record);
        } else if self.sampler.always_keeps(&record) {
            self.decisions.remember(trace_id, true);
            match self.take_held(trace_id) {
                Some(held) if held.was_written => sampled.kept.push(KeptTrace { trace_id, records: held.records }),
                held => sampled.records.extend(held.into_iter().flat_map(|held| held.records)),
            }
            sampled.records.push(record);
        } else if !self.sampler.holds_traces() {
            self.left_out += 1;
        } else if record.is_local_root() && record.event().is_end() {
            self.leave_out(trace_id);
            self.left_out += 1;
        } else {
            self.hold(trace_id, &record, now);
        }
    }

    /// Decides about a new trace by the ratio and the cap.
    fn decide_by_ratio(&mut self, trace_id: TraceId, now: Instant) -> bool {
        let Some(cap) = self.sampler.per_second else { return self.sampler.is_in_ratio(trace_id) };
        if !self.sampler.is_in_ratio(trace_id) {
            return false;
        }
        if self.second.is_none_or(|second| now.duration_since(second) >= Duration::from_secs(1)) {
            (self.second, self.in_this_second) = (Some(now), 0);
        }
        let is_kept = self.in_this_second < cap;
        self.in_this_second += u32::from(is_kept);
        self.decisions.remember(trace_id, is_kept);
        is_kept
    }

    fn hold(&mut self, trace_id: TraceId, record: &Record, now: Instant) {
        // A few held traces must not keep the records of others in memory.
        let record = record.detached();
        let size = record.memory_estimate();
        let (last_number, order) = (&mut self.last_number, &mut self.order);
        let held = self.held.entry(trace_id).or_insert_with(|| {
            *last_number += 1;
            order.insert(*last_number, trace_id);
            let (records, number) = (Vec::new(), *last_number);
            HeldTrace { number, since: now, records, bytes: 0, written: 0, was_written: false }
        });
        held.records.push(record);
        held.bytes += size;
        self.held_records += 1;
        self.held_bytes += size;
        if self.is_durable {
            self.unwritten.insert(trace_id);
        }
    }

    fn leave_out(&mut self, trace_id: TraceId) {
        if let Some(held) = self.take_held(trace_id) {
            self.left_out += held.records.len() as u64;
            if held.was_written {
                self.left_out_on_disk.push(trace_id);
            }
        }
    }

    fn take_held(&mut self, trace_id: TraceId) -> Option<HeldTrace> {
        let held = self.held.remove(&trace_id)?;
        self.order.remove(&held.number);
        self.unwritten.remove(&trace_id);
        self.held_records -= held.records.len();
        self.held_bytes -= held.bytes;
        Some(held)
    }
}
