//! One sink's way: the batch that fills, those that wait, those under way, and what their answers mean.
//!
//! A lane is a state machine without a thread: the worker gives it records, time and answers, and sends off what it
//! hands out. So it is the same in a test with made-up time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::metrics::{RequestMetric, StageMinute};
use crate::pipeline::backoff::Backoff;
use crate::pipeline::batch::Batcher;
use crate::pipeline::stats::SinkStats;
use crate::record::{Origin, Record};
use crate::sink::{Batch, BatchLimits, BoxSink, Delivered, Sink, SinkError, Verdict};
use crate::warning::Warnings;

/// How often a sink that does not know us is tried again.
const PROBE: Duration = Duration::from_secs(30);

/// How long a lane is silent at most: an empty batch says that the process lives.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Batches that may wait before counts are no longer added to those that come.
const COUNTS_WAITING: usize = 16_384;

/// What the worker gives to every lane.
#[derive(Default)]
pub(super) struct Input {
    pub(super) records: Vec<Record>,
    pub(super) requests: Vec<RequestMetric>,
    pub(super) minutes: Vec<StageMinute>,
}

impl Input {
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.requests.is_empty() && self.minutes.is_empty()
    }
}

/// One sink and everything that is on its way there.
pub(super) struct Lane {
    pub(super) sink: Arc<BoxSink>,
    limits: BatchLimits,
    record_limit: usize,
    batcher: Batcher,
    ready: VecDeque<Outgoing>,
    in_flight: usize,
    /// Numbers of the batches that are not settled, and in how many parts each is.
    unsettled: BTreeMap<u64, usize>,
    next_number: u64,
    backoff: Backoff,
    /// Nothing is sent before.
    not_before: Option<Instant>,
    /// When the last batch was made, if there was any.
    last_batch: Option<Instant>,
    is_closed: bool,
    account: SinkStats,
    warnings: Warnings,
}

/// A batch on its way. Its halves, if it is split, keep its number and settle together.
#[derive(Debug)]
pub(super) struct Outgoing {
    number: u64,
    pub(super) batch: Batch,
}

impl Lane {
    pub(super) fn new(sink: BoxSink, record_limit: usize, origin: Arc<Origin>) -> Self {
        let limits = sink.limits();
        let name = sink.name().to_owned();
        Self {
            sink: Arc::new(sink),
            limits,
            record_limit,
            batcher: Batcher::new(origin, limits),
            ready: VecDeque::new(),
            in_flight: 0,
            unsettled: BTreeMap::new(),
            next_number: 0,
            backoff: Backoff::default(),
            not_before: None,
            last_batch: None,
            is_closed: false,
            warnings: Warnings::new(name.clone()),
            account: SinkStats { name, ..SinkStats::default() },
        }
    }

    pub(super) fn account(&self) -> &SinkStats {
        &self.account
    }

    /// Takes in records. Those for which there is no room are dropped, and counted; what was counted of them is not.
    pub(super) fn accept(&mut self, input: &Input, now: Instant) {
        let records = &input.records;
        if !self.is_closed && self.ready.len() < COUNTS_WAITING {
            self.batcher.add_metrics(&input.requests, &input.minutes, now);
        }
        let room = self.record_limit.saturating_sub(usize::try_from(self.account.pending).unwrap_or(usize::MAX));
        let (kept, dropped) = records.split_at(if self.is_closed { 0 } else { room.min(records.len()) });
        self.account.accepted += records.len() as u64;
        self.account.pending += kept.len() as u64;
        if !dropped.is_empty() {
            self.account.dropped += dropped.len() as u64;
            self.warnings.dropped(dropped.len(), "too many records wait for it");
        }
        for record in kept {
            if let Some(batch) = self.batcher.add(record.clone(), now) {
                self.enqueue(batch);
            }
        }
    }

    /// Closes the batch that fills, whatever its age, and has what waits tried at once. Returns the number that all of
    /// it is below.
    pub(super) fn flush(&mut self) -> u64 {
        if let Some(batch) = self.batcher.close() {
            self.enqueue(batch);
        }
        self.not_before = None;
        self.next_number
    }

    /// Whether every batch below `number` is settled.
    pub(super) fn is_settled_below(&self, number: u64) -> bool {
        self.unsettled.first_key_value().is_none_or(|(first, _)| *first >= number)
    }

    /// Closes the batch that fills, if it is due, and hands out what may be sent now.
    pub(super) fn poll(&mut self, now: Instant) -> Vec<Outgoing> {
        if self.batcher.due().is_some_and(|due| due <= now)
            && let Some(batch) = self.batcher.close()
        {
            self.enqueue(batch);
        }
        self.beat(now);
        if self.not_before.is_some_and(|time| time > now) {
            return Vec::new();
        }
        // After a failure one batch at a time asks whether the sink is back.
        let most = if self.backoff.failures() > 0 { 1 } else { self.limits.in_flight.max(1) };
        let number = most.saturating_sub(self.in_flight).min(self.ready.len());
        self.in_flight += number;
        self.ready.drain(..number).collect()
    }

