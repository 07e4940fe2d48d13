//! What there is to tell of a sink: on stderr, and as records of our own for the other sinks.

use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::record::Record;
use crate::sink::Batch;
use crate::warning::{self, Limited};

/// Deliveries are told of together, at most this often.
const EVERY: Duration = Duration::from_secs(1);

/// Something that the pipeline did or could not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Batches arrived.
    Shipped { batches: u64, records: u64 },
    /// A sink does not take records.
    Failing { why: String },
    /// A sink is left alone until somebody mends its configuration.
    Parked { why: String },
    /// A sink takes records again.
    Recovered,
    /// Records were given up.
    Dropped { records: u64, why: String },
}

/// What is told of one sink.
#[derive(Debug)]
pub(super) struct News {
    sink: String,
    doings: Vec<Doing>,
    shipped: (u64, u64),
    shipped_at: Option<Instant>,
    failing: Limited,
    parked: Limited,
    dropped: Limited,
    dead_lettered: Limited,
}

impl News {
    pub(super) fn new(sink: String) -> Self {
        Self {
            sink,
            doings: Vec::new(),
            shipped: (0, 0),
            shipped_at: None,
            failing: Limited::default(),
            parked: Limited::default(),
            dropped: Limited::default(),
            dead_lettered: Limited::default(),
        }
    }

    pub(super) fn take(&mut self, now: Instant) -> Vec<Doing> {
        let is_due = self.shipped_at.is_none_or(|at| now.duration_since(at) >= EVERY);
        if self.shipped.0 > 0 && is_due {
            let (batches, records) = std::mem::take(&mut self.shipped);
            self.shipped_at = Some(now);
            self.doings.push(Doing::Shipped { batches, records });
        }
        std::mem::take(&mut self.doings)
    }

    /// A batch arrived. One that has nothing but our own records is not told of, or there were no end of it.
    pub(super) fn shipped(&mut self, batch: &Batch) {
        if !batch.records().iter().all(Record::is_own) {
            self.shipped.0 += 1;
            self.shipped.1 += batch.records().len() as u64;
        }
    }

    /// The sink fails; its records wait.
    pub(super) fn failing(&mut self, why: &impl Display) {
        let sink = &self.sink;
        if self.failing.tell(1, |_| format!("sink {sink} does not take records, and is tried again: {why}")) {
            self.doings.push(Doing::Failing { why: why.to_string() });
        }
    }

    /// The sink is left alone for longer.
    pub(super) fn parked(&mut self, why: &str) {
        let sink = &self.sink;
        if self.parked.tell(1, |_| format!("sink {sink} is parked until its configuration is mended: {why}")) {
            self.doings.push(Doing::Parked { why: why.to_owned() });
        }
    }

    /// The sink takes records.
    pub(super) fn recovered(&mut self) {
        let (was_failing, was_parked) = (self.failing.is_over(), self.parked.is_over());
        if was_failing || was_parked {
            warning::line(&format!("sink {} takes records again", self.sink));
            self.doings.push(Doing::Recovered);
        }
    }

    /// Records were given up.
    pub(super) fn dropped(&mut self, records: u64, why: &str) {
        let sink = &self.sink;
        let mut told = 0;
        let words = |records| {
            told = records;
            format!("sink {sink}: {records} records dropped: {why}")
        };
        if self.dropped.tell(records, words) {
            self.doings.push(Doing::Dropped { records: told, why: why.to_owned() });
        }
    }

    /// Records were refused for good.
    pub(super) fn dead_lettered(&mut self, records: u64, why: &str) {
        let sink = &self.sink;
        self.dead_lettered.tell(records, |records| format!("sink {sink}: {records} records refused for good: {why}"));
    }
}
