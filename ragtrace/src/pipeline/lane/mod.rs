//! One sink's way: the batch that fills, those that wait, those under way, those on disk, and what answers mean.
//!
//! A lane is a state machine without a thread: the worker gives it records, time and answers, and sends off what it
//! hands out. So it is the same in a test with made-up time. Every record in it is counted in one place at a time:
//! `pending` while its batch is in memory, `spooled` while the batch is on disk alone.
//!
//! A lane has a share of memory. What is over half of it goes to disk, if there is one; what is over all of it is dropped,
//! counted and told. It does not hold up the queue instead: what one sink or its disk cannot take would be lost to all
//! sinks then.

mod answer;
mod disk;
mod news;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ragtrace_core::queue::QueueLimits;

use self::disk::{Disk, Waiting};
pub(super) use self::news::Doing;
use self::news::News;
use crate::metrics::{RequestMetric, StageMinute};
use crate::pipeline::backoff::Backoff;
use crate::pipeline::batch::{BatchSizes, Batcher};
use crate::pipeline::stats::SinkStats;
use crate::record::{Origin, Record};
use crate::sink::{Batch, BatchLimits, BoxSink, Sink};
use crate::spool::{Handle, Key};

/// How long a lane is silent at most: an empty batch says that the process lives.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// What the worker gives to every lane.
#[derive(Clone, Default)]
pub(super) struct Input {
    pub(super) records: Vec<Record>,
    pub(super) requests: Vec<RequestMetric>,
    pub(super) minutes: Vec<StageMinute>,
}

/// How a lane gets to its place on disk.
pub(super) struct Spooling {
    pub(super) handle: Handle,
    /// The number by which the spool knows the lane.
    pub(super) lane: usize,
    /// Whether batches are on disk before they are sent.
    pub(super) is_durable: bool,
}

/// One sink and everything that is on its way there.
pub(super) struct Lane {
    pub(super) sink: Arc<BoxSink>,
    limits: BatchLimits,
    share: QueueLimits,
    batcher: Batcher,
    /// Batches of this process, to be sent before those of `backlog`.
    ready: VecDeque<Outgoing>,
    /// Batches that were read back from the disk.
    backlog: VecDeque<Outgoing>,
    in_flight: BTreeMap<u64, Outgoing>,
    /// Batches that the disk has to say something about first.
    waiting: BTreeMap<u64, Waiting>,
    /// Numbers of the batches that are not settled, and in how many parts each is.
    unsettled: BTreeMap<u64, usize>,
    next_number: u64,
    next_ticket: u64,
    /// Bytes in memory, as estimates.
    memory: usize,
    backoff: Backoff,
    /// Nothing is sent before.
    not_before: Option<Instant>,
    /// When the last batch was closed; the lane's beginning before that.
    last_batch: Option<Instant>,
    /// Since when nothing has arrived.
    failing_since: Option<Instant>,
    /// Lone records that were refused since something arrived.
    refused_in_a_row: usize,
    /// Batches below it are wanted by a flush.
    wanted_below: u64,
    is_closed: bool,
    is_ending: bool,
    disk: Option<Disk>,
    account: SinkStats,
    news: News,
}

/// A batch on its way.
#[derive(Clone, Debug)]
struct Outgoing {
    /// The batch's place in the order of this process, `None` for one that was settled by going to disk. Its halves, if it
    /// is split, keep the number and settle together.
    number: Option<u64>,
    /// Where it is on disk.
    key: Option<Key>,
    batch: Batch,
    bytes: usize,
    /// How often the sink panicked over it.
    panics: u32,
}

impl Outgoing {
    fn records(&self) -> u64 {
        self.batch.records().len() as u64
    }
}

impl Lane {
    pub(super) fn new(sink: BoxSink, share: QueueLimits, spooling: Option<Spooling>, origin: Arc<Origin>) -> Self {
        let limits = sink.limits();
        let name = sink.name().to_owned();
        Self {
            sink: Arc::new(sink),
            limits,
            share,
            batcher: Batcher::new(origin, limits),
            ready: VecDeque::new(),
            backlog: VecDeque::new(),
            in_flight: BTreeMap::new(),
            waiting: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            next_number: 0,
            next_ticket: 0,
            memory: 0,
            backoff: Backoff::default(),
            not_before: None,
            last_batch: None,
            failing_since: None,
            refused_in_a_row: 0,
            wanted_below: 0,
            is_closed: false,
            is_ending: false,
            disk: spooling.map(Disk::new),
            news: News::new(name.clone()),
            account: SinkStats { name, ..SinkStats::default() },
        }
    }

