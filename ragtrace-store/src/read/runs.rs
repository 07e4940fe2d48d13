//! Counts runs by user, from their end records.

use std::time::Duration;

use ragtrace::metrics::DurationSketch;

use super::stats::{Counted, StageStats, Window, sum_by_part};

/// Runs of one stage and one user that ended in the same way and took about as long, the same for
/// every backend.
pub(crate) struct RunColumns {
    pub(crate) stage: String,
    pub(crate) kind: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) event: String,
    /// The approximate duration of each run.
    pub(crate) duration_ms: Option<f64>,
    pub(crate) runs: i64,
    /// The exact duration of all runs together.
    pub(crate) duration_ms_sum: f64,
    pub(crate) items: f64,
    pub(crate) cost_usd: f64,
}

impl From<RunColumns> for Counted {
    fn from(row: RunColumns) -> Self {
        let mut durations = DurationSketch::new();
        let duration = row.duration_ms.and_then(|ms| Duration::try_from_secs_f64(ms / 1_000.0).ok());
        if let Some(duration) = duration {
            (0..row.runs).for_each(|_| durations.add(duration));
        }
        let of = |event: &str| if row.event == event { row.runs } else { 0 };
        #[expect(clippy::cast_possible_truncation, reason = "it saturates, and is a count")]
        let items = row.items as i64;
        Self {
            completed: of("completed"),
            failed: of("failed"),
            cancelled: of("cancelled"),
            runs: row.runs,
            items,
            cost_usd: row.cost_usd,
            duration_ms_sum: row.duration_ms_sum,
            durations: durations.to_string(),
            stage: row.stage,
            kind: row.kind,
            part: row.user_id,
        }
    }
}

/// Adds up the rows of a window by stage and user.
pub(crate) fn sum_by_user(rows: Vec<RunColumns>, window: Window) -> Vec<StageStats> {
    sum_by_part(rows.into_iter().map(Counted::from).collect(), window)
}
