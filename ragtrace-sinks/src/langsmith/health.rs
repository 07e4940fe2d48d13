//! Tracks whether LangSmith accepts what both sinks send.
//!
//! A score is given up if its run should have arrived long ago. That cannot be told while LangSmith
//! fails, or still receives runs from before an outage.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ragtrace::sink::{SinkError, Verdict};

/// The time between a run's end and its delivery from which on it comes from a backlog.
pub(super) const BACKLOG: Duration = Duration::from_secs(10);

/// The known health of a server.
#[derive(Debug, Default)]
pub(super) struct Health {
    is_langsmith: AtomicBool,
    pub(super) runs: Flow,
    pub(super) feedback: Flow,
}

impl Health {
    /// Notes that the server accepted something, or told its limits.
    pub(super) fn note_langsmith(&self) {
        self.is_langsmith.store(true, Ordering::Relaxed);
    }

    /// Returns `true` if the server has shown that it is a LangSmith.
    pub(super) fn is_langsmith(&self) -> bool {
        self.is_langsmith.load(Ordering::Relaxed)
    }

    /// Returns `true` if feedback has been answered for at least `wait`, and runs too if this
    /// process sends any.
    pub(super) fn is_settled(&self, wait: Duration, now: Instant) -> bool {
        self.feedback.is_well(wait, now).unwrap_or(false) && self.runs.is_well(wait, now).unwrap_or(true)
    }
}

/// The health of sending runs, or feedback.
#[derive(Debug, Default)]
pub(super) struct Flow(Mutex<State>);

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Unknown,
    Failing,
    WellSince(Instant),
}

impl Flow {
    /// Notes an answer. A refusal concerns its data, and says nothing about the server.
    pub(super) fn note<T>(&self, answer: &Result<T, SinkError>, now: Instant) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (answer.as_ref().map_err(SinkError::verdict), *state) {
            (Ok(_), State::Unknown | State::Failing) => *state = State::WellSince(now),
            (Err(Verdict::Retry | Verdict::Park), _) => *state = State::Failing,
            _ => {}
        }
    }

    /// Notes that the accepted data had waited.
    pub(super) fn note_backlog(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::WellSince(now);
    }

    /// Returns `true` if sending has worked for at least `wait`, or `None` if nothing was sent yet.
    fn is_well(&self, wait: Duration, now: Instant) -> Option<bool> {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Unknown => None,
            State::Failing => Some(false),
            State::WellSince(since) => Some(now.saturating_duration_since(since) >= wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_secs(30);
    const SECOND: Duration = Duration::from_secs(1);

    fn down() -> Result<(), SinkError> {
        Err(SinkError::retry("503"))
    }

    #[test]
    fn feedback_is_settled_some_time_after_its_first_answer_and_after_each_failure() {
        let (health, start) = (Health::default(), Instant::now());
        assert!(!health.is_settled(Duration::ZERO, start), "nothing is known");
        health.feedback.note(&Ok(()), start);
        assert!(!health.is_settled(WAIT, start + 29 * SECOND));
        health.feedback.note(&Ok(()), start + 29 * SECOND);
        assert!(health.is_settled(WAIT, start + WAIT));
        health.feedback.note(&down(), start + WAIT);
        assert!(!health.is_settled(Duration::ZERO, start + 100 * WAIT), "it is down");
        health.feedback.note(&Ok(()), start + 100 * WAIT);
        assert!(!health.is_settled(WAIT, start + 100 * WAIT + 29 * SECOND));
        assert!(health.is_settled(WAIT, start + 101 * WAIT));
    }

    #[test]
    fn runs_that_fail_or_come_from_a_backlog_may_be_those_of_scores() {
        let (health, start) = (Health::default(), Instant::now());
        health.feedback.note(&Ok(()), start);
        assert!(health.is_settled(WAIT, start + WAIT), "runs are sent from elsewhere");
        health.runs.note(&down(), start + WAIT);
        assert!(!health.is_settled(WAIT, start + 100 * WAIT));
        health.runs.note(&Ok(()), start + 100 * WAIT);
        health.runs.note_backlog(start + 101 * WAIT);
        health.runs.note(&Ok(()), start + 101 * WAIT + SECOND);
        assert!(!health.is_settled(WAIT, start + 101 * WAIT + SECOND));
        assert!(health.is_settled(WAIT, start + 102 * WAIT));
    }

    #[test]
    fn what_is_refused_or_split_says_nothing_of_the_server() {
        let (health, start) = (Health::default(), Instant::now());
        health.feedback.note(&Ok(()), start);
        for verdict in [SinkError::rejected("422"), SinkError::split("413")] {
            health.feedback.note::<()>(&Err(verdict), start + SECOND);
        }
        assert!(health.is_settled(WAIT, start + WAIT));
    }
}
