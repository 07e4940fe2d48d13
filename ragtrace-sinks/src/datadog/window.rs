//! The range of times that an intake accepts.

use std::time::Duration;

use ragtrace::Timestamp;

/// The range of times that may be sent now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    oldest: Timestamp,
    newest: Timestamp,
    limits: Limits,
}

/// The greatest age, and the greatest distance into the future, that an intake accepts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) back: Duration,
    pub(super) ahead: Duration,
    /// The intake's name, for messages.
    pub(super) intake: &'static str,
}

/// The margin within the limits. Closer to a limit, a request could exceed it on its way, and the
/// server would silently drop the data.
const MARGIN: Duration = Duration::from_mins(1);

impl Limits {
    /// Returns the range of times that may be sent at `now`.
    pub(super) fn at(self, now: Timestamp) -> Window {
        let (back, ahead) = (self.back.saturating_sub(MARGIN), self.ahead.saturating_sub(MARGIN));
        Window { oldest: now.minus(back), newest: now.plus(ahead), limits: self }
    }
}

impl Window {
    /// Returns `true` if data of this time may be sent.
    pub(super) fn has(&self, time: Timestamp) -> bool {
        (self.oldest..=self.newest).contains(&time)
    }

    /// Returns the reason why data of this time is not sent, or `None` if it may be sent.
    pub(super) fn refusal(&self, time: Timestamp) -> Option<String> {
        let Limits { back, ahead, intake } = self.limits;
        if time < self.oldest {
            return Some(format!("its time, {time}, is too old: the limit for {intake} is {}", hours(back)));
        }
        if time > self.newest {
            return Some(format!("its time, {time}, is too far ahead: the limit for {intake} is {}", hours(ahead)));
        }
        None
    }
}

fn hours(time: Duration) -> String {
    format!("{} h", time.as_secs() / 3_600)
}
