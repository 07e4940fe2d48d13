//! Counts of what stages did in a time window.

use std::collections::BTreeMap;
use std::time::Duration;

use ragtrace::metrics::DurationSketch;
use ragtrace::{StageDescriptor, Timestamp};

use crate::object::Object;
use crate::tables::{floor, millis};

/// A time window, from one instant up to but not including another. Since counts are kept by the
/// minute, the window is widened to whole minutes.
///
/// ```
/// use ragtrace_store::Window;
/// use std::time::Duration;
///
/// let last_day = Window::last(Duration::from_secs(86_400));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
    stage: Option<&'static str>,
    renamed_from: Option<&'static str>,
}

impl Window {
    /// Creates the window from `since` to `until`.
    pub fn new(since: Timestamp, until: Timestamp) -> Self {
        const MINUTE: i64 = 60_000_000;
        let minute = |micros: i64| Timestamp::from_micros(floor(micros, MINUTE));
        let (since, until) = (minute(since.as_micros()), minute(until.as_micros().saturating_add(MINUTE - 1)));
        Self { since, until, stage: None, renamed_from: None }
    }

    /// Creates the window of the last `duration`, up to now.
    pub fn last(duration: Duration) -> Self {
        let now = Timestamp::now();
        Self::new(now.minus(duration), now)
    }

    /// Limits the window's counts to this stage.
    ///
    /// Runs under the stage's older name ([`StageDescriptor::renamed_from`]) are counted together
    /// with those under its present name.
    pub fn of(mut self, stage: &StageDescriptor) -> Self {
        (self.stage, self.renamed_from) = (Some(stage.name()), stage.renamed_from());
        self
    }

    /// Returns the start of the window.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Returns the end of the window.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// Returns the name under which runs of the stage `name` are counted, or `None` if they are
    /// excluded.
    fn counted_as(&self, name: String) -> Option<String> {
        match self.stage {
            None => Some(name),
            Some(stage) => (name == stage || Some(name.as_str()) == self.renamed_from).then(|| stage.to_owned()),
        }
    }
}

/// The counts of one stage in a window, over all processes and tenants.
///
/// They include runs whose records a level or sampling removed.
#[derive(Clone, Debug, PartialEq)]
pub struct StageStats {
    stage: String,
    kind: String,
    /// The numbers of all, completed, failed and cancelled runs, and of items.
    counts: [u64; 5],
    cost_usd: f64,
    total_ms: f64,
    durations: DurationSketch,
}

/// A row of counts, the same for every backend.
pub(crate) struct Counted {
    pub(crate) stage: String,
    pub(crate) kind: Option<String>,
    pub(crate) runs: i64,
    pub(crate) completed: i64,
    pub(crate) failed: i64,
    pub(crate) cancelled: i64,
    pub(crate) items: i64,
    pub(crate) cost_usd: f64,
    pub(crate) duration_ms_sum: f64,
    pub(crate) durations: String,
}

/// Adds up the rows of a window by stage, ordered by the stages' names.
pub(crate) fn sum_by_stage(rows: Vec<Counted>, window: Window) -> Vec<StageStats> {
    let mut stages: BTreeMap<String, StageStats> = BTreeMap::new();
    for row in rows {
        let Some(stage) = window.counted_as(row.stage) else { continue };
        let stats = stages.entry(stage).or_insert_with_key(|stage| StageStats {
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
        // A corrupt sketch only loses the durations of its own runs.
        if let Ok(durations) = row.durations.parse() {
            stats.durations.merge(&durations);
        }
    }
    stages.into_values().collect()
}

impl StageStats {
    /// Returns the stage's name.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Returns the stage's kind.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the number of runs that ended.
    pub fn runs(&self) -> u64 {
        self.counts[0]
    }

    /// Returns the number of runs that completed.
    pub fn completed(&self) -> u64 {
        self.counts[1]
    }

    /// Returns the number of runs that failed.
    pub fn failed(&self) -> u64 {
        self.counts[2]
    }

    /// Returns the number of runs that were cancelled.
    pub fn cancelled(&self) -> u64 {
        self.counts[3]
    }

    /// Returns the number of items that the runs yielded together.
    pub fn items(&self) -> u64 {
        self.counts[4]
    }

    /// Returns the cost of all runs together, in US dollars.
    pub fn cost_usd(&self) -> f64 {
        self.cost_usd
    }

    /// Returns the mean duration of a run, or zero if there were no runs.
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    pub fn mean_duration(&self) -> Duration {
        Duration::try_from_secs_f64(self.total_ms / 1_000.0 / self.runs().max(1) as f64).unwrap_or_default()
    }

    /// Returns the quantile `q` of the durations, for `q` from 0 to 1, with an error of at most 1%.
    /// `0.95` gives the duration that 95% of the runs did not exceed. Returns `None` if there were
    /// no runs.
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        self.durations.quantile(q)
    }

    /// Returns the counts as one JSON object: `{stage, kind, runs, completed, failed, cancelled,
    /// items, cost_usd, mean_ms, p50_ms, p95_ms, p99_ms}`.
    pub fn to_json(&self) -> String {
        let quantile = |q| self.quantile(q).map(millis);
        Object::new()
            .with("stage", self.stage())
            .with("kind", self.kind())
            .with("runs", self.runs())
            .with("completed", self.completed())
            .with("failed", self.failed())
            .with("cancelled", self.cancelled())
            .with("items", self.items())
            .with("cost_usd", self.cost_usd)
            .with("mean_ms", millis(self.mean_duration()))
            .with("p50_ms", quantile(0.5))
            .with("p95_ms", quantile(0.95))
            .with("p99_ms", quantile(0.99))
            .close()
    }
}