    /// When to look again, if nothing else happens.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let waits = !self.ready.is_empty();
        [self.batcher.due(), self.not_before.filter(|_| waits)].into_iter().flatten().min()
    }

    /// Takes in the answer to a batch.
    pub(super) fn answer(&mut self, sent: Outgoing, answer: Result<Delivered, SinkError>, now: Instant) {
        self.in_flight -= 1;
        match answer {
            Ok(delivered) => {
                self.backoff.reset();
                self.not_before = None;
                self.warnings.recovered();
                self.delivered(&sent, &delivered);
            }
            Err(error) => self.failed(sent, &error, now),
        }
    }

    /// Gives up what is left, at the end of the process.
    pub(super) fn give_up(&mut self) {
        let left = std::mem::take(&mut self.account.pending);
        if left > 0 {
            self.account.dropped += left;
            self.warnings.dropped(usize::try_from(left).unwrap_or(usize::MAX), "the time for the shutdown was over");
        }
        self.ready.clear();
        self.unsettled.clear();
        let _ = self.batcher.close();
    }

    /// Says that the process lives, if nothing else did for long. A sink that is behind or at its end is left alone.
    fn beat(&mut self, now: Instant) {
        let is_idle = self.ready.is_empty() && self.in_flight == 0 && !self.is_closed;
        let last = *self.last_batch.get_or_insert(now);
        if is_idle && self.batcher.due().is_none() && now.duration_since(last) >= HEARTBEAT {
            let batch = self.batcher.close_anyhow();
            self.enqueue(batch);
        }
        if !self.ready.is_empty() || self.in_flight > 0 {
            self.last_batch = Some(now);
        }
    }

    fn enqueue(&mut self, batch: Batch) {
        let number = self.next_number;
        self.next_number += 1;
        self.unsettled.insert(number, 1);
        self.ready.push_back(Outgoing { number, batch });
    }

    fn delivered(&mut self, sent: &Outgoing, delivered: &Delivered) {
        let all = sent.batch.records().len() as u64;
        let mut rejected: Vec<_> = delivered.rejected().iter().filter(|(index, _)| (*index as u64) < all).collect();
        rejected.sort_by_key(|(index, _)| *index);
        rejected.dedup_by_key(|(index, _)| *index);
        let refused = rejected.len() as u64;
        self.account.delivered += all - refused;
        self.account.dead_lettered += refused;
        self.account.pending -= all;
        if let Some((_, why)) = rejected.first() {
            self.warnings.dead_lettered(rejected.len(), why);
        }
        self.settle(sent.number);
    }

    fn failed(&mut self, sent: Outgoing, error: &SinkError, now: Instant) {
        let is_divisible = sent.batch.records().len() > 1;
        match error.verdict() {
            Verdict::Retry => {
                self.warnings.failing(error);
                self.not_before = Some(now + self.backoff.wait(error.retry_after()));
                self.ready.push_front(sent);
            }
            Verdict::Unauthorized => {
                self.warnings.failing(error);
                self.backoff.wait(None);
                self.not_before = Some(now + error.retry_after().unwrap_or(PROBE));
                self.ready.push_front(sent);
            }
            Verdict::Split | Verdict::Rejected if is_divisible => {
                *self.unsettled.entry(sent.number).or_default() += 1;
                for half in sent.batch.halve().into_iter().rev() {
                    self.ready.push_front(Outgoing { number: sent.number, batch: half });
                }
            }
            Verdict::Split | Verdict::Rejected => self.refused(&sent, error),
            Verdict::Closed => {
                self.is_closed = true;
                self.refused(&sent, error);
                for waiting in std::mem::take(&mut self.ready) {
                    self.refused(&waiting, error);
                }
                if let Some(batch) = self.batcher.close() {
                    let number = self.next_number;
                    self.refused(&Outgoing { number, batch }, error);
                }
            }
        }
    }

    fn refused(&mut self, sent: &Outgoing, error: &SinkError) {
        let records = sent.batch.records().len();
        self.account.dead_lettered += records as u64;
        self.account.pending -= records as u64;
        self.warnings.dead_lettered(records, &error.to_string());
        self.settle(sent.number);
    }

    /// One part of a batch is settled.
    fn settle(&mut self, number: u64) {
        if let Some(parts) = self.unsettled.get_mut(&number) {
            *parts -= 1;
            if *parts == 0 {
                self.unsettled.remove(&number);
            }
        }
    }
}
