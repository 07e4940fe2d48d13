//! How much retrieving stages found.

use super::stats::Window;
use crate::object::Object;

/// The findings of the completed runs of one stage of kind `retrieve` or `rerank`.
///
/// Only records that a level, sampling and retention left are counted.
#[derive(Clone, Debug, PartialEq)]
pub struct RetrievalStats {
    stage: String,
    kind: String,
    runs: u64,
    empty: u64,
    mean_top_score: Option<f64>,
    least_top_score: Option<f64>,
}

/// A row of sums, the same for every backend.
pub(crate) struct RetrievalColumns {
    pub(crate) stage: String,
    pub(crate) kind: String,
    pub(crate) runs: i64,
    pub(crate) empty: i64,
    pub(crate) mean_top_score: Option<f64>,
    pub(crate) least_top_score: Option<f64>,
}

impl From<RetrievalColumns> for RetrievalStats {
    fn from(row: RetrievalColumns) -> Self {
        Self {
            stage: row.stage,
            kind: row.kind,
            runs: row.runs.unsigned_abs(),
            empty: row.empty.unsigned_abs(),
            mean_top_score: row.mean_top_score,
            least_top_score: row.least_top_score,
        }
    }
}

/// Returns the rows of the stages that a window includes, ordered by the stages' names.
pub(crate) fn of_window(rows: Vec<RetrievalColumns>, window: Window) -> Vec<RetrievalStats> {
    let counted = rows.into_iter().filter(|row| window.counted_as(row.stage.clone()).is_some());
    let mut rows: Vec<RetrievalStats> = counted.map(RetrievalStats::from).collect();
    rows.sort_by(|one, other| (&one.stage, &one.kind).cmp(&(&other.stage, &other.kind)));
    rows
}

impl RetrievalStats {
    /// Returns the stage's name.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Returns the stage's kind: `retrieve` or `rerank`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the number of runs that completed.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Returns the number of runs that found nothing: their count is zero.
    pub fn empty(&self) -> u64 {
        self.empty
    }

    /// Returns the share of runs that found nothing, from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    pub fn empty_rate(&self) -> f64 {
        self.empty as f64 / self.runs.max(1) as f64
    }

    /// Returns the mean over the runs of the best score that each found, or `None` if no run
    /// recorded scores.
    ///
    /// The best score of a run is its metric `top_score`, or else the largest score of the items
    /// that it generated.
    pub fn mean_top_score(&self) -> Option<f64> {
        self.mean_top_score
    }

    /// Returns the smallest of the best scores, or `None` if no run recorded scores.
    pub fn least_top_score(&self) -> Option<f64> {
        self.least_top_score
    }

    /// Returns the row as one JSON object: `{stage, kind, runs, empty, mean_top_score,
    /// least_top_score}`.
    pub fn to_json(&self) -> String {
        Object::new()
            .with("stage", self.stage.as_str())
            .with("kind", self.kind.as_str())
            .with("runs", self.runs)
            .with("empty", self.empty)
            .with("mean_top_score", self.mean_top_score)
            .with("least_top_score", self.least_top_score)
            .close()
    }
}
