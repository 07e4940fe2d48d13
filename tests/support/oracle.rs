//! Compares the issued records with those that arrived.

use std::sync::atomic::{AtomicU8, Ordering};

use ragtrace::{Event, Record, traced_stage};

/// A run of a stage with a unique number, which makes two records.
#[traced_stage(name = "issued", fields(number))]
pub fn issue(number: u64) {
    std::hint::black_box(number);
}

/// Returns the number of the run that a record belongs to, if [`issue`] made it.
pub fn number_of(record: &Record) -> Option<u64> {
    (record.stage() == Some("issued")).then(|| record.field("number")?.as_u64()).flatten()
}

/// Identifies one of the two records of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Trace {
    /// The number of the run.
    pub number: u64,
    /// `true` for the end record.
    pub is_end: bool,
}

impl Trace {
    /// Returns the identification of a record that [`issue`] made.
    pub fn of(record: &Record) -> Option<Self> {
        number_of(record).map(|number| Self { number, is_end: record.event() != Event::Started })
    }
}

/// Counts how often each record arrived.
#[derive(Debug)]
pub struct Oracle {
    counts: Vec<AtomicU8>,
}

impl Oracle {
    /// Creates an oracle for runs numbered from 0 to `runs`.
    ///
    /// # Panics
    ///
    /// Panics if there are more than fit into memory.
    pub fn new(runs: u64) -> Self {
        let records = usize::try_from(runs * 2).expect("fits memory");
        Self { counts: (0..records).map(|_| AtomicU8::new(0)).collect() }
    }

    /// Counts a record that arrived.
    ///
    /// # Panics
    ///
    /// Panics if the record was never issued.
    pub fn arrived(&self, trace: Trace) {
        let index = usize::try_from(trace.number * 2 + u64::from(trace.is_end)).expect("fits memory");
        let count = self.counts.get(index).expect("no record arrives that was not issued");
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how many records arrived never, once, and more often.
    pub fn summary(&self) -> (usize, usize, usize) {
        let of = |wanted: fn(u8) -> bool| self.counts.iter().filter(|c| wanted(c.load(Ordering::Relaxed))).count();
        (of(|n| n == 0), of(|n| n == 1), of(|n| n > 1))
    }
}
