//! What an operator must know although the sink that would tell is the one that fails: lines on stderr, few of them.

use std::io::Write;
use std::time::{Duration, Instant};

/// The same sort of trouble is told at most this often.
const EVERY: Duration = Duration::from_secs(30);

/// One sort of trouble, told at once and then at most every half minute.
#[derive(Debug, Default)]
pub(crate) struct Limited {
    told_at: Option<Instant>,
    is_on: bool,
    /// What was not told of since.
    untold: u64,
}

impl Limited {
    /// Tells of `number` more, on stderr, unless that was done lately; then they are told of the next time. Returns
    /// whether it was told.
    pub(crate) fn tell(&mut self, number: u64, words: impl FnOnce(u64) -> String) -> bool {
        self.untold += number;
        let now = Instant::now();
        if self.told_at.is_some_and(|at| now.duration_since(at) < EVERY) {
            return false;
        }
        self.told_at = Some(now);
        self.is_on = true;
        line(&words(std::mem::take(&mut self.untold)));
        true
    }

    /// The trouble is over. Returns whether it was told of, so that the end of it should be, too.
    pub(crate) fn is_over(&mut self) -> bool {
        std::mem::take(&mut self.is_on)
    }
}

/// Writes one line to stderr. A stderr that is gone is no reason to fail.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stderr(), "ragtrace: {text}");
}
