//! What an operator must know although the sink that would tell is the one that fails: lines on stderr, few of them.

use std::fmt::Display;
use std::io::Write;
use std::time::{Duration, Instant};

/// The same sort of trouble is told at most this often.
const EVERY: Duration = Duration::from_secs(30);

/// Warnings about one sink.
#[derive(Debug)]
pub(crate) struct Warnings {
    sink: String,
    failing: Option<Told>,
    dropped: Option<Told>,
    dead_lettered: Option<Told>,
}

#[derive(Debug)]
struct Told {
    at: Instant,
    /// Records that were not told of since.
    since: usize,
}

impl Warnings {
    pub(crate) fn new(sink: String) -> Self {
        Self { sink, failing: None, dropped: None, dead_lettered: None }
    }

    /// The sink fails; its records wait.
    pub(crate) fn failing(&mut self, why: &impl Display) {
        if due(&mut self.failing, 0).is_some() {
            line(&format!("sink {} does not take records, and is tried again: {why}", self.sink));
        }
    }

    /// The sink takes records again.
    pub(crate) fn recovered(&mut self) {
        if self.failing.take().is_some() {
            line(&format!("sink {} takes records again", self.sink));
        }
    }

    /// Records were given up.
    pub(crate) fn dropped(&mut self, records: usize, why: &str) {
        if let Some(records) = due(&mut self.dropped, records) {
            line(&format!("sink {}: {records} records dropped: {why}", self.sink));
        }
    }

    /// Records were refused for good.
    pub(crate) fn dead_lettered(&mut self, records: usize, why: &str) {
        if let Some(records) = due(&mut self.dead_lettered, records) {
            line(&format!("sink {}: {records} records refused for good: {why}", self.sink));
        }
    }
}

/// How many records to tell of now, or `None` if it was told lately.
fn due(told: &mut Option<Told>, records: usize) -> Option<usize> {
    let now = Instant::now();
    match told {
        Some(told) if now.duration_since(told.at) < EVERY => {
            told.since += records;
            None
        }
        _ => {
            let since = told.take().map_or(0, |told| told.since);
            *told = Some(Told { at: now, since: 0 });
            Some(since + records)
        }
    }
}

/// Writes one line to stderr. A stderr that is gone is no reason to fail.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stderr(), "ragtrace: {text}");
}
