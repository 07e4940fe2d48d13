//! What the sampler holds is written ahead where records are to be durable: once a second, and when somebody flushes.
//!
//! A trace that is decided within the second never touches the disk. One that is kept later comes to the lanes as batches
//! of their own, which the disk stores in the same transaction as it lets go of what was written ahead: after a crash they
//! are in one of both places. (A disk that fails just then, and a process that is killed before the disk works again, may
//! bring such a trace twice: it is delivered from memory then, and found undecided later.)

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::pipeline::lane::Lane;
use crate::pipeline::sampling::{Released, Sampling};
use crate::spool::{Command, Event, Handle};

/// How long a held record waits for more that are written with it.
const EVERY: Duration = Duration::from_secs(1);
/// How long a disk that failed is left alone.
const REST: Duration = Duration::from_secs(2);

/// The way of held records to the disk.
pub(super) struct Ahead {
    handle: Handle,
    /// When what is held is to be written.
    due: Option<Instant>,
    last_ticket: u64,
    /// Writes that the disk has not answered.
    unanswered: BTreeSet<u64>,
    /// The disk failed; the write of this ticket, or a later one, has all that is held.
    mended_by: Option<u64>,
}

impl Ahead {
    pub(super) fn new(handle: Handle) -> Self {
        Self { handle, due: None, last_ticket: 0, unanswered: BTreeSet::new(), mended_by: None }
    }

    /// When to look again, if nothing else happens.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// Tells the disk what became of what it holds, and what there is to hold, if that is due. What was held of traces
    /// that are kept goes to the lanes.
    pub(super) fn look(&mut self, sampling: &mut Sampling, lanes: &mut [Lane], released: &[Released], now: Instant) {
        self.decide(sampling, lanes, released, now);
        if !sampling.has_unwritten() {
            self.due = None;
            if self.unanswered.is_empty() {
                // What the disk did not take was decided meanwhile.
                self.mended_by = None;
            }
        } else if *self.due.get_or_insert(now + EVERY) <= now {
            self.write(sampling);
        }
    }

    /// Has all that is held written, unless the disk has just failed. Returns the number that the writes are at most.
    pub(super) fn flush(&mut self, sampling: &mut Sampling) -> u64 {
        if sampling.has_unwritten() && self.mended_by.is_none() {
            self.write(sampling);
        }
        self.last_ticket
    }

    /// Whether the writes up to `number` are on disk; `None` while the disk has not answered.
    pub(super) fn is_written(&self, number: u64) -> Option<bool> {
        let is_answered = self.unanswered.first().is_none_or(|first| *first > number);
        is_answered.then_some(self.mended_by.is_none())
    }

    /// Takes in what the disk says of held records.
    pub(super) fn take_event(&mut self, event: &Event, sampling: &mut Sampling, now: Instant) {
        match event {
            Event::Holding { ticket, written: Ok(()) } => {
                self.unanswered.remove(ticket);
                if self.mended_by.is_some_and(|mended_by| *ticket >= mended_by) {
                    self.mended_by = None;
                }
            }
            // The spool has said why on stderr.
            Event::Holding { ticket, written: Err(_) } => {
                self.unanswered.remove(ticket);
                self.write_anew(sampling, now);
            }
            Event::LostHeld => self.write_anew(sampling, now),
            _ => {}
        }
    }

    fn decide(&mut self, sampling: &mut Sampling, lanes: &mut [Lane], released: &[Released], now: Instant) {
        let mut traces = sampling.take_forgotten();
        traces.extend(released.iter().map(|released| released.trace_id));
        if traces.is_empty() {
            return;
        }
        let records: Vec<_> = released.iter().flat_map(|released| released.records.iter().cloned()).collect();
        let mut batches = Vec::new();
        for lane in lanes.iter_mut().filter(|_| !records.is_empty()) {
            let stored = lane.release(&records, now);
            batches.extend(
                lane.spool_number().into_iter().flat_map(|lane| stored.iter().map(move |(t, b)| (lane, *t, b.clone()))),
            );
        }
        let asked: Vec<_> = batches.iter().map(|(lane, ticket, _)| (*lane, *ticket)).collect();
        if !self.handle.send(Command::Decide { traces, batches }) {
            for (lane, ticket) in asked {
                let event = Event::Stored { lane, ticket, key: Err("the spool is gone".to_owned()) };
                if let Some(lane) = lanes.get_mut(lane) {
                    lane.take_event(event, now);
                }
            }
        }
    }

    fn write(&mut self, sampling: &mut Sampling) {
        self.due = None;
        self.last_ticket += 1;
        let (ticket, traces) = (self.last_ticket, sampling.take_unwritten());
        if self.handle.send(Command::Hold { ticket, traces }) {
            self.unanswered.insert(ticket);
        } else {
            self.mended_by.get_or_insert(u64::MAX);
        }
    }

    fn write_anew(&mut self, sampling: &mut Sampling, now: Instant) {
        sampling.write_anew();
        self.mended_by = sampling.has_unwritten().then_some(self.last_ticket + 1);
        self.due = Some(now + REST);
    }
}
