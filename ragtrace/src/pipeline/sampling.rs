//! The sampler at work: it passes records on, holds them until their trace is decided, or leaves them out.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::TraceId;
use crate::level::Level;
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
}

#[derive(Debug)]
struct Held {
    number: u64,
    since: Instant,
    records: Vec<Record>,
    bytes: usize,
}

impl Sampling {
    pub(crate) fn new(sampler: Sampler) -> Self {
        Self {
            sampler,
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
    pub(crate) fn pass(&mut self, records: Vec<Record>, now: Instant) -> Vec<Record> {
        if self.sampler.takes_all() {
            return records;
        }
        let mut passed = Vec::with_capacity(records.len());
        for record in records {
            self.judge(record, now, &mut passed);
        }
        self.bound(now);
        passed
    }

    /// Leaves out what is held, at the end: none of it was an error or slow.
    pub(crate) fn finish(&mut self) {
        self.left_out += self.records as u64;
        self.held.clear();
        self.order.clear();
        (self.records, self.bytes) = (0, 0);
    }

    fn judge(&mut self, record: Record, now: Instant, passed: &mut Vec<Record>) {
        let Some(trace_id) = record.trace_id() else { return passed.push(record) };
        let verdict = match self.verdicts.of(trace_id) {
            Some(verdict) => verdict,
            None => self.first_verdict(trace_id, now),
        };
        if verdict {
            passed.push(record);
        } else if self.is_kept_anyway(&record) {
            self.verdicts.remember(trace_id, true);
            if let Some(held) = self.forget(trace_id) {
                passed.extend(held.records);
            }
            passed.push(record);
        } else if !self.sampler.holds() {
            self.left_out += 1;
        } else if record.is_local_root() && record.event().is_end() {
            let held = self.forget(trace_id).map_or(0, |held| held.records.len());
            self.left_out += held as u64 + 1;
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

    fn is_kept_anyway(&self, record: &Record) -> bool {
        let is_slow = || {
            let duration = record.duration().filter(|_| record.event().is_end());
            self.sampler.slower_than.zip(duration).is_some_and(|(limit, duration)| duration >= limit)
        };
        (self.sampler.keeps_errors && record.level() >= Level::Error) || is_slow()
    }

    fn hold(&mut self, trace_id: TraceId, record: &Record, now: Instant) {
        // What is held of a few traces must not keep the records of the others in memory.
        let record = record.alone();
        let size = record.memory_estimate();
        let (next, order) = (&mut self.next, &mut self.order);
        let held = self.held.entry(trace_id).or_insert_with(|| {
            *next += 1;
            order.insert(*next, trace_id);
            Held { number: *next, since: now, records: Vec::new(), bytes: 0 }
        });
        held.records.push(record);
        held.bytes += size;
        self.records += 1;
        self.bytes += size;
    }

    fn forget(&mut self, trace_id: TraceId) -> Option<Held> {
        let held = self.held.remove(&trace_id)?;
        self.order.remove(&held.number);
        self.records -= held.records.len();
        self.bytes -= held.bytes;
        Some(held)
    }

    /// Leaves out the oldest until the bounds hold: the ratio has refused them.
    fn bound(&mut self, now: Instant) {
        while let Some((_, trace_id)) = self.order.first_key_value() {
            let trace_id = *trace_id;
            let is_old = self.held.get(&trace_id).is_none_or(|h| now.duration_since(h.since) >= self.sampler.held_for);
            let is_over = self.records > self.sampler.held_records || self.bytes > self.sampler.held_bytes;
            if !is_old && !is_over {
                return;
            }
            if let Some(held) = self.forget(trace_id) {
                self.left_out += held.records.len() as u64;
            }
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
