//! Numbers of finished traces over time.

use ragtrace::Timestamp;
use ragtrace::metrics::RunStatus;

use super::stats::Window;
use super::summary::TraceSummary;
use crate::object::Object;

/// The largest number of steps that a window is divided into.
const MOST_STEPS: usize = 1_000;

/// The numbers of traces that ended in one step of a window, by their outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceCounts {
    from: Timestamp,
    until: Timestamp,
    completed: u64,
    failed: u64,
    cancelled: u64,
}

impl TraceCounts {
    /// Divides a window into steps of the same length, without traces. The last one may be shorter.
    pub(crate) fn steps(window: Window, steps: usize) -> Vec<Self> {
        let (since, until) = (window.since.as_micros(), window.until.as_micros());
        let length = until.saturating_sub(since);
        let steps = i64::try_from(steps.clamp(1, MOST_STEPS)).unwrap_or(1);
        let width = (length / steps + i64::from(length % steps > 0)).max(1);
        let step = |number: i64| {
            let from = since.saturating_add(width.saturating_mul(number));
            let until = from.saturating_add(width).min(until);
            let (from, until) = (Timestamp::from_micros(from), Timestamp::from_micros(until));
            (from < until).then_some(Self { from, until, completed: 0, failed: 0, cancelled: 0 })
        };
        (0..steps).map_while(step).collect()
    }

    /// Counts traces of one outcome.
    pub(crate) fn add(&mut self, status: RunStatus, number: u64) {
        let count = match status {
            RunStatus::Completed => &mut self.completed,
            RunStatus::Failed => &mut self.failed,
            _ => &mut self.cancelled,
        };
        *count = count.saturating_add(number);
    }

    /// Counts listed traces in the steps in which they ended.
    pub(crate) fn add_all(steps: &mut [Self], traces: &[TraceSummary]) {
        for trace in traces {
            let after = steps.partition_point(|step| step.from <= trace.ended_at());
            if let Some(step) = after.checked_sub(1).and_then(|at| steps.get_mut(at))
                && trace.ended_at() < step.until
            {
                step.add(trace.status(), 1);
            }
        }
    }

    /// Returns the start of the step.
    pub fn from(&self) -> Timestamp {
        self.from
    }

    /// Returns the end of the step, which is the start of the next one.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// Returns the number of traces that completed.
    pub fn completed(&self) -> u64 {
        self.completed
    }

    /// Returns the number of traces that failed.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Returns the number of traces that were cancelled.
    pub fn cancelled(&self) -> u64 {
        self.cancelled
    }

    /// Returns the number of traces of any outcome.
    pub fn total(&self) -> u64 {
        self.completed.saturating_add(self.failed).saturating_add(self.cancelled)
    }

    /// Returns the counts as one JSON object: `{from, until, completed, failed, cancelled}`.
    pub fn to_json(&self) -> String {
        Object::new()
            .with("from", self.from.to_string())
            .with("until", self.until.to_string())
            .with("completed", self.completed)
            .with("failed", self.failed)
            .with("cancelled", self.cancelled)
            .close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_cover_the_window_without_gaps_and_are_never_too_many() {
        let minute = |minute: i64| Timestamp::from_micros(minute * 60_000_000);
        for (minutes, steps, expected) in
            [(60, 60, 60), (60, 7, 7), (1, 1_000_000, 1_000), (1, 0, 1), (0, 5, 0), (-3, 5, 0)]
        {
            let window = Window::new(minute(100), minute(100 + minutes));
            let found = TraceCounts::steps(window, steps);
            assert_eq!(found.len(), expected, "{minutes} minutes in {steps} steps");
            assert!(found.windows(2).all(|pair| pair[0].until() == pair[1].from()));
            if let (Some(first), Some(last)) = (found.first(), found.last()) {
                assert_eq!((first.from(), last.until()), (window.since(), window.until()));
            }
        }
        let all = Window::new(Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
        assert!(!TraceCounts::steps(all, 10).is_empty());
    }
}
