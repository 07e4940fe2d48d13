//! Judges a sink's answer to a batch: what becomes of the batch, and when the next one is sent.

use std::time::{Duration, Instant};

use super::backoff::LONGEST_ASKED;
use super::outgoing::OutgoingBatch;
use super::sink_delivery::SinkDelivery;
use crate::sink::{Batch, Delivered, SinkError, Verdict};
use crate::spool::DeadLetter;

/// How often a sink that is parked is probed.
const PROBE_INTERVAL: Duration = Duration::from_secs(30);
/// How soon a sink that refuses whatever it is given is tried again, at the earliest.
const MIN_PARKED_DELAY: Duration = Duration::from_millis(500);
/// After so many panics of the sink over one batch the batch is at fault.
const MAX_PANICS: u32 = 3;
/// So many lone records, or counts, refused one after another, and nothing taken in between, are no
/// bad records: the backend is not set up for any.
const MAX_REFUSED_IN_A_ROW: usize = 8;

impl SinkDelivery {
    /// Takes in the answer to what was handed out with `ticket`.
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
            // Nothing was sent, so nothing says anything of the sink.
        } else if let (Some((_, why)), true) = (rejected.first(), refused == sent.records()) {
            // Nothing arrived, so nothing says that the sink is well.
            self.refused_in_a_row += rejected.len();
            // Once others were taken meanwhile, the batch is at fault.
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

    /// A panic says nothing of what it is about, so the halves of a batch begin where their parent
    /// ended.
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
                self.reporter.report_failing(error);
                let delay = self.backoff.wait(error.retry_after());
                self.postpone(now, delay);
                self.requeue_first(sent);
            }
            Verdict::Park => {
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

    /// Notes that the sink takes something.
    fn note_success(&mut self) {
        self.backoff.reset();
        self.not_before = None;
        self.failing_since = None;
        self.refused_in_a_row = 0;
        self.reporter.report_recovered();
    }

    /// Sends nothing more for `delay`.
    fn postpone(&mut self, now: Instant, delay: Duration) {
        self.failing_since.get_or_insert(now);
        self.not_before = Some(now + delay);
    }

    /// Keeps what is refused because everything is, and tries another batch next: it may be this
    /// one alone.
    fn park_refused(&mut self, mut sent: OutgoingBatch, why: &str, now: Instant) {
        sent.refused_after = Some(self.taken);
        self.reporter.report_parked(why);
        let delay = self.backoff.wait(None).max(MIN_PARKED_DELAY).min(PROBE_INTERVAL);
        self.postpone(now, delay);
        self.requeue_last(sent);
    }

    /// Puts the parts of a batch in its place: at once, if it is in memory alone, and once they are
    /// on disk otherwise.
    fn split(&mut self, sent: OutgoingBatch, parts: Vec<Batch>) {
        let part = |batch| OutgoingBatch { panics: sent.panics, ..OutgoingBatch::new(sent.number, None, batch) };
        let parts: Vec<_> = parts.into_iter().map(part).collect();
        match sent.key {
            // What is on disk as a whole must not arrive in parts as well, and the disk is gone.
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

    /// Notes that a batch is finished when all of so many parts are.
    fn count_parts(&mut self, sent: &OutgoingBatch, parts: usize) {
        if let Some(unfinished) = sent.number.and_then(|number| self.unfinished.get_mut(&number)) {
            *unfinished += parts - 1;
        }
    }

    /// Makes dead letters of all records of a batch. Its counts, which are alone in it unless the
    /// sink is closed, are dropped: nobody could send them again.
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

    /// Notes that the sink takes nothing any more: what there is stays on disk for the next
    /// process, or becomes dead letters without one.
    fn close(&mut self, sent: OutgoingBatch, error: &SinkError) {
        self.is_closed = true;
        self.close_batch();
        self.requeue_first(sent);
        if self.spooled.is_some() {
            self.reporter.report_parked(&error.to_string());
            return;
        }
        for left in std::mem::take(&mut self.ready) {
            self.dead_letter(&left, error);
        }
    }

    /// Finishes a batch, here and on disk.
    fn finish(&mut self, sent: &OutgoingBatch) {
        self.release_memory(sent);
        self.finish_part(sent);
        self.remove_from_disk(sent);
    }
}
