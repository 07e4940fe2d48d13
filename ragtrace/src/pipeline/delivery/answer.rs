//! Reactions to the outcome of a delivery: what happens to the batch, and when the next one is
//! sent.

use std::time::{Duration, Instant};

use super::backoff::LONGEST_ASKED;
use super::outgoing::OutgoingBatch;
use super::sink_delivery::SinkDelivery;
use crate::sink::{Batch, Delivered, SinkError, Verdict};
use crate::spool::DeadLetter;

/// The interval at which a parked sink is probed.
const PROBE_INTERVAL: Duration = Duration::from_secs(30);
/// The shortest pause before a sink that refuses everything is tried again.
const MIN_PARKED_DELAY: Duration = Duration::from_millis(500);
/// The number of panics over one batch after which the batch counts as rejected.
const MAX_PANICS: u32 = 3;
/// The number of lone records or metrics refused in a row, with nothing accepted in between, after
/// which the backend is considered misconfigured and not the records bad.
const MAX_REFUSED_IN_A_ROW: usize = 8;

impl SinkDelivery {
    /// Handles the outcome of the batch that was handed out with `ticket`.
    pub(crate) fn handle_answer(&mut self, ticket: u64, answer: Result<Delivered, SinkError>, now: Instant) {
        let Some(sent) = self.in_flight.remove(&ticket) else { return };
        match answer {
            Ok(delivered) => self.handle_delivered(sent, &delivered, now),
            Err(error) => self.handle_error(sent, &error, now),
        }
    }

    fn handle_delivered(&mut self, sent: OutgoingBatch, delivered: &Delivered, now: Instant) {
        let mut rejected: Vec<_> =
            delivered.rejected().iter().filter(|(index, _)| *index < sent.batch.records().len()).collect();
        rejected.sort_by_key(|(index, _)| *index);
        rejected.dedup_by_key(|(index, _)| *index);
        let refused = rejected.len() as u64;
        if delivered.is_unsent() && refused > 0 && refused == sent.records() {
            // Nothing was sent, so this says nothing about the sink.
        } else if let (Some((_, why)), true) = (rejected.first(), refused == sent.records()) {
            // Nothing was delivered, so nothing shows that the sink works.
            self.refused_in_a_row += rejected.len();
            // If the sink has accepted other batches in the meantime, this batch is bad.
            let has_taken_others = sent.refused_after.is_some_and(|taken| taken < self.taken);
            if self.refused_in_a_row >= MAX_REFUSED_IN_A_ROW && !has_taken_others {
                return self.park_refused(sent, &why.clone(), now);
            }
        } else {
            self.note_success();
            self.taken += u64::from(sent.records() > 0);
        }
        let unnamed = delivered.unnamed().map_or(0, |(records, _)| records.min(sent.records() - refused));
        self.account.delivered += sent.records() - refused - unnamed;
        self.account.dead_lettered += refused;
        match delivered.unnamed() {
            Some((_, why)) if unnamed > 0 => self.drop_records(unnamed, why),
            Some((_, why)) => self.reporter.report_warned(why),
            None => {}
        }
        self.reporter.report_shipped(&sent.batch);
        if let Some((_, why)) = rejected.first() {
            self.reporter.report_dead_lettered(refused, why);
        }
        let letter = |(index, why): &&(usize, String)| {
            DeadLetter::new(&self.account.name, why, sent.batch.records()[*index].clone())
        };
        self.write_dead_letters(rejected.iter().map(letter).collect());
        self.finish(&sent);
    }

    /// A panic does not tell a bad record from another cause, so the parts of a batch inherit its
    /// number of panics.
    fn handle_error(&mut self, mut sent: OutgoingBatch, error: &SinkError, now: Instant) {
        sent.panics += u32::from(error.is_panic());
        let is_poison = error.is_panic() && sent.panics >= MAX_PANICS;
        let verdict = if is_poison { Verdict::Rejected } else { error.verdict() };
        let parts = match verdict {
            Verdict::Split | Verdict::Rejected => sent.batch.split(),
            _ => Vec::new(),
        };
        match verdict {
            Verdict::Retry => {
                self.is_parked = false;
                self.reporter.report_failing(error);
                let delay = self.backoff.wait(error.retry_after());
                self.postpone(now, delay);
                self.requeue_first(sent);
            }
            Verdict::Park => {
                self.is_parked = true;
                self.reporter.report_parked(&error.to_string());
                self.backoff.wait(None);
                self.postpone(now, error.retry_after().unwrap_or(PROBE_INTERVAL).min(LONGEST_ASKED));
                self.requeue_first(sent);
            }
            Verdict::Split | Verdict::Rejected if !parts.is_empty() => self.split(sent, parts),
            Verdict::Split => self.dead_letter(&sent, error),
            Verdict::Rejected => {
                self.refused_in_a_row += 1;
                if self.refused_in_a_row < MAX_REFUSED_IN_A_ROW {
                    self.dead_letter(&sent, error);
                } else {
                    self.park_refused(sent, &error.to_string(), now);
                }
            }
            Verdict::Closed => self.close(sent, error),
        }
    }

