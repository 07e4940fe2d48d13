//! The metrics of the current minute, until it is over and they go to the sinks.
//!
//! They are taken from the meter about once a second, before any sampling and level, and added to
//! the totals.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ragtrace_core::Timestamp;

use super::stage_totals::StageTotals;
use crate::metrics::StageMinute;

/// The interval at which the metrics of the current minute are added to the totals.
const ADD_INTERVAL: Duration = Duration::from_secs(1);
/// The maximum number of parts of unfinished minutes; beyond it, runs are counted without a
/// tenant.
const MAX_PARTS: usize = 8_192;

/// Metrics on their way to the totals and to the sinks.
#[derive(Debug, Default)]
pub(crate) struct StageCounts {
    totals: StageTotals,
    /// The metrics of minutes that are not over.
    unfinished: BTreeMap<PartKey, StageMinute>,
    added_at: Option<Instant>,
}

/// Minute, stage and tenant.
type PartKey = (Timestamp, Cow<'static, str>, Option<Box<str>>);

impl StageCounts {
    pub(crate) fn new(totals: StageTotals) -> Self {
        Self { totals, ..Self::default() }
    }

    /// Returns `true` if the metrics should be added: about once a second, and when a minute is
    /// over at `time`, whose last second would otherwise be missing.
    pub(crate) fn is_due(&mut self, now: Instant, time: Timestamp) -> bool {
        let is_due =
            self.added_at.is_none_or(|at| now.duration_since(at) >= ADD_INTERVAL) || self.has_minute_over(time);
        if is_due {
            self.added_at = Some(now);
        }
        is_due
    }

    /// Adds the metrics that were counted since the last call.
    pub(crate) fn add(&mut self, parts: Vec<StageMinute>) {
        if parts.is_empty() {
            return;
        }
        self.totals.add(&parts);
        for mut part in parts {
            if self.unfinished.len() >= MAX_PARTS {
                part.tenant_id = None;
            }
            match self.unfinished.entry((part.minute, part.stage.clone(), part.tenant_id.clone())) {
                std::collections::btree_map::Entry::Vacant(entry) => drop(entry.insert(part)),
                std::collections::btree_map::Entry::Occupied(mut earlier) => merge(earlier.get_mut(), &part),
            }
        }
    }

    /// Removes and returns the metrics of minutes that were over at `now`, for the sinks, or all
    /// metrics if `now` is `None`.
    pub(crate) fn take(&mut self, now: Option<Timestamp>) -> Vec<StageMinute> {
        if !now.map_or(!self.unfinished.is_empty(), |now| self.has_minute_over(now)) {
            return Vec::new();
        }
        let is_over = |minute| now.is_none_or(|now| is_over(minute, now));
        self.unfinished.extract_if(.., |(minute, ..), _| is_over(*minute)).map(|(_, counted)| counted).collect()
    }

    fn has_minute_over(&self, now: Timestamp) -> bool {
        self.unfinished.first_key_value().is_some_and(|((minute, ..), _)| is_over(*minute, now))
    }
}

fn is_over(minute: Timestamp, now: Timestamp) -> bool {
    now.as_micros().saturating_sub(minute.as_micros()) >= 60_000_000
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
    use ragtrace_core::StageKind;

    use super::super::stage_totals::MAX_STAGES;
    use super::*;
    use crate::metrics::DurationSketch;

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
    fn a_minute_that_is_over_has_the_rest_of_its_runs_added_at_once() {
        let mut counts = StageCounts::default();
        let now = Instant::now();
        let [running, over] = [119_999_999, 120_000_000].map(Timestamp::from_micros);
        assert!(counts.is_due(now, running), "nothing was added before");
        assert!(!counts.is_due(now, over), "no minute waits");
        counts.add(vec![part(1, "chunking".to_owned(), "acme", 4)]);
        assert!(!counts.is_due(now, running));
        assert!(counts.is_due(now, over));
        counts.add(vec![part(1, "chunking".to_owned(), "acme", 40)]);
        assert_eq!(counts.take(Some(over)).iter().map(StageMinute::runs).collect::<Vec<_>>(), [2]);
        assert!(!counts.is_due(now, over));
        assert!(counts.is_due(now + ADD_INTERVAL, over));
    }

    #[test]
    fn there_are_only_so_many_series_and_parts() {
        let totals = StageTotals::default();
        let mut counts = StageCounts::new(totals.clone());
        counts.add((0..MAX_STAGES + 10).map(|n| part(1, format!("stage_{n}"), "acme", 1)).collect());
        counts.add((0..MAX_PARTS + 10).map(|n| part(1, "one".to_owned(), &n.to_string(), 1)).collect());
        let mut text = String::new();
        totals.write_prometheus(&mut text);
        assert_eq!(text.matches("ragtrace_stage_items_total{").count(), MAX_STAGES + 1);
        assert!(text.contains("{stage=\"_others\",kind=\"task\",outcome=\"completed\"} 8212"), "{text}");
        let parts = counts.take(None);
        assert!(parts.len() <= MAX_PARTS + 1, "{}", parts.len());
        assert_eq!(parts.iter().map(StageMinute::runs).sum::<u64>(), (MAX_STAGES + MAX_PARTS + 20) as u64);
    }
}
