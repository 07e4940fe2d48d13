//! What a sink's answer to a batch means.

use std::time::{Duration, Instant};

use super::{Lane, Outgoing};
use crate::sink::{Delivered, SinkError, Verdict};
use crate::spool::DeadLetter;

/// How often a sink that does not know us is tried again.
const PROBE: Duration = Duration::from_secs(30);
/// How soon a sink that refuses whatever it is given is tried again, at the earliest.
const SOON: Duration = Duration::from_millis(500);
/// After so many panics of the sink over one batch it is the batch.
const PANICS: u32 = 3;
/// So many lone records refused one after another, and nothing taken in between, are no bad records: the backend is not
/// set up for any.
const IN_A_ROW: usize = 8;

impl Lane {
    /// Takes in the answer to what was handed out with `ticket`.
    pub(crate) fn answer(&mut self, ticket: u64, answer: Result<Delivered, SinkError>, now: Instant) {
        let Some(sent) = self.in_flight.remove(&ticket) else { return };
        match answer {
            Ok(delivered) => self.delivered(sent, &delivered, now),
            Err(error) => self.failed(sent, &error, now),
        }
    }

    fn delivered(&mut self, sent: Outgoing, delivered: &Delivered, now: Instant) {
        let mut rejected: Vec<_> =
            delivered.rejected().iter().filter(|(index, _)| *index < sent.batch.records().len()).collect();
        rejected.sort_by_key(|(index, _)| *index);
        rejected.dedup_by_key(|(index, _)| *index);
        let refused = rejected.len() as u64;
        if let (Some((_, why)), true) = (rejected.first(), refused == sent.records()) {
            // Nothing arrived, so nothing says that the sink is well.
            self.refused_in_a_row += rejected.len();
            if self.refused_in_a_row >= IN_A_ROW {
                return self.park_refused(sent, &why.clone(), now);
            }
        } else {
            self.is_well();
        }
        self.account.delivered += sent.records() - refused;
        self.account.dead_lettered += refused;
        self.news.shipped(&sent.batch);
        if let Some((_, why)) = rejected.first() {
            self.news.dead_lettered(refused, why);
        }
        let letter = |(index, why): &&(usize, String)| {
            DeadLetter::new(&self.account.name, why, sent.batch.records()[*index].clone())
        };
        self.bury(rejected.iter().map(letter).collect());
        self.done(&sent);
    }

    /// A panic says nothing of what it is about, so the halves of a batch begin where their parent ended.
    fn failed(&mut self, mut sent: Outgoing, error: &SinkError, now: Instant) {
        sent.panics += u32::from(error.is_panic());
        let is_poison = error.is_panic() && sent.panics >= PANICS;
        let verdict = if is_poison { Verdict::Rejected } else { error.verdict() };
        match verdict {
            Verdict::Retry => {
                self.news.failing(error);
                let delay = self.backoff.wait(error.retry_after());
                self.wait(now, delay);
                self.put_back(sent);
            }
            Verdict::Park => {
                self.news.parked(&error.to_string());
                self.backoff.wait(None);
                self.wait(now, error.retry_after().unwrap_or(PROBE));
                self.put_back(sent);
            }
            Verdict::Split | Verdict::Rejected if sent.batch.records().len() > 1 => self.halve(sent),
            Verdict::Split => self.refused(&sent, error),
            Verdict::Rejected => {
                self.refused_in_a_row += 1;
                if self.refused_in_a_row < IN_A_ROW {
                    self.refused(&sent, error);
                } else {
                    self.park_refused(sent, &error.to_string(), now);
                }
            }
            Verdict::Closed => self.closed(sent, error),
        }
    }

    /// The sink takes something.
    fn is_well(&mut self) {
        self.backoff.reset();
        self.not_before = None;
        self.failing_since = None;
        self.refused_in_a_row = 0;
        self.news.recovered();
    }

    fn wait(&mut self, now: Instant, delay: Duration) {
        self.failing_since.get_or_insert(now);
        self.not_before = Some(now + delay);
    }

    /// Keeps what is refused because everything is, and tries another batch next: it may be this one alone.
    fn park_refused(&mut self, sent: Outgoing, why: &str, now: Instant) {
        self.news.parked(why);
        let delay = self.backoff.wait(None).max(SOON).min(PROBE);
        self.wait(now, delay);
        if sent.number.is_some() {
            self.ready.push_back(sent);
        } else {
            self.backlog.push_back(sent);
        }
    }

    /// The halves take the place of a batch: at once, if it is in memory alone, and once they are on disk otherwise.
    fn halve(&mut self, sent: Outgoing) {
        if let Some(parts) = sent.number.and_then(|number| self.unsettled.get_mut(&number)) {
            *parts += 1;
        }
        let halves = sent.batch.halve().map(|batch| Outgoing {
            number: sent.number,
            key: None,
            bytes: batch.memory_estimate(),
            batch,
            panics: sent.panics,
        });
        match sent.key {
            Some(key) => self.store_halves(sent, key, halves),
            None => halves.into_iter().rev().for_each(|half| self.put_back(half)),
        }
    }

    fn refused(&mut self, sent: &Outgoing, error: &SinkError) {
        let why = error.to_string();
        self.account.dead_lettered += sent.records();
        self.news.dead_lettered(sent.records(), &why);
        let letters = sent.batch.records().iter();
        self.bury(letters.map(|record| DeadLetter::new(&self.account.name, &why, record.clone())).collect());
        self.done(sent);
    }

    /// The sink takes nothing any more: what there is stays on disk for the next process, or is dead without one.
    fn closed(&mut self, sent: Outgoing, error: &SinkError) {
        self.is_closed = true;
        self.close_batch();
        self.put_back(sent);
        if self.disk.is_some() {
            self.news.parked(&error.to_string());
            return;
        }
        for waiting in std::mem::take(&mut self.ready) {
            self.refused(&waiting, error);
        }
    }

    /// The batch is done with, here and on disk.
    fn done(&mut self, sent: &Outgoing) {
        self.leave(sent);
        self.settle(sent);
        self.forget(sent);
    }

    pub(super) fn put_back(&mut self, outgoing: Outgoing) {
        if outgoing.number.is_some() {
            self.ready.push_front(outgoing);
        } else {
            self.backlog.push_front(outgoing);
        }
    }
}
