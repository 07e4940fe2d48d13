//! Warnings for an operator who must know although the sink that would report it is the one that
//! fails: lines on stderr, few of them.

use std::io::Write;
use std::time::{Duration, Instant};

/// A warning of one sort is printed at most this often.
const INTERVAL: Duration = Duration::from_secs(30);

/// A warning of one sort of trouble, printed at once and then at most every half minute.
#[derive(Debug, Default)]
pub(crate) struct RateLimitedWarning {
    printed_at: Option<Instant>,
    is_active: bool,
    /// How much has happened since that was in no warning.
    unreported: u64,
}

impl RateLimitedWarning {
    /// Warns of `number` more on stderr, unless that was done lately; then they are part of the
    /// next warning. Returns whether it was printed.
    pub(crate) fn warn(&mut self, number: u64, message: impl FnOnce(u64) -> String) -> bool {
        self.unreported += number;
        let now = Instant::now();
        if self.printed_at.is_some_and(|at| now.duration_since(at) < INTERVAL) {
            return false;
        }
        self.printed_at = Some(now);
        self.is_active = true;
        print(&message(std::mem::take(&mut self.unreported)));
        true
    }

    /// Notes that the trouble is over. Returns whether there was a warning of it, so that its end
    /// should be printed, too.
    pub(crate) fn clear(&mut self) -> bool {
        std::mem::take(&mut self.is_active)
    }
}

/// Writes one line to stderr. A stderr that is gone is no reason to fail.
pub(crate) fn print(text: &str) {
    let _ = writeln!(std::io::stderr(), "ragtrace: {text}");
}
