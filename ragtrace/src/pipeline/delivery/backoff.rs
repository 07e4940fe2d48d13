//! The wait before the next attempt.

use std::time::Duration;

/// The maximum first wait.
const FIRST: Duration = Duration::from_millis(200);
/// The maximum wait, unless the backend asks for a longer one.
const LONGEST: Duration = Duration::from_mins(1);
/// The maximum wait that a backend may ask for.
pub(super) const LONGEST_ASKED: Duration = Duration::from_hours(1);

/// Exponential backoff with full jitter: a random time up to `FIRST * 2^failures`, bounded, and
/// never shorter than the backend asked for.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Notes a failure, and returns how long to wait.
    pub(super) fn wait(&mut self, asked: Option<Duration>) -> Duration {
        let most = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let jittered = most.mul_f64(fastrand::f64());
        jittered.max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }

    /// Notes a success.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// Returns the number of failures in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_bound_and_honour_what_was_asked() {
        let mut backoff = Backoff::default();
        assert!(backoff.wait(None) <= FIRST);
        for _ in 0..100 {
            assert!(backoff.wait(None) <= LONGEST);
        }
        assert!(backoff.wait(Some(Duration::from_secs(90))) >= Duration::from_secs(90));
        assert!(backoff.wait(Some(Duration::MAX)) <= LONGEST_ASKED);
        backoff.reset();
        assert!(backoff.wait(None) <= FIRST);
    }
}
