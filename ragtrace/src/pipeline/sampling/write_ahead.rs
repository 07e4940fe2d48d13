//! Writes held records ahead to disk where records are durable: once a second, and at a flush.
//!
//! The records of a trace that is decided within the second are never written. A trace that is kept
//! later reaches the deliveries in batches of its own, which the disk stores in the same
//! transaction in which it removes the records written ahead. After a crash they are in exactly one
//! of the two places. (If the disk fails just then, and the process is killed before the disk works
//! again, such a trace may arrive twice: it was delivered from memory, and is found undecided
//! later.)

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::tail_sampler::{KeptTrace, TailSampler};
use crate::TraceId;
use crate::record::Record;
use crate::spool::{KeptBatch, SpoolCommand, SpoolEvent, SpoolHandle};

/// The time that a held record waits for others that are written with it.
const WRITE_INTERVAL: Duration = Duration::from_secs(1);
/// The pause after the disk has failed.
const DISK_PAUSE: Duration = Duration::from_secs(2);

/// Writes held records to disk.
pub(crate) struct WriteAhead {
    spool: SpoolHandle,
    /// The time at which held records are to be written.
    due: Option<Instant>,
    last_ticket: u64,
    /// The tickets of writes that the disk has not answered.
    unanswered: BTreeSet<u64>,
    /// Set after a failure of the disk: the write with this ticket, or a later one, contains all
    /// held records.
    repaired_by: Option<u64>,
}

/// Decided traces of which the disk has records.
pub(crate) struct DecidedTraces {
    pub(crate) traces: Vec<TraceId>,
    /// The held records of the traces that are kept.
    pub(crate) records: Vec<Record>,
}

impl WriteAhead {
    pub(crate) fn new(spool: SpoolHandle) -> Self {
        Self { spool, due: None, last_ticket: 0, unanswered: BTreeSet::new(), repaired_by: None }
    }

    /// Returns the time of the next write, if nothing happens before.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// Returns the decisions about traces that were written ahead: those that the sampler has left
    /// out since the last call, and `kept`.
    pub(crate) fn take_decided(sampler: &mut TailSampler, kept: &[KeptTrace]) -> Option<DecidedTraces> {
        let mut traces = sampler.take_left_out_on_disk();
        traces.extend(kept.iter().map(|kept| kept.trace_id));
        let records = kept.iter().flat_map(|kept| kept.records.iter().cloned()).collect();
        (!traces.is_empty()).then_some(DecidedTraces { traces, records })
    }

    /// Makes the disk remove decided traces and store `batches` in their place. Returns `false` if
    /// the spool has ended.
    pub(crate) fn send_decided(&self, traces: Vec<TraceId>, batches: Vec<KeptBatch>) -> bool {
        self.spool.send(SpoolCommand::Decide { traces, batches })
    }

    /// Writes held records that were not written, if a write is due.
    pub(crate) fn write_if_due(&mut self, sampler: &mut TailSampler, now: Instant) {
        if !sampler.has_unwritten() {
            self.due = None;
            if self.unanswered.is_empty() {
                // All traces that the disk failed to store have been decided in the meantime.
                self.repaired_by = None;
            }
        } else if *self.due.get_or_insert(now + WRITE_INTERVAL) <= now {
            self.write(sampler);
        }
    }

    /// Writes all held records, unless the disk has just failed. Returns the highest ticket of the
    /// writes so far.
    pub(crate) fn flush(&mut self, sampler: &mut TailSampler) -> u64 {
        if sampler.has_unwritten() && self.repaired_by.is_none() {
            self.write(sampler);
        }
        self.last_ticket
    }

    /// Returns whether the writes up to `ticket` are on disk, or `None` while the disk has not
    /// answered.
    pub(crate) fn is_written(&self, ticket: u64) -> Option<bool> {
        let is_answered = self.unanswered.first().is_none_or(|first| *first > ticket);
        is_answered.then_some(self.repaired_by.is_none())
    }

    /// Continues without a disk.
    pub(crate) fn lose_disk(&mut self) {
        self.unanswered.clear();
        self.repaired_by = Some(u64::MAX);
    }

    /// Handles an event of the spool about held records.
    pub(crate) fn handle_spool_event(&mut self, event: &SpoolEvent, sampler: &mut TailSampler, now: Instant) {
        match event {
            SpoolEvent::UndecidedWritten { ticket, written: Ok(()) } => {
                self.unanswered.remove(ticket);
                if self.repaired_by.is_some_and(|repaired_by| *ticket >= repaired_by) {
                    self.repaired_by = None;
                }
            }
            // The spool has reported the reason on stderr.
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
