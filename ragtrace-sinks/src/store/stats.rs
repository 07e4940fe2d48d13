//! What stages did over a while, and which stages there are.

use std::collections::BTreeMap;
use std::time::Duration;

use ragtrace::Timestamp;
use ragtrace::metrics::DurationSketch;
use serde_json::Value as Json;

use crate::object::Object;

/// A while: from one instant up to another, not with it. Counts are kept by the minute, so it is widened to whole ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
}

impl Window {
    /// From `since` to `until`.
    pub fn new(since: Timestamp, until: Timestamp) -> Self {
        const MINUTE: i64 = 60_000_000;
        let minute = |micros: i64| Timestamp::from_micros(micros.div_euclid(MINUTE) * MINUTE);
        Self { since: minute(since.as_micros()), until: minute(until.as_micros().saturating_add(MINUTE - 1)) }
    }

    /// The last so long, up to now.
    pub fn last(duration: Duration) -> Self {
        let now = Timestamp::now();
        Self::new(now.minus(duration), now)
    }

    /// When it begins.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// When it ends.
    pub fn until(&self) -> Timestamp {
        self.until
    }
}

/// What a stage did in a window, every process and tenant together. It is counted before any level or sampling.
#[derive(Clone, Debug, PartialEq)]
pub struct StageStats {
    stage: String,
    kind: String,
    /// Runs, those completed, failed and cancelled, and items.
    counts: [u64; 5],
    cost_usd: f64,
    total_ms: f64,
    durations: DurationSketch,
}

/// A row of counts, the same for every backend.
pub(super) struct Counted {
    pub(super) stage: String,
    pub(super) kind: Option<String>,
    pub(super) runs: i64,
    pub(super) completed: i64,
    pub(super) failed: i64,
    pub(super) cancelled: i64,
    pub(super) items: i64,
    pub(super) cost_usd: f64,
    pub(super) duration_ms_sum: f64,
    pub(super) durations: String,
}

/// Adds up rows by stage, by the stages' names.
pub(super) fn added_up(rows: Vec<Counted>) -> Vec<StageStats> {
    let mut stages: BTreeMap<String, StageStats> = BTreeMap::new();
    for row in rows {
        let stats = stages.entry(row.stage).or_insert_with_key(|stage| StageStats {
            stage: stage.clone(),
            kind: row.kind.unwrap_or_default(),
            counts: [0; 5],
            cost_usd: 0.0,
            total_ms: 0.0,
            durations: DurationSketch::new(),
        });
        for (sum, count) in stats.counts.iter_mut().zip([row.runs, row.completed, row.failed, row.cancelled, row.items])
        {
            *sum = sum.saturating_add(count.unsigned_abs());
        }
        stats.cost_usd += row.cost_usd;
        stats.total_ms += row.duration_ms_sum;
        // A sketch that somebody spoilt tells nothing of its own runs, and does not hide the others.
        if let Ok(durations) = row.durations.parse() {
            stats.durations.merge(&durations);
        }
    }
    stages.into_values().collect()
}

impl StageStats {
    /// The stage's name.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// The stage's kind.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Runs that ended.
    pub fn runs(&self) -> u64 {
        self.counts[0]
    }

    /// Runs that completed.
    pub fn completed(&self) -> u64 {
        self.counts[1]
    }

    /// Runs that failed.
    pub fn failed(&self) -> u64 {
        self.counts[2]
    }

    /// Runs that were cancelled.
    pub fn cancelled(&self) -> u64 {
        self.counts[3]
    }

    /// The sum of their counts.
    pub fn items(&self) -> u64 {
        self.counts[4]
    }

    /// The sum of their costs, in US dollars.
    pub fn cost_usd(&self) -> f64 {
        self.cost_usd
    }

    /// The mean of their durations; zero if there were none.
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    pub fn mean(&self) -> Duration {
        Duration::try_from_secs_f64(self.total_ms / 1_000.0 / self.runs().max(1) as f64).unwrap_or_default()
    }

    /// The duration that a share (0 to 1) of the runs took at most, within 1%: `quantile(0.99)`.
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        self.durations.quantile(q)
    }

    /// One JSON object: `{stage, kind, runs, completed, failed, cancelled, items, cost_usd, mean_ms, p50_ms, p95_ms,
    /// p99_ms}`.
    pub fn to_json(&self) -> String {
        let quantile = |q| self.quantile(q).map(crate::tables::millis);
        Object::new()
            .with("stage", self.stage())
            .with("kind", self.kind())
            .with("runs", self.runs())
            .with("completed", self.completed())
            .with("failed", self.failed())
            .with("cancelled", self.cancelled())
            .with("items", self.items())
            .with("cost_usd", self.cost_usd)
            .with("mean_ms", crate::tables::millis(self.mean()))
            .with("p50_ms", quantile(0.5))
            .with("p95_ms", quantile(0.95))
            .with("p99_ms", quantile(0.99))
            .close()
    }
}

/// A stage as a program had it linked in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogStage {
    /// The service; empty if it has no name.
    pub service: String,
    /// The stage's name.
    pub name: String,
    /// The stage's kind.
    pub kind: String,
    /// The level of its started and completed records.
    pub level: String,
    /// The logger of its records.
    pub target: String,
    /// The source file that declares it.
    pub file: String,
    /// The line in that file.
    pub line: i64,
    /// The fields it declares, as a JSON array of `{name, source, type}`.
    pub fields: String,
    /// When a program with it last connected.
    pub last_seen_at: String,
}

impl CatalogStage {
    /// One JSON object of all of it.
    pub fn to_json(&self) -> String {
        let fields: Json = serde_json::from_str(&self.fields).unwrap_or_default();
        Object::new()
            .with("service", self.service.as_str())
            .with("name", self.name.as_str())
            .with("kind", self.kind.as_str())
            .with("level", self.level.as_str())
            .with("target", self.target.as_str())
            .with("file", self.file.as_str())
            .with("line", self.line)
            .with("fields", fields)
            .with("last_seen_at", self.last_seen_at.as_str())
            .close()
    }
}