    pub(super) fn account(&self) -> &SinkStats {
        &self.account
    }

    /// What there is to tell of this sink since the last call.
    pub(super) fn take_news(&mut self, now: Instant) -> Vec<Doing> {
        self.news.take(now)
    }

    /// Takes in records and counts. Records for which there is no room are dropped, and counted.
    pub(super) fn accept(&mut self, input: Input, now: Instant) {
        let Input { mut records, requests, minutes } = input;
        if !self.takes_nothing() {
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

    /// Takes in records that the sampler held and has on disk: as batches of their own, each with the ticket under which
    /// the disk stores it in the place of what it has. A lane without a disk takes them in like all others.
    pub(super) fn release(&mut self, records: &[Record], now: Instant) -> Vec<(u64, Batch)> {
        if self.disk.is_none() {
            self.accept(Input { records: records.to_vec(), ..Input::default() }, now);
            return Vec::new();
        }
        let admitted = self.admit(records, BatchSizes::of(records).memory);
        let mut batcher = self.batcher.another();
        let added = records[..admitted].iter().filter_map(|record| batcher.add(record.clone(), now));
        let mut batches: Vec<_> = added.collect();
        batches.extend(batcher.close());
        batches.into_iter().map(|batch| self.wait_for_store(batch)).collect()
    }

    /// Closes the batch that fills, whatever its age, and has what waits tried at once. Returns the number that all of
    /// it is below.
    pub(super) fn flush(&mut self) -> u64 {
        self.close_batch();
        self.not_before = None;
        self.wanted_below = self.next_number;
        self.next_number
    }

    /// Whether every batch below `number` is settled: delivered, dead-lettered, dropped, or on disk alone.
    pub(super) fn is_settled_below(&self, number: u64) -> bool {
        self.unsettled.first_key_value().is_none_or(|(first, _)| *first >= number)
    }

    /// Whether every batch below `number` is settled or on disk.
    pub(super) fn is_safe_below(&self, number: u64) -> bool {
        let waits = |outgoing: &Outgoing| outgoing.number.is_some_and(|n| n < number);
        let is_bare = |outgoing: &Outgoing| waits(outgoing) && outgoing.key.is_none();
        let mut on_the_way = self.ready.iter().chain(self.in_flight.values());
        !on_the_way.any(is_bare) && !self.waiting.values().any(|waiting| waits(waiting.outgoing()))
    }

    /// Whether nothing is left that the sink would take now.
    pub(super) fn is_drained(&self) -> bool {
        let is_stuck = self.is_closed || self.failing_since.is_some();
        let on_disk = self.disk.as_ref().is_some_and(Disk::holds_any);
        is_stuck || (!on_disk && self.backlog.is_empty() && self.in_flight.is_empty())
    }

    /// Whether nothing can be settled before `deadline`: the sink is not asked again until later, and there is no disk.
    pub(super) fn rests_until(&self, deadline: Instant) -> bool {
        let is_asked = !self.in_flight.is_empty() || self.not_before.is_none_or(|time| time < deadline);
        self.disk.is_none() && !is_asked
    }

    /// Closes the batch that fills, if it is due, hands out what may be sent now, and puts on disk what should be there.
    pub(super) fn poll(&mut self, now: Instant) -> Vec<(u64, Batch)> {
        if self.batcher.due().is_some_and(|due| due <= now) {
            self.close_batch();
        }
        self.beat(now);
        let sent = if self.may_send(now) { self.take_ready(now) } else { Vec::new() };
        self.spill(now);
        sent
    }

    /// When to look again, if nothing else happens.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let waits =
            !self.ready.is_empty() || !self.backlog.is_empty() || self.disk.as_ref().is_some_and(Disk::holds_any);
        let retry = self.not_before.filter(|_| waits && !self.is_closed);
        [self.batcher.due(), retry].into_iter().flatten().min()
    }

    /// Gives up what is left, at the end of the process.
    pub(super) fn give_up(&mut self) {
        let left = std::mem::take(&mut self.account.pending);
        self.memory = 0;
        if left > 0 {
            self.account.dropped += left;
            self.news.dropped(left, "the time for the shutdown was over");
        }
        self.ready.clear();
        self.backlog.clear();
        self.in_flight.clear();
        self.waiting.clear();
        self.unsettled.clear();
        let _ = self.batcher.close();
    }

    /// Takes in what was counted, as far as there is room: minutes first, since one stands for many runs.
    fn accept_counts(&mut self, mut requests: Vec<RequestMetric>, mut minutes: Vec<StageMinute>, now: Instant) {
        let room = |memory: usize, each: usize| self.share.sink_bytes.saturating_sub(memory) / each;
        minutes.truncate(room(self.memory, StageMinute::MEMORY));
        let memory = self.memory + minutes.len() * StageMinute::MEMORY;
        requests.truncate(room(memory, RequestMetric::MEMORY));
        self.memory = memory + requests.len() * RequestMetric::MEMORY;
        self.batcher.add_metrics(requests, minutes, now);
    }

    fn takes_nothing(&self) -> bool {
        self.is_closed && self.disk.is_none()
    }

    /// Counts records as accepted, which take `all` bytes of memory, and says for how many of them there is room; the rest
    /// are dropped.
    fn admit(&mut self, records: &[Record], all: usize) -> usize {
        let takes_nothing = self.takes_nothing();
        self.account.accepted += records.len() as u64;
        let mut admitted = 0;
        if !takes_nothing && self.has_room(records.len(), all) {
            admitted = records.len();
            self.memory += all;
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
        if rest > 0 {
            self.account.dropped += rest;
            let why = if takes_nothing { "the sink is at its end" } else { "too many records wait for it" };
            self.news.dropped(rest, why);
        }
        admitted
    }

    /// Whether there is room for so many more records than are pending, and so much more memory.
    fn has_room(&self, records: usize, memory: usize) -> bool {
        let pending = usize::try_from(self.account.pending).unwrap_or(usize::MAX);
        pending.saturating_add(records) <= self.share.sink_records && self.memory + memory <= self.share.sink_bytes
    }

    fn may_send(&self, now: Instant) -> bool {
        !self.is_closed && !self.is_ending && self.not_before.is_none_or(|time| time <= now)
    }

    /// Takes what may be under way now, live batches first.
    fn take_ready(&mut self, now: Instant) -> Vec<(u64, Batch)> {
        // After a failure one batch at a time asks whether the sink is back.
        let is_probing = self.backoff.failures() > 0;
        let most = if is_probing { 1 } else { self.limits.in_flight.max(1) };
        let mut sent = Vec::new();
        while self.in_flight.len() < most {
            let Some(outgoing) = self.ready.pop_front().or_else(|| self.backlog.pop_front()) else {
                self.load(is_probing, now);
                break;
            };
            let ticket = self.ticket();
            sent.push((ticket, outgoing.batch.clone()));
            self.in_flight.insert(ticket, outgoing);
        }
        sent
    }

    fn close_batch(&mut self) {
        if let Some(batch) = self.batcher.close() {
            self.enqueue(batch);
        }
    }

    /// Sends an empty batch after a silence, unless something is on its way already.
    fn beat(&mut self, now: Instant) {
        let last = *self.last_batch.get_or_insert(now);
        let is_idle = self.ready.is_empty() && self.backlog.is_empty() && self.in_flight.is_empty() && !self.is_closed;
        if is_idle && self.batcher.due().is_none() && now.duration_since(last) >= HEARTBEAT {
            let batch = self.batcher.close_anyhow();
            let outgoing = self.number(batch);
            // It is worth nothing later, so it never goes to disk ahead of being sent.
            self.ready.push_back(outgoing);
            self.last_batch = Some(now);
        }
    }

    /// Gives a batch its place in the order of this process.
    fn number(&mut self, batch: Batch) -> Outgoing {
        self.last_batch = Some(Instant::now());
        let number = self.next_number;
        self.next_number += 1;
        self.unsettled.insert(number, 1);
        Outgoing { number: Some(number), key: None, bytes: batch.memory_estimate(), batch, panics: 0 }
    }

    fn enqueue(&mut self, batch: Batch) {
        let outgoing = self.number(batch);
        if self.disk.as_ref().is_some_and(Disk::is_durable) {
            self.store(outgoing, true);
        } else {
            self.ready.push_back(outgoing);
        }
    }

    /// The batch is not in memory any more.
    fn leave(&mut self, outgoing: &Outgoing) {
        self.account.pending = self.account.pending.saturating_sub(outgoing.records());
        self.memory = self.memory.saturating_sub(outgoing.bytes);
    }

    /// One part of a batch is settled.
    fn settle(&mut self, outgoing: &Outgoing) {
        let Some(number) = outgoing.number else { return };
        if let Some(parts) = self.unsettled.get_mut(&number) {
            *parts -= 1;
            if *parts == 0 {
                self.unsettled.remove(&number);
            }
        }
    }

    fn ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }
}
