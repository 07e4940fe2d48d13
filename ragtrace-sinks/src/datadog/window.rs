//! How old, and how far ahead, something may be that Datadog takes.

use std::time::Duration;

use ragtrace::Timestamp;

/// The times of things that may be sent now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    oldest: Timestamp,
    newest: Timestamp,
    limits: Limits,
}

/// How long back and ahead an intake takes something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) back: Duration,
    pub(super) ahead: Duration,
    /// The intake's name, for whoever reads why something was refused.
    pub(super) intake: &'static str,
}

/// A time that is within a limit by less is not sent: the limit is reached while it is under way,
/// and the server would drop it without a word.
const MARGIN: Duration = Duration::from_mins(1);

impl Limits {
    /// Returns what may be sent at `now`.
    pub(super) fn at(self, now: Timestamp) -> Window {
        let (back, ahead) = (self.back.saturating_sub(MARGIN), self.ahead.saturating_sub(MARGIN));
        Window { oldest: now.minus(back), newest: now.plus(ahead), limits: self }
    }
}

impl Window {
    /// Returns true if something of this time may be sent.
    pub(super) fn has(&self, time: Timestamp) -> bool {
        (self.oldest..=self.newest).contains(&time)
    }

    /// Returns why something of this time is not sent, or `None` if it is.
    pub(super) fn refusal(&self, time: Timestamp) -> Option<String> {
        let Limits { back, ahead, intake } = self.limits;
        if time < self.oldest {
            return Some(format!("its time, {time}, is past: {intake} take what is up to {} old", hours(back)));
        }
        if time > self.newest {
            return Some(format!("its time, {time}, is to come: {intake} take what is up to {} ahead", hours(ahead)));
        }
        None
    }
}

fn hours(time: Duration) -> String {
    format!("{} h", time.as_secs() / 3_600)
}