    /// Notes that the sink has accepted something.
    fn note_success(&mut self) {
        self.backoff.reset();
        self.not_before = None;
        self.failing_since = None;
        self.is_parked = false;
        self.refused_in_a_row = 0;
        self.reporter.report_recovered();
    }

    /// Sends nothing more for `delay`.
    fn postpone(&mut self, now: Instant, delay: Duration) {
        self.failing_since.get_or_insert(now);
        self.not_before = Some(now + delay);
    }

    /// Keeps a batch because everything is refused, and tries another batch next, because this one
    /// alone may be bad.
    fn park_refused(&mut self, mut sent: OutgoingBatch, why: &str, now: Instant) {
        sent.refused_after = Some(self.taken);
        self.is_parked = true;
        self.reporter.report_parked(why);
        let delay = self.backoff.wait(None).max(MIN_PARKED_DELAY).min(PROBE_INTERVAL);
        self.postpone(now, delay);
        self.requeue_last(sent);
    }

    /// Replaces a batch by its parts: at once if it is only in memory, otherwise once the parts are
    /// on disk.
    fn split(&mut self, sent: OutgoingBatch, parts: Vec<Batch>) {
        let part = |batch| OutgoingBatch { panics: sent.panics, ..OutgoingBatch::new(sent.number, None, batch) };
        let parts: Vec<_> = parts.into_iter().map(part).collect();
        match sent.key {
            // Without the disk, the whole batch stays there for the next process, and must not be
            // delivered in parts as well.
            Some(_) if self.spooled.is_none() => self.leave_on_disk(&sent),
            Some(key) => {
                self.count_parts(&sent, parts.len());
                self.store_parts(sent, key, parts);
            }
            None => {
                self.count_parts(&sent, parts.len());
                parts.into_iter().rev().for_each(|part| self.requeue_first(part));
            }
        }
    }

    /// Notes that a batch is finished only when this many parts are.
    fn count_parts(&mut self, sent: &OutgoingBatch, parts: usize) {
        if let Some(unfinished) = sent.number.and_then(|number| self.unfinished.get_mut(&number)) {
            unfinished.parts += parts - 1;
        }
    }

    /// Turns all records of a batch into dead letters. Its metrics are dropped, because they could
    /// not be sent again; a batch has both only if the sink is closed.
    fn dead_letter(&mut self, sent: &OutgoingBatch, error: &SinkError) {
        let why = error.to_string();
        self.account.dead_lettered += sent.records();
        if sent.records() > 0 {
            self.reporter.report_dead_lettered(sent.records(), &why);
        }
        self.drop_counts(sent.batch.counts(), &format!("they were refused for good: {why}"));
        let records = sent.batch.records().iter();
        let letters = records.map(|record| DeadLetter::new(&self.account.name, &why, record.clone()));
        self.write_dead_letters(letters.collect());
        self.finish(sent);
    }

    /// Notes that the sink accepts nothing any more. Batches stay on disk for the next process, or
    /// without a disk become dead letters.
    fn close(&mut self, sent: OutgoingBatch, error: &SinkError) {
        self.is_closed = true;
        self.close_batch();
        self.requeue_first(sent);
        if self.spooled.is_some() {
            self.is_parked = true;
            self.reporter.report_parked(&error.to_string());
            return;
        }
        for left in std::mem::take(&mut self.ready) {
            self.dead_letter(&left, error);
        }
    }

    /// Finishes a batch, in memory and on disk.
    fn finish(&mut self, sent: &OutgoingBatch) {
        self.release_memory(sent);
        self.finish_part(sent);
        self.remove_from_disk(sent);
    }
}
