//! The sampler at work: it passes records on, holds them until their trace is decided, or leaves them out.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::TraceId;
use crate::record::Record;
use crate::sample::Sampler;

/// Verdicts that are remembered for what comes late.
const REMEMBERED: usize = 65_536;

/// What becomes of the records of traces.
pub(crate) struct Sampling {
    sampler: Sampler,
    /// Verdicts that do not follow from the id.
    verdicts: Verdicts,
    held: HashMap<TraceId, Held>,
    /// Held traces by the order they came in.
    order: BTreeMap<u64, TraceId>,
    next: u64,
    records: usize,
    bytes: usize,
    left_out: u64,
    second: Option<Instant>,
    in_this_second: u32,
    /// Whether what is held is written ahead, see [`super::ahead`].
    is_durable: bool,
    /// Held traces with records that were not written ahead yet.
    unwritten: BTreeSet<TraceId>,
    /// Traces that were written ahead and left out since.
    forgotten: Vec<TraceId>,
}

#[derive(Debug)]
struct Held {
    number: u64,
    since: Instant,
    records: Vec<Record>,
    bytes: usize,
    /// So many of the records are on disk, or on their way there.
    written: usize,
    /// Whether the disk was ever told of it, and is to be told that it is decided.
    was_written: bool,
}

/// What is to be shipped now.
#[derive(Default)]
pub(crate) struct Passed {
    pub(crate) records: Vec<Record>,
    /// What was held of traces that are kept, if a part of it is on disk.
    pub(crate) released: Vec<Released>,
}

/// What was held of a trace that is kept.
pub(crate) struct Released {
    pub(crate) trace_id: TraceId,
    pub(crate) records: Vec<Record>,
}

impl Sampling {
    /// With `is_durable` it keeps account of what of the held records was written ahead.
    pub(crate) fn new(sampler: Sampler, is_durable: bool) -> Self {
        Self {
            sampler,
            is_durable,
            unwritten: BTreeSet::new(),
            forgotten: Vec::new(),
            verdicts: Verdicts::default(),
            held: HashMap::new(),
            order: BTreeMap::new(),
            next: 0,
            records: 0,
            bytes: 0,
            left_out: 0,
            second: None,
            in_this_second: 0,
        }
    }

    /// Records that were left out.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Records that wait for the end of their trace.
    pub(crate) fn held(&self) -> u64 {
        self.records as u64
    }

    /// What of `records` is to be shipped now, with what was held of their traces.
    pub(crate) fn pass(&mut self, records: Vec<Record>, now: Instant) -> Passed {
        if self.sampler.takes_all() {
            return Passed { records, ..Passed::default() };
        }
        let mut passed = Passed { records: Vec::with_capacity(records.len()), ..Passed::default() };
        for record in records {
            self.judge(record, now, &mut passed);
        }
        self.bound(now);
        passed
    }

    /// Leaves out what is held, at the end: none of it was an error or slow.
    pub(crate) fn finish(&mut self) {
        while let Some((_, trace_id)) = self.order.first_key_value() {
            self.leave_out(*trace_id);
        }
    }

    /// Another process held these and was killed, and this one does not ship them either.
    pub(crate) fn count_left_out(&mut self, records: u64) {
        self.left_out += records;
    }

