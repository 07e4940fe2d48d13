//! A stage of a comparison.

use std::time::Duration;

use ragtrace::{ErrorInfo, SpanId, StageKind};

use crate::object::Object;
use crate::read::trace::{SpanNode, SpanStatus};
use crate::tables::millis;

/// The share by which a number has to differ to count as changed.
const TOLERANCE: f64 = 0.1;

/// A stage at one place of the tree, in both traces or in one of them.
#[derive(Clone, Debug, PartialEq)]
pub struct StageDiff {
    pub(super) stage: String,
    pub(super) kind: Option<StageKind>,
    pub(super) depth: usize,
    pub(super) before: Option<StageRuns>,
    pub(super) after: Option<StageRuns>,
}

/// The runs of a stage at one place of one trace: mostly one, and more if similar siblings are
/// compared as a sum.
#[derive(Clone, Debug, PartialEq)]
pub struct StageRuns {
    span_id: SpanId,
    runs: u64,
    status: SpanStatus,
    duration: Option<Duration>,
    self_time: Option<Duration>,
    count: Option<u64>,
    cost_usd: Option<f64>,
    error: Option<ErrorInfo>,
}

impl StageDiff {
    /// Returns the stage's name.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Returns the stage's kind.
    pub fn kind(&self) -> Option<StageKind> {
        self.kind
    }

    /// Returns the number of stages that enclose it.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Returns the runs in the first trace, or `None` if the stage is new.
    pub fn before(&self) -> Option<&StageRuns> {
        self.before.as_ref()
    }

    /// Returns the runs in the second trace, or `None` if the stage is gone.
    pub fn after(&self) -> Option<&StageRuns> {
        self.after.as_ref()
    }

    /// Returns `true` if the stage is new or gone, if its outcome or number of runs differs, or if
    /// its duration, count or cost differs by more than 10%.
    pub fn is_changed(&self) -> bool {
        let (Some(before), Some(after)) = (&self.before, &self.after) else { return true };
        let seconds = |runs: &StageRuns| runs.duration.map(|duration| duration.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "compared with a tolerance")]
        let count = |runs: &StageRuns| runs.count.map(|count| count as f64);
        (before.runs, before.status, &before.error) != (after.runs, after.status, &after.error)
            || differ(seconds(before), seconds(after))
            || differ(count(before), count(after))
            || differ(before.cost_usd, after.cost_usd)
    }

    /// Returns the comparison as one JSON object: `{stage, kind, depth, change, before, after}`.
    ///
    /// `change` is `new`, `gone`, `changed` or `same`. `before` and `after` are `{span_id, runs,
    /// status, duration_ms, self_ms, count, cost_usd, error}`, or `null`. The id is that of the
    /// first run, and the error that of the first run that failed.
    pub fn to_json(&self) -> String {
        let change = match (&self.before, &self.after) {
            (None, _) => "new",
            (_, None) => "gone",
            _ if self.is_changed() => "changed",
            _ => "same",
        };
        let runs = |runs: Option<&StageRuns>| runs.map_or_else(|| "null".to_owned(), StageRuns::to_json);
        Object::new()
            .with("stage", self.stage())
            .with("kind", self.kind().map(StageKind::as_str))
            .with("depth", self.depth())
            .with("change", change)
            .with_json("before", &runs(self.before()))
            .with_json("after", &runs(self.after()))
            .close()
    }
}

impl StageRuns {
    pub(super) fn of(spans: &[SpanNode<'_>]) -> Option<Self> {
        let first = spans.first()?;
        Some(Self {
            span_id: first.span_id(),
            runs: spans.len() as u64,
            status: SpanStatus::worst(spans.iter().map(|span| span.status())),
            duration: total(spans.iter().filter_map(|span| span.duration())),
            self_time: total(spans.iter().filter_map(|span| span.self_time())),
            count: spans.iter().filter_map(|span| span.count()).reduce(u64::saturating_add),
            cost_usd: sum(spans.iter().filter_map(|span| span.cost_usd())),
            error: spans.iter().find_map(|span| span.error()).cloned(),
        })
    }

    /// Returns the span id of the first run.
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// Returns the number of runs.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Returns the worst status among the runs.
    pub fn status(&self) -> SpanStatus {
        self.status
    }

    /// Returns the total duration of the runs, or `None` if none has ended.
    pub fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// Returns the total of the runs' self times, or `None` if none has ended.
    pub fn self_time(&self) -> Option<Duration> {
        self.self_time
    }

    /// Returns the number of items that the runs yielded, or `None` if none yielded any.
    pub fn count(&self) -> Option<u64> {
        self.count
    }

    /// Returns the cost that the runs recorded, in US dollars.
    pub fn cost_usd(&self) -> Option<f64> {
        self.cost_usd
    }

    /// Returns the error of the first run that failed.
    pub fn error(&self) -> Option<&ErrorInfo> {
        self.error.as_ref()
    }

    fn to_json(&self) -> String {
        let error = self
            .error
            .as_ref()
            .map(|error| Object::new().with("type", error.type_name()).with("message", error.message()).close());
        Object::new()
            .with("span_id", self.span_id.to_string())
            .with("runs", self.runs)
            .with("status", self.status.as_str())
            .with("duration_ms", self.duration.map(millis))
            .with("self_ms", self.self_time.map(millis))
            .with("count", self.count)
            .with("cost_usd", self.cost_usd)
            .with_json("error", error.as_deref().unwrap_or("null"))
            .close()
    }
}

fn total(durations: impl Iterator<Item = Duration>) -> Option<Duration> {
    durations.reduce(Duration::saturating_add)
}

/// Returns the sum of numbers, or `None` if there are none.
pub(super) fn sum(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    numbers.reduce(|sum, number| sum + number)
}

/// Returns `true` if two numbers differ by more than the tolerance, or only one of them is there.
fn differ(before: Option<f64>, after: Option<f64>) -> bool {
    match (before, after) {
        // A little more, so that exactly a tenth does not count because of rounding.
        (Some(before), Some(after)) => (after - before).abs() > TOLERANCE * before.abs() * (1.0 + 1e-9),
        (before, after) => before.is_some() != after.is_some(),
    }
}
