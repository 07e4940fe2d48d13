//! What the tables of every database say alike.

#[cfg(feature = "postgres")]
use std::collections::BTreeMap;
use std::time::Duration;

#[cfg(feature = "postgres")]
use ragtrace::metrics::DurationSketch;
#[cfg(feature = "sqlite")]
use ragtrace::metrics::RequestMetric;
use ragtrace::metrics::StageMinute;
use ragtrace::sink::Batch;
use ragtrace::{FieldDescriptor, FieldSource, Origin, StageDescriptor, Timestamp};
use serde_json::{Value as Json, json};
use uuid::Uuid;

/// A row of `instances`: a process, and when a batch says that it lived.
#[derive(Clone, Debug)]
pub(crate) struct Process<'a> {
    pub(crate) instance: Uuid,
    pub(crate) service: Option<&'a str>,
    pub(crate) environment: Option<&'a str>,
    pub(crate) version: Option<&'a str>,
    pub(crate) host: Option<&'a str>,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

impl<'a> Process<'a> {
    fn new(origin: &'a Origin, at: Timestamp) -> Self {
        Self {
            instance: origin.instance(),
            service: origin.service(),
            environment: origin.environment(),
            version: origin.version(),
            host: origin.host(),
            first: at,
            last: at,
        }
    }

    /// The process that the counts of a batch are of: the one that closed it, else that of its first record.
    pub(crate) fn of(batch: &'a Batch) -> Option<Self> {
        let closed = batch.origin().zip(batch.closed_at());
        let first = || batch.records().first().map(|record| (record.origin(), record.timestamp()));
        closed.or_else(first).map(|(origin, at)| Self::new(origin, at))
    }

    /// Every process that a batch tells of, in the order of their ids.
    pub(crate) fn all_of(batch: &'a Batch) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let records = batch.records().iter().map(|record| (record.origin(), record.timestamp()));
        for (origin, at) in batch.origin().zip(batch.closed_at()).into_iter().chain(records) {
            // A batch is of one process nearly always, and of few otherwise.
            match all.iter_mut().find(|process| process.instance == origin.instance()) {
                Some(process) => (process.first, process.last) = (process.first.min(at), process.last.max(at)),
                None => all.push(Self::new(origin, at)),
            }
        }
        all.sort_by_key(|process| process.instance);
        all
    }
}

/// Runs, those completed, failed and cancelled, and items, as databases count.
pub(crate) fn counts(minute: &StageMinute) -> [i64; 5] {
    [minute.runs(), minute.completed(), minute.failed(), minute.cancelled(), minute.items()]
        .map(|count| i64::try_from(count).unwrap_or(i64::MAX))
}

/// One division of a whole number, so that the shortest decimal form has no more digits than there are.
#[expect(clippy::cast_precision_loss, reason = "exact up to 104 days")]
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e6
}

/// The requests of a batch as a JSON array of rows of `request_metrics`.
#[cfg(feature = "sqlite")]
pub(crate) fn requests(batch: &Batch) -> Json {
    let row = |request: &RequestMetric| {
        json!({
            "timestamp": request.timestamp().to_string(),
            "operation": request.operation(),
            "duration_ms": millis(request.duration()),
            "status": request.status().as_str(),
            "trace_id": request.trace_id().to_string(),
            "user_id": request.user_id(),
            "tenant_id": request.tenant_id(),
        })
    };
    batch.requests().iter().map(row).collect()
}

/// How long one row of counts is.
#[cfg(feature = "postgres")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Minute,
    Hour,
}

/// Counts added up by the step as a JSON array of rows, one a key, by the key. Sketches are text in it.
#[cfg(feature = "postgres")]
pub(crate) fn added_up(minutes: &[StageMinute], step: Step) -> Json {
    let step = match step {
        Step::Minute => 60_000_000,
        Step::Hour => 3_600_000_000,
    };
    let mut all: BTreeMap<_, ([i64; 5], f64, f64, DurationSketch)> = BTreeMap::new();
    for minute in minutes {
        let at = Timestamp::from_micros(minute.minute().as_micros().div_euclid(step) * step);
        let key = (at, minute.stage(), minute.tenant_id().unwrap_or_default(), minute.kind().as_str());
        let (sums, cost, total, durations) = all.entry(key).or_default();
        for (sum, count) in sums.iter_mut().zip(counts(minute)) {
            *sum = sum.saturating_add(count);
        }
        *cost += minute.cost_usd();
        *total += millis(minute.total());
        durations.merge(minute.durations());
    }
    let row = |((at, stage, tenant, kind), (sums, cost, total, durations)): ((Timestamp, _, _, _), _)| {
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

/// This program's stages as a JSON array of rows of `stages`, the fields of each as text.
pub(crate) fn catalog() -> Json {
    let row = |stage: &StageDescriptor| {
        json!({
            "name": stage.name(), "kind": stage.kind().as_str(), "level": stage.level().as_str(),
            "target": stage.target(), "file": stage.file(), "line": stage.line(), "fields": fields(stage),
        })
    };
    ragtrace::stages().into_iter().map(row).collect()
}

/// A stage's declared fields as a JSON array: `[{"name": "doc.name", "source": "fields", "type": null}]`.
fn fields(stage: &StageDescriptor) -> String {
    let field = |field: &FieldDescriptor| {
        let source = match field.source() {
            FieldSource::Start => "fields",
            FieldSource::Ok => "ok",
            FieldSource::Err => "err",
            FieldSource::Record => "record",
            _ => "other",
        };
        json!({"name": field.name(), "source": source, "type": field.ty()})
    };
    stage.fields().iter().map(field).collect::<Json>().to_string()
}
