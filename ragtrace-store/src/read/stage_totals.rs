//! Totals of a trace by stage: where its time and money went.

use std::collections::HashMap;
use std::time::Duration;

use ragtrace::StageKind;

use super::trace::{SpanNode, SpanStatus, Trace};
use crate::object::Object;
use crate::tables::millis;

/// The totals of all runs of one stage in a trace, from [`Trace::stage_totals`].
///
/// Runs that contain or overlap one another all count, so the total duration may exceed that of the
/// trace. The critical times of all stages add up to the durations of the root spans.
#[derive(Clone, Debug, PartialEq)]
pub struct StageTotals {
    stage: String,
    kind: Option<StageKind>,
    runs: u64,
    failed: u64,
    duration: Duration,
    self_time: Duration,
    critical_time: Duration,
    count: Option<u64>,
    cost_usd: Option<f64>,
}

impl Trace {
    /// Returns the totals of each stage, the one with the most time on the critical path first.
    pub fn stage_totals(&self) -> Vec<StageTotals> {
        let mut totals: Vec<StageTotals> = Vec::new();
        let mut places = HashMap::new();
        for span in self.spans() {
            let place = *places.entry(span.stage()).or_insert(totals.len());
            if place == totals.len() {
                totals.push(StageTotals::new(span));
            }
            totals[place].add(span);
        }
        totals.sort_by(|one, other| {
            let key = |totals: &StageTotals| (totals.critical_time, totals.self_time, totals.duration);
            key(other).cmp(&key(one))
        });
        totals
    }
}

impl StageTotals {
    fn new(span: SpanNode<'_>) -> Self {
        Self {
            stage: span.stage().to_owned(),
            kind: span.kind(),
            runs: 0,
            failed: 0,
            duration: Duration::ZERO,
            self_time: Duration::ZERO,
            critical_time: Duration::ZERO,
            count: None,
            cost_usd: None,
        }
    }

    fn add(&mut self, span: SpanNode<'_>) {
        let longer = |sum: &mut Duration, by: Option<Duration>| *sum = sum.saturating_add(by.unwrap_or_default());
        self.runs += 1;
        self.failed += u64::from(span.status() == SpanStatus::Failed);
        longer(&mut self.duration, span.duration());
        longer(&mut self.self_time, span.self_time());
        longer(&mut self.critical_time, span.critical_time());
        if let Some(count) = span.count() {
            self.count = Some(self.count.unwrap_or(0).saturating_add(count));
        }
        if let Some(cost) = span.cost_usd() {
            self.cost_usd = Some(self.cost_usd.unwrap_or(0.0) + cost);
        }
    }

    /// Returns the stage's name.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Returns the stage's kind.
    pub fn kind(&self) -> Option<StageKind> {
        self.kind
    }

    /// Returns the number of runs.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Returns the number of runs that failed.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Returns the total duration of the runs that ended.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Returns the total of the runs' self times: the time that they spent in none of their
    /// children.
    pub fn self_time(&self) -> Duration {
        self.self_time
    }

    /// Returns the time for which the critical path is the stage's own.
    pub fn critical_time(&self) -> Duration {
        self.critical_time
    }

    /// Returns the number of items that the runs yielded, or `None` if none yielded any.
    pub fn count(&self) -> Option<u64> {
        self.count
    }

    /// Returns the cost that the runs recorded, in US dollars.
    pub fn cost_usd(&self) -> Option<f64> {
        self.cost_usd
    }

    /// Returns the totals as one JSON object: `{stage, kind, runs, failed, duration_ms, self_ms,
    /// critical_ms, count, cost_usd}`.
    pub fn to_json(&self) -> String {
        Object::new()
            .with("stage", self.stage())
            .with("kind", self.kind().map(StageKind::as_str))
            .with("runs", self.runs())
            .with("failed", self.failed())
            .with("duration_ms", millis(self.duration()))
            .with("self_ms", millis(self.self_time()))
            .with("critical_ms", millis(self.critical_time()))
            .with("count", self.count())
            .with("cost_usd", self.cost_usd())
            .close()
    }
}
