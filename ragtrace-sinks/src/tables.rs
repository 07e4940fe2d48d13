//! What the tables of every database say alike.

use std::collections::BTreeMap;
use std::time::Duration;

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
        let mut all: BTreeMap<Uuid, Self> = BTreeMap::new();
        let records = batch.records().iter().map(|record| (record.origin(), record.timestamp()));
        for (origin, at) in batch.origin().zip(batch.closed_at()).into_iter().chain(records) {
            let process = all.entry(origin.instance()).or_insert_with(|| Self::new(origin, at));
            (process.first, process.last) = (process.first.min(at), process.last.max(at));
        }
        all.into_values().collect()
    }
}

/// Runs, those completed, failed and cancelled, and items, as databases count.
pub(crate) fn counts(minute: &StageMinute) -> [i64; 5] {
    [minute.runs(), minute.completed(), minute.failed(), minute.cancelled(), minute.items()]
        .map(|count| i64::try_from(count).unwrap_or(i64::MAX))
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// A stage's declared fields as a JSON array: `[{"name": "doc.name", "source": "fields", "type": null}]`.
pub(crate) fn fields(stage: &StageDescriptor) -> String {
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
