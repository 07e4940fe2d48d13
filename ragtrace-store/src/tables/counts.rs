//! Rows of `stage_minutes` and `stage_hours`.

#[cfg(feature = "postgres")]
use std::borrow::Cow;
#[cfg(feature = "postgres")]
use std::collections::BTreeMap;

use ragtrace::metrics::StageMinute;
#[cfg(feature = "postgres")]
use ragtrace::{Timestamp, metrics::DurationSketch};
#[cfg(feature = "postgres")]
use serde_json::{Value as Json, json};

#[cfg(feature = "postgres")]
use super::floor::floor;
#[cfg(feature = "postgres")]
use super::millis::millis;

/// Returns the numbers of all, completed, failed and cancelled runs, and of items, as signed
/// integers.
pub(crate) fn counts(minute: &StageMinute) -> [i64; 5] {
    [minute.runs(), minute.completed(), minute.failed(), minute.cancelled(), minute.items()]
        .map(|count| i64::try_from(count).unwrap_or(i64::MAX))
}

/// The time that one row of counts covers.
#[cfg(feature = "postgres")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Minute,
    Hour,
}

/// Returns the counts, added up by step, as a JSON array with one row per key, in the order of the
/// keys. Sketches are strings in it. `time` and `name` convert the parts of a key to the form in
/// which the database stores them.
#[cfg(feature = "postgres")]
pub(crate) fn added_up<'a>(
    minutes: &'a [StageMinute],
    step: Step,
    time: impl Fn(Timestamp) -> Timestamp,
    name: impl Fn(&'a str) -> Cow<'a, str>,
) -> Json {
    let step = match step {
        Step::Minute => 60_000_000,
        Step::Hour => 3_600_000_000,
    };
    let mut all: BTreeMap<_, ([i64; 5], f64, f64, DurationSketch)> = BTreeMap::new();
    for minute in minutes {
        let at = Timestamp::from_micros(floor(time(minute.minute()).as_micros(), step));
        let key = (at, name(minute.stage()), name(minute.tenant_id().unwrap_or_default()), minute.kind().as_str());
        let (sums, cost, total, durations) = all.entry(key).or_default();
        for (sum, count) in sums.iter_mut().zip(counts(minute)) {
            *sum = sum.saturating_add(count);
        }
        *cost = finite(*cost + minute.cost_usd());
        *total = finite(*total + millis(minute.total_duration()));
        durations.merge(minute.durations());
    }
    let row = |((at, stage, tenant, kind), (sums, cost, total, durations)): (
        (Timestamp, Cow<'_, str>, Cow<'_, str>, &str),
        _,
    )| {
        let [runs, completed, failed, cancelled, items]: [i64; 5] = sums;
        let durations: DurationSketch = durations;
        json!({
            "at": at.to_string(), "tenant_id": tenant, "stage": stage, "kind": kind, "runs": runs,
            "completed": completed, "failed": failed, "cancelled": cancelled, "items": items, "cost_usd": cost,
            "duration_ms_sum": total, "durations": durations.to_string(),
        })
    };
    all.into_iter().map(row).collect()
}

/// Returns the nearest number that JSON can represent: it has no infinity and no NaN.
#[cfg(feature = "postgres")]
fn finite(sum: f64) -> f64 {
    if sum.is_nan() { 0.0 } else { sum.clamp(f64::MIN, f64::MAX) }
}
