//! What was counted of each stage since the start, for Prometheus; and the counts of the minute that runs, until it is
//! over and goes to the sinks.
//!
//! It is fed before any sampling and any level, about once a second. A label is a stage's name, its kind or an outcome,
//! never a tenant or a user, so there are as many series as the program has stages.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ragtrace_core::StageKind;
use ragtrace_core::Timestamp;

use super::prometheus::{escaped, head};
use crate::metrics::{DurationSketch, StageMinute};

/// How often the counts of the minute that runs are looked at.
const EVERY: Duration = Duration::from_secs(1);
/// Stages that are told apart; what is beyond is counted under [`OTHERS`].
const STAGES: usize = 1_024;
const OTHERS: &str = "_others";
/// Parts of a minute that wait at most; beyond, runs are counted without a tenant.
const PARTS: usize = 8_192;

/// The upper bounds of the histogram's buckets, in seconds: stages take from microseconds to minutes.
const BOUNDS: [f64; 17] =
    [0.0001, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// What was counted since the start, shared with whoever asks for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct StageTotals(Arc<Mutex<BTreeMap<Stage, Total>>>);

/// A stage's name and kind.
type Stage = (Cow<'static, str>, &'static str);

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
    fn add(&self, parts: &[StageMinute]) {
        let mut stages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for part in parts {
            let mut key = (part.stage.clone(), part.kind.as_str());
            if stages.len() >= STAGES && !stages.contains_key(&key) {
                key = (Cow::Borrowed(OTHERS), StageKind::default().as_str());
            }
            let total = stages.entry(key).or_default();
            total.completed += part.completed;
            total.failed += part.failed;
            total.cancelled += part.cancelled;
            total.items = total.items.saturating_add(part.items);
            // A counter never goes down, whatever a stage says it cost.
            total.cost_usd += part.cost_usd.max(0.0);
            total.took = total.took.saturating_add(part.total());
            total.durations.merge(&part.durations);
        }
    }

    /// Adds the metrics of stages to `text`, in the text format of Prometheus.
    pub(crate) fn write_prometheus(&self, text: &mut String) {
        let stages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stages: Vec<_> = stages
            .iter()
            .map(|((stage, kind), total)| (format!("stage=\"{}\",kind=\"{kind}\"", escaped(stage)), total))
            .collect();
        // Writing to a `String` has no error to report.
        let name = "ragtrace_stage_runs_total";
        head(text, name, "counter", "Runs of a stage that ended.");
        for (labels, total) in &stages {
            let outcomes = [("completed", total.completed), ("failed", total.failed), ("cancelled", total.cancelled)];
            for (outcome, runs) in outcomes {
                let _ = writeln!(text, "{name}{{{labels},outcome=\"{outcome}\"}} {runs}");
            }
        }
        let name = "ragtrace_stage_duration_seconds";
        head(
            text,
            name,
            "histogram",
            "How long runs of a stage took. Runs within 1% of a bound may count on either side.",
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
        head(text, name, "counter", "Items that runs of a stage yielded.");
        for (labels, total) in &stages {
            let _ = writeln!(text, "{name}{{{labels}}} {}", total.items);
        }
        let name = "ragtrace_stage_cost_usd_total";
        head(text, name, "counter", "What runs of a stage said they cost, in US dollars.");
        for (labels, total) in &stages {
            let _ = writeln!(text, "{name}{{{labels}}} {}", total.cost_usd);
        }
    }
}

/// The worker's side: counts on their way to the totals and to the sinks.
#[derive(Debug, Default)]
pub(super) struct StageCounts {
    totals: StageTotals,
    /// Minutes that are not over.
    waiting: BTreeMap<Part, StageMinute>,
    looked_at: Option<Instant>,
}

/// Minute, stage and tenant.
type Part = (Timestamp, Cow<'static, str>, Option<Box<str>>);

impl StageCounts {
    pub(super) fn new(totals: StageTotals) -> Self {
        Self { totals, ..Self::default() }
    }

    /// Whether it is time to add what was counted.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.looked_at.is_none_or(|at| now.duration_since(at) >= EVERY);
        if is_due {
            self.looked_at = Some(now);
        }
        is_due
    }

    /// Takes in what was counted since the last call.
    pub(super) fn add(&mut self, parts: Vec<StageMinute>) {
        if parts.is_empty() {
            return;
        }
        self.totals.add(&parts);
        for mut part in parts {
            if self.waiting.len() >= PARTS {
                part.tenant_id = None;
            }
            match self.waiting.entry((part.minute, part.stage.clone(), part.tenant_id.clone())) {
                std::collections::btree_map::Entry::Vacant(place) => drop(place.insert(part)),
                std::collections::btree_map::Entry::Occupied(mut earlier) => merge(earlier.get_mut(), &part),
            }
        }
    }

    /// The counts of minutes that were over at `now`, for the sinks; all there are without it.
    pub(super) fn take(&mut self, now: Option<Timestamp>) -> Vec<StageMinute> {
        let first = self.waiting.first_key_value().map(|((minute, ..), _)| *minute);
        let is_over =
            |minute: Timestamp| now.is_none_or(|now| now.as_micros().saturating_sub(minute.as_micros()) >= 60_000_000);
        if !first.is_some_and(is_over) {
            return Vec::new();
        }
        self.waiting.extract_if(.., |(minute, ..), _| is_over(*minute)).map(|(_, counted)| counted).collect()
    }
}

fn merge(minute: &mut StageMinute, part: &StageMinute) {
    minute.completed += part.completed;
    minute.failed += part.failed;
    minute.cancelled += part.cancelled;
    minute.items = minute.items.saturating_add(part.items);
    minute.cost_usd += part.cost_usd;
    minute.total = minute.total.saturating_add(part.total);
    minute.durations.merge(&part.durations);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(minute: i64, stage: String, tenant: &str, millis: u64) -> StageMinute {
        let mut durations = DurationSketch::new();
        durations.add(Duration::from_millis(millis));
        StageMinute {
            minute: Timestamp::from_micros(minute * 60_000_000),
            stage: Cow::Owned(stage),
            kind: StageKind::Chunk,
            tenant_id: Some(tenant.into()),
            completed: 1,
            failed: 0,
            cancelled: 0,
            items: 3,
            cost_usd: 0.25,
            total: millis * 1_000_000,
            durations,
        }
    }

    #[test]
    fn parts_add_up_to_minutes_for_the_sinks_and_to_totals_for_good() {
        let totals = StageTotals::default();
        let mut counts = StageCounts::new(totals.clone());
        counts.add(vec![part(1, "chunking".to_owned(), "acme", 4)]);
        counts.add(vec![part(1, "chunking".to_owned(), "acme", 40), part(2, "chunking".to_owned(), "acme", 4)]);
        assert!(counts.take(Some(Timestamp::from_micros(119_999_999))).is_empty(), "the first minute runs");
        let over = counts.take(Some(Timestamp::from_micros(120_000_000)));
        assert_eq!(over.iter().map(StageMinute::runs).collect::<Vec<_>>(), [2]);
        assert_eq!(counts.take(None).len(), 1);
        assert!(counts.take(None).is_empty());
        let mut text = String::new();
        totals.write_prometheus(&mut text);
        for line in [
            "# TYPE ragtrace_stage_runs_total counter",
            "ragtrace_stage_runs_total{stage=\"chunking\",kind=\"chunk\",outcome=\"completed\"} 3",
            "ragtrace_stage_runs_total{stage=\"chunking\",kind=\"chunk\",outcome=\"failed\"} 0",
            "# TYPE ragtrace_stage_duration_seconds histogram",
            "ragtrace_stage_duration_seconds_bucket{stage=\"chunking\",kind=\"chunk\",le=\"0.0025\"} 0",
            "ragtrace_stage_duration_seconds_bucket{stage=\"chunking\",kind=\"chunk\",le=\"0.005\"} 2",
            "ragtrace_stage_duration_seconds_bucket{stage=\"chunking\",kind=\"chunk\",le=\"0.05\"} 3",
            "ragtrace_stage_duration_seconds_bucket{stage=\"chunking\",kind=\"chunk\",le=\"+Inf\"} 3",
            "ragtrace_stage_duration_seconds_sum{stage=\"chunking\",kind=\"chunk\"} 0.048",
            "ragtrace_stage_duration_seconds_count{stage=\"chunking\",kind=\"chunk\"} 3",
            "ragtrace_stage_items_total{stage=\"chunking\",kind=\"chunk\"} 9",
            "ragtrace_stage_cost_usd_total{stage=\"chunking\",kind=\"chunk\"} 0.75",
        ] {
            assert!(text.lines().any(|said| said == line), "{line} in\n{text}");
        }
        assert!(!text.contains("acme"), "tenants are no labels");
    }

    #[test]
    fn there_are_only_so_many_series_and_parts() {
        let totals = StageTotals::default();
        let mut counts = StageCounts::new(totals.clone());
        counts.add((0..STAGES + 10).map(|n| part(1, format!("stage_{n}"), "acme", 1)).collect());
        counts.add((0..PARTS + 10).map(|n| part(1, "one".to_owned(), &n.to_string(), 1)).collect());
        let mut text = String::new();
        totals.write_prometheus(&mut text);
        assert_eq!(text.matches("ragtrace_stage_items_total{").count(), STAGES + 1);
        assert!(text.contains("{stage=\"_others\",kind=\"task\",outcome=\"completed\"} 8212"), "{text}");
        let parts = counts.take(None);
        assert!(parts.len() <= PARTS + 1, "{}", parts.len());
        assert_eq!(parts.iter().map(StageMinute::runs).sum::<u64>(), (STAGES + PARTS + 20) as u64);
    }
}
