//! The counts of a stage beside those that they are compared with.

use std::collections::BTreeMap;

use ragtrace_store::{StagePoint, StageStats};

/// The counts of a stage, with what they are compared to.
pub(super) struct Row {
    pub(super) now: StageStats,
    pub(super) before: Option<StageStats>,
    pub(super) points: Vec<StagePoint>,
}

/// Joins the counts of each stage.
pub(super) fn rows(stats: Vec<StageStats>, before: Vec<StageStats>, series: Vec<StagePoint>) -> Vec<Row> {
    let mut before: BTreeMap<String, StageStats> =
        before.into_iter().map(|one| (one.stage().to_owned(), one)).collect();
    let mut points: BTreeMap<String, Vec<StagePoint>> = BTreeMap::new();
    for point in series {
        points.entry(point.stats().stage().to_owned()).or_default().push(point);
    }
    let row = |now: StageStats| Row {
        before: before.remove(now.stage()),
        points: points.remove(now.stage()).unwrap_or_default(),
        now,
    };
    stats.into_iter().map(row).collect()
}
