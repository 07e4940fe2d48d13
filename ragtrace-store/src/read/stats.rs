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

    /// Returns the present and the older name of the stage that the window is limited to.
    pub(crate) fn names(&self) -> Option<[&'static str; 2]> {
        self.stage.map(|stage| [stage, self.renamed_from.unwrap_or(stage)])
    }

    /// Returns the name under which runs of the stage `name` are counted, or `None` if they are
    /// excluded.
    pub(crate) fn counted_as(&self, name: String) -> Option<String> {
        match self.stage {
            None => Some(name),
            Some(stage) => (name == stage || Some(name.as_str()) == self.renamed_from).then(|| stage.to_owned()),
        }
    }
}

/// The property by which the counts of a stage are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupBy {
    /// By the id of the tenant.
    Tenant,
    /// By the id of the user.
    ///
    /// Users are not counted while running, so these counts come from the end records of the
    /// window: runs whose records a level, sampling or retention removed are missing, and it takes
    /// longer.
    User,
    /// By the version of the service.
    Version,
}

/// The counts of one stage in a window, over all processes and tenants unless they are split by
/// something.
///
/// They include runs whose records a level or sampling removed, except where they are split by user
/// ([`GroupBy::User`]).
#[derive(Clone, Debug, PartialEq)]
pub struct StageStats {
    stage: String,
    group: Option<String>,
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
    /// The tenant, user, version or time that the row is about, where counts are split by it.
    pub(crate) part: Option<String>,
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
    sum_by(rows, window, |_| ()).into_values().collect()
}

/// Adds up the rows of a window by stage and by what they are split by, in this order. An empty
/// text stands for none.
pub(crate) fn sum_by_part(rows: Vec<Counted>, window: Window) -> Vec<StageStats> {
    let sums = sum_by(rows, window, |part| part.filter(|part| !part.is_empty()));
    sums.into_iter().map(|((_, group), stats)| StageStats { group, ..stats }).collect()
}

/// Adds up the rows of a window by stage and by a key that is made of their parts.
pub(super) fn sum_by<K: Ord>(
    rows: Vec<Counted>,
    window: Window,
    key: impl Fn(Option<String>) -> K,
) -> BTreeMap<(String, K), StageStats> {
    let mut sums = BTreeMap::new();
    for row in rows {
        let Some(stage) = window.counted_as(row.stage) else { continue };
        let stats = sums.entry((stage, key(row.part))).or_insert_with_key(|(stage, _): &(String, K)| StageStats {
            stage: stage.clone(),
            group: None,
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
    sums
}

impl StageStats {
    /// Returns the stage's name.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Returns the tenant, user or version that the counts are about, or `None` if they are about
    /// runs without one, or are not split.
    pub fn group(&self) -> Option<&str> {
        self.group.as_deref()
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

    /// Returns the share of runs that failed, from 0 to 1.
    pub fn error_rate(&self) -> f64 {
        self.rate(self.failed())
    }

    /// Returns the share of runs that were cancelled, from 0 to 1.
    pub fn cancel_rate(&self) -> f64 {
        self.rate(self.cancelled())
    }

    #[expect(clippy::cast_precision_loss, reason = "a share")]
    fn rate(&self, runs: u64) -> f64 {
        runs as f64 / self.runs().max(1) as f64
    }

    /// Returns the number of items that the stage yielded in a second of its running time, or
    /// `None` if it yielded none.
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    pub fn items_per_second(&self) -> Option<f64> {
        let rate = self.items() as f64 / (self.total_ms / 1_000.0);
        Some(rate).filter(|rate| self.items() > 0 && rate.is_finite())
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
    /// items, cost_usd, error_rate, cancel_rate, items_per_second, mean_ms, p50_ms, p95_ms,
    /// p99_ms}`, and `group` after `stage` if the counts are about one.
    pub fn to_json(&self) -> String {
        let quantile = |q| self.quantile(q).map(millis);
        let mut object = Object::new().with("stage", self.stage());
        if let Some(group) = self.group() {
            object = object.with("group", group);
        }
        object
            .with("kind", self.kind())
            .with("runs", self.runs())
            .with("completed", self.completed())
            .with("failed", self.failed())
            .with("cancelled", self.cancelled())
            .with("items", self.items())
            .with("cost_usd", self.cost_usd)
            .with("error_rate", self.error_rate())
            .with("cancel_rate", self.cancel_rate())
            .with("items_per_second", self.items_per_second())
            .with("mean_ms", millis(self.mean_duration()))
            .with("p50_ms", quantile(0.5))
            .with("p95_ms", quantile(0.95))
            .with("p99_ms", quantile(0.99))
            .close()
    }
}
