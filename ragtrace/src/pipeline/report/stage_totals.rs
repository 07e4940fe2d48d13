//! The totals of each stage since the start, for Prometheus.
//!
//! The labels are a stage's name, its kind and an outcome, never a tenant or a user, so the number
//! of series is bounded by the number of stages.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ragtrace_core::StageKind;

use super::prometheus::{escaped, write_head};
use crate::metrics::{DurationSketch, StageMinute};

/// The maximum number of distinguished stages; further ones are counted under [`OTHERS`].
pub(super) const MAX_STAGES: usize = 1_024;
const OTHERS: &str = "_others";

/// The upper bounds of the histogram's buckets in seconds, because stages take from microseconds to
/// minutes.
const BOUNDS: [f64; 17] =
    [0.0001, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// The totals since the start, shared with their readers.
#[derive(Clone, Debug, Default)]
pub(crate) struct StageTotals(Arc<Mutex<BTreeMap<StageKey, Total>>>);

/// A stage's name and kind.
type StageKey = (Cow<'static, str>, &'static str);

#[derive(Debug, Default)]
struct Total {
    completed: u64,
    failed: u64,
    cancelled: u64,
    items: u64,
    cost_usd: f64,
    took: Duration,
    durations: DurationSketch,
}

impl StageTotals {
    pub(super) fn add(&self, parts: &[StageMinute]) {
        let mut stages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for part in parts {
            let mut key = (part.stage.clone(), part.kind.as_str());
            if stages.len() >= MAX_STAGES && !stages.contains_key(&key) {
                key = (Cow::Borrowed(OTHERS), StageKind::default().as_str());
            }
            let total = stages.entry(key).or_default();
            total.completed += part.completed;
            total.failed += part.failed;
            total.cancelled += part.cancelled;
            total.items = total.items.saturating_add(part.items);
            // A counter must never decrease, even if a stage reports a negative cost.
            total.cost_usd += part.cost_usd.max(0.0);
            total.took = total.took.saturating_add(part.total_duration());
            total.durations.merge(&part.durations);
        }
    }

    /// Appends the metrics of all stages to `text`, in the text format of Prometheus.
    pub(crate) fn write_prometheus(&self, text: &mut String) {
        let stages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stages: Vec<_> = stages
            .iter()
            .map(|((stage, kind), total)| (format!("stage=\"{}\",kind=\"{kind}\"", escaped(stage)), total))
            .collect();
        // Writing to a `String` cannot fail.
        let name = "ragtrace_stage_runs_total";
        write_head(text, name, "counter", "Runs of a stage that ended.");
        for (labels, total) in &stages {
            let outcomes = [("completed", total.completed), ("failed", total.failed), ("cancelled", total.cancelled)];
            for (outcome, runs) in outcomes {
                let _ = writeln!(text, "{name}{{{labels},outcome=\"{outcome}\"}} {runs}");
            }
        }
        let name = "ragtrace_stage_duration_seconds";
        write_head(
            text,
            name,
            "histogram",
            "Duration of a stage's runs. Runs within 1% of a bound may count on either side.",
        );
        for (labels, total) in &stages {
            for bound in BOUNDS {
                let runs = total.durations.count_up_to(Duration::from_secs_f64(bound));
                let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {runs}");
            }
            let runs = total.durations.len();
            let _ = writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {runs}");
            let _ = writeln!(text, "{name}_sum{{{labels}}} {}", total.took.as_secs_f64());
            let _ = writeln!(text, "{name}_count{{{labels}}} {runs}");
        }
        let name = "ragtrace_stage_items_total";
        write_head(text, name, "counter", "Items that the runs of a stage returned.");
        for (labels, total) in &stages {
            let _ = writeln!(text, "{name}{{{labels}}} {}", total.items);
        }
        let name = "ragtrace_stage_cost_usd_total";
        write_head(text, name, "counter", "Cost of a stage's runs, in US dollars.");
        for (labels, total) in &stages {
            let _ = writeln!(text, "{name}{{{labels}}} {}", total.cost_usd);
        }
    }
}
