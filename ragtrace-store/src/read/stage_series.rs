//! Counts of stages over time.

use std::time::Duration;

use ragtrace::Timestamp;

use super::stats::{Counted, StageStats, Window, sum_by};
use crate::object::Object;
use crate::tables::floor;

const MINUTE: i64 = 60_000_000;

/// The counts of one stage in one step of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct StagePoint {
    from: Timestamp,
    stats: StageStats,
}

impl StagePoint {
    /// Returns the start of the step.
    pub fn from(&self) -> Timestamp {
        self.from
    }

    /// Returns the counts of the runs that ended in the step.
    pub fn stats(&self) -> &StageStats {
        &self.stats
    }

    /// Returns the point as one JSON object: `from`, and what [`StageStats::to_json`] returns.
    pub fn to_json(&self) -> String {
        let from = Object::new().with("from", self.from.to_string()).close();
        let stats = self.stats.to_json();
        format!("{},{}", from.trim_end_matches('}'), stats.trim_start_matches('{'))
    }
}

/// Returns the length of a step in microseconds: whole minutes, and at least one.
pub(crate) fn step_micros(step: Duration) -> i64 {
    let micros = i64::try_from(step.as_micros()).unwrap_or(i64::MAX);
    floor(micros.saturating_add(MINUTE - 1), MINUTE).max(MINUTE)
}

/// Adds up rows, whose parts are times, by stage and step. Steps begin at multiples of their length
/// since 1970.
pub(crate) fn series(rows: Vec<Counted>, window: Window, step: i64) -> Vec<StagePoint> {
    let begins = |part: Option<String>| {
        let at: Option<Timestamp> = part.and_then(|at| at.parse().ok());
        floor(at.map_or(0, Timestamp::as_micros), step)
    };
    let sums = sum_by(rows, window, begins);
    sums.into_iter().map(|((_, from), stats)| StagePoint { from: Timestamp::from_micros(from), stats }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_whole_minutes() {
        for (step, minutes) in [(0, 1), (1, 1), (60, 1), (61, 2), (3_600, 60)] {
            assert_eq!(step_micros(Duration::from_secs(step)), minutes * MINUTE, "{step} s");
        }
        assert!(step_micros(Duration::MAX) > 0);
    }
}