    /// Whether something is held that was not written ahead.
    pub(crate) fn has_unwritten(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// By trace, what is held and was not written ahead. It counts as written from now on.
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

    /// What was written ahead may not be on disk: all that is held is to be written once more.
    pub(crate) fn write_anew(&mut self) {
        for (trace_id, held) in &mut self.held {
            held.written = 0;
            self.unwritten.insert(*trace_id);
        }
    }

    /// Traces that were written ahead and have been left out since the last call.
    pub(crate) fn take_forgotten(&mut self) -> Vec<TraceId> {
        std::mem::take(&mut self.forgotten)
    }

    fn judge(&mut self, record: Record, now: Instant, passed: &mut Passed) {
        let Some(trace_id) = record.trace_id() else { return passed.records.push(record) };
        let verdict = match self.verdicts.of(trace_id) {
            Some(verdict) => verdict,
            None => self.first_verdict(trace_id, now),
        };
        if verdict {
            passed.records.push(record);
        } else if self.sampler.keeps(&record) {
            self.verdicts.remember(trace_id, true);
            match self.forget(trace_id) {
                Some(held) if held.was_written => passed.released.push(Released { trace_id, records: held.records }),
                held => passed.records.extend(held.into_iter().flat_map(|held| held.records)),
            }
            passed.records.push(record);
        } else if !self.sampler.holds() {
            self.left_out += 1;
        } else if record.is_local_root() && record.event().is_end() {
            self.leave_out(trace_id);
            self.left_out += 1;
        } else {
            self.hold(trace_id, &record, now);
        }
    }

    /// What the ratio and the cap say of a trace that has no verdict yet.
    fn first_verdict(&mut self, trace_id: TraceId, now: Instant) -> bool {
        let Some(cap) = self.sampler.per_second else { return self.sampler.takes(trace_id) };
        if !self.sampler.takes(trace_id) {
            return false;
        }
        if self.second.is_none_or(|second| now.duration_since(second) >= Duration::from_secs(1)) {
            (self.second, self.in_this_second) = (Some(now), 0);
        }
        let verdict = self.in_this_second < cap;
        self.in_this_second += u32::from(verdict);
        self.verdicts.remember(trace_id, verdict);
        verdict
    }

    fn hold(&mut self, trace_id: TraceId, record: &Record, now: Instant) {
        // What is held of a few traces must not keep the records of the others in memory.
        let record = record.alone();
        let size = record.memory_estimate();
        let (next, order) = (&mut self.next, &mut self.order);
        let held = self.held.entry(trace_id).or_insert_with(|| {
            *next += 1;
            order.insert(*next, trace_id);
            Held { number: *next, since: now, records: Vec::new(), bytes: 0, written: 0, was_written: false }
        });
        held.records.push(record);
        held.bytes += size;
        self.records += 1;
        self.bytes += size;
        if self.is_durable {
            self.unwritten.insert(trace_id);
        }
    }

    fn leave_out(&mut self, trace_id: TraceId) {
        if let Some(held) = self.forget(trace_id) {
            self.left_out += held.records.len() as u64;
            if held.was_written {
                self.forgotten.push(trace_id);
            }
        }
    }

    fn forget(&mut self, trace_id: TraceId) -> Option<Held> {
        let held = self.held.remove(&trace_id)?;
        self.order.remove(&held.number);
        self.unwritten.remove(&trace_id);
        self.records -= held.records.len();
        self.bytes -= held.bytes;
        Some(held)
    }

    /// Leaves out the oldest until the bounds hold: the ratio has refused them.
    pub(crate) fn bound(&mut self, now: Instant) {
        while let Some((_, trace_id)) = self.order.first_key_value() {
            let trace_id = *trace_id;
            let is_old = self.held.get(&trace_id).is_none_or(|h| now.duration_since(h.since) >= self.sampler.held_for);
            let is_over = self.records > self.sampler.held_records || self.bytes > self.sampler.held_bytes;
            if !is_old && !is_over {
                return;
            }
            self.leave_out(trace_id);
        }
    }
}

/// The latest verdicts.
#[derive(Default)]
struct Verdicts {
    of: HashMap<TraceId, bool>,
    order: VecDeque<TraceId>,
}

impl Verdicts {
    fn of(&self, trace_id: TraceId) -> Option<bool> {
        self.of.get(&trace_id).copied()
    }

    fn remember(&mut self, trace_id: TraceId, verdict: bool) {
        if self.of.insert(trace_id, verdict).is_none() {
            self.order.push_back(trace_id);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.of.remove(&oldest);
        }
    }
}
