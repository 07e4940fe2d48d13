//! Writes ahead the records that the sampler holds, where records are to be durable: once a second,
//! and when somebody flushes.
//!
//! A trace that is decided within the second never touches the disk. One that is kept later comes
//! to the deliveries as batches of their own, which the disk stores in the same transaction as it
//! lets go of what was written ahead: after a crash they are in one of both places. (A disk that
//! fails just then, and a process that is killed before the disk works again, may bring such a
//! trace twice: it is delivered from memory then, and found undecided later.)

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::tail_sampler::{KeptTrace, TailSampler};
use crate::TraceId;
use crate::record::Record;
use crate::spool::{KeptBatch, SpoolCommand, SpoolEvent, SpoolHandle};

/// How long a held record waits for more that are written with it.
const WRITE_INTERVAL: Duration = Duration::from_secs(1);
/// How long a disk that failed is left alone.
const DISK_PAUSE: Duration = Duration::from_secs(2);

/// Writes held records to the disk.
pub(crate) struct WriteAhead {
    spool: SpoolHandle,
    /// When what is held is to be written.
    due: Option<Instant>,
    last_ticket: u64,
    /// Writes that the disk has not answered.
    unanswered: BTreeSet<u64>,
    /// The disk failed; the write of this ticket, or a later one, has all that is held.
    repaired_by: Option<u64>,
}

/// Traces that are decided, some of which the disk has.
pub(crate) struct DecidedTraces {
    pub(crate) traces: Vec<TraceId>,
    /// The records that were held of those that are kept.
    pub(crate) records: Vec<Record>,
}

impl WriteAhead {
    pub(crate) fn new(spool: SpoolHandle) -> Self {
        Self { spool, due: None, last_ticket: 0, unanswered: BTreeSet::new(), repaired_by: None }
    }

    /// Returns when something is to be written, if nothing else happens.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// Returns what was decided of traces that were written ahead: those that the sampler has left
    /// out since the last call, and `kept`.
    pub(crate) fn take_decided(sampler: &mut TailSampler, kept: &[KeptTrace]) -> Option<DecidedTraces> {
        let mut traces = sampler.take_left_out_on_disk();
        traces.extend(kept.iter().map(|kept| kept.trace_id));
        let records = kept.iter().flat_map(|kept| kept.records.iter().cloned()).collect();
        (!traces.is_empty()).then_some(DecidedTraces { traces, records })
    }

    /// Has the disk let go of decided traces, and store `batches` in their place. Returns whether
    /// the spool is still there to do so.
    pub(crate) fn send_decided(&self, traces: Vec<TraceId>, batches: Vec<KeptBatch>) -> bool {
        self.spool.send(SpoolCommand::Decide { traces, batches })
    }

    /// Writes what is held and was not written, if that is due.
    pub(crate) fn write_if_due(&mut self, sampler: &mut TailSampler, now: Instant) {
        if !sampler.has_unwritten() {
            self.due = None;
            if self.unanswered.is_empty() {
                // What the disk did not take was decided meanwhile.
                self.repaired_by = None;
            }
        } else if *self.due.get_or_insert(now + WRITE_INTERVAL) <= now {
            self.write(sampler);
        }
    }

    /// Has all that is held written, unless the disk has just failed. Returns the highest ticket of
    /// the writes so far.
    pub(crate) fn flush(&mut self, sampler: &mut TailSampler) -> u64 {
        if sampler.has_unwritten() && self.repaired_by.is_none() {
            self.write(sampler);
        }
        self.last_ticket
    }

    /// Returns whether the writes up to `ticket` are on disk; `None` while the disk has not
    /// answered.
    pub(crate) fn is_written(&self, ticket: u64) -> Option<bool> {
        let is_answered = self.unanswered.first().is_none_or(|first| *first > ticket);
        is_answered.then_some(self.repaired_by.is_none())
    }

    /// Takes in that there is no disk any more.
    pub(crate) fn lose_disk(&mut self) {
        self.unanswered.clear();
        self.repaired_by = Some(u64::MAX);
    }

    /// Takes in what the spool answers about held records.
    pub(crate) fn handle_spool_event(&mut self, event: &SpoolEvent, sampler: &mut TailSampler, now: Instant) {
        match event {
            SpoolEvent::UndecidedWritten { ticket, written: Ok(()) } => {
                self.unanswered.remove(ticket);
                if self.repaired_by.is_some_and(|repaired_by| *ticket >= repaired_by) {
                    self.repaired_by = None;
                }
            }
            // The spool has said why on stderr.
            SpoolEvent::UndecidedWritten { ticket, written: Err(_) } => {
                self.unanswered.remove(ticket);
                self.write_again_later(sampler, now);
            }
            SpoolEvent::UndecidedLost => self.write_again_later(sampler, now),
            _ => {}
        }
    }

    fn write(&mut self, sampler: &mut TailSampler) {
        self.due = None;
        self.last_ticket += 1;
        let (ticket, traces) = (self.last_ticket, sampler.take_unwritten());
        if self.spool.send(SpoolCommand::WriteUndecided { ticket, traces }) {
            self.unanswered.insert(ticket);
        } else {
            self.repaired_by.get_or_insert(u64::MAX);
        }
    }

    fn write_again_later(&mut self, sampler: &mut TailSampler, now: Instant) {
        sampler.mark_unwritten();
        self.repaired_by = sampler.has_unwritten().then_some(self.last_ticket + 1);
        self.due = Some(now + DISK_PAUSE);
    }
}
