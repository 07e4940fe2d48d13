//! The JSON that clients get for a run of a stage, a log line and a score.

use std::fmt::Display;
use std::time::Duration;

use ragtrace::{Event, Record, RecordScore, SpanId, Timestamp, Value};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A run of a stage, according to its newest record.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) span_id: SpanId,
    pub(crate) event: Event,
    pub(crate) start: Timestamp,
    pub(crate) duration: Option<Duration>,
    pub(crate) is_local_root: bool,
    parent_span_id: Option<SpanId>,
    stage: Box<str>,
    kind: Option<&'static str>,
    timestamp: Timestamp,
    count: Option<u64>,
    cost_usd: Option<f64>,
    context: Json,
    metrics: Json,
    error: Option<Json>,
}

impl Run {
    /// Returns the run that a record is about, or `None` if it is about something else.
    pub(crate) fn of(record: &Record) -> Option<Self> {
        let (span_id, timestamp, duration) = (record.span_id()?, record.timestamp(), record.duration());
        let stage = record.stage().filter(|_| record.event() == Event::Started || record.event().is_end())?;
        Some(Self {
            span_id,
            event: record.event(),
            start: duration.map_or(timestamp, |duration| timestamp.minus(duration)),
            duration,
            is_local_root: record.is_local_root(),
            parent_span_id: record.parent_span_id(),
            stage: stage.into(),
            kind: record.kind().map(ragtrace::StageKind::as_str),
            timestamp,
            count: record.count(),
            cost_usd: record.metric("cost_usd"),
            context: Json::of(record.context_json()),
            metrics: Json::of(record.metrics_json()),
            error: record.error_json().map(|error| Json::of(Some(error))),
        })
    }

    /// Returns an estimate of the memory that the run takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        let error = self.error.as_ref().map_or(0, Json::size);
        size_of::<Self>() + self.stage.len() + self.context.size() + self.metrics.size() + error
    }

    /// Returns the end of the run, or its start if it has not ended.
    pub(crate) fn end(&self) -> Timestamp {
        self.start.plus(self.duration.unwrap_or_default())
    }

    /// Returns the status of the run: its event, or `open` after its start.
    pub(crate) fn status(&self) -> &'static str {
        if self.event == Event::Started { "open" } else { self.event.as_str() }
    }

    /// Returns the run as an event.
    pub(crate) fn as_event(&self) -> RunEvent<'_> {
        RunEvent {
            span_id: Text(self.span_id),
            parent_span_id: self.parent_span_id.map(Text),
            stage: &self.stage,
            kind: self.kind,
            event: self.event.as_str(),
            timestamp: Text(self.timestamp),
            duration_ms: self.duration.map(millis),
            count: self.count,
            context: &self.context,
            metrics: &self.metrics,
            error: self.error.as_ref(),
        }
    }

    /// Returns the whole run, with this status.
    pub(crate) fn with_status<'a>(&'a self, status: &'a str) -> RunView<'a> {
        RunView {
            span_id: Text(self.span_id),
            parent_span_id: self.parent_span_id.map(Text),
            stage: &self.stage,
            kind: self.kind,
            status,
            start: Text(self.start),
            duration_ms: self.duration.map(millis),
            count: self.count,
            cost_usd: self.cost_usd,
            context: &self.context,
            metrics: &self.metrics,
            error: self.error.as_ref(),
        }
    }
}

/// The JSON of an event of a run.
#[derive(Debug, Serialize)]
pub(crate) struct RunEvent<'a> {
    span_id: Text<SpanId>,
    parent_span_id: Option<Text<SpanId>>,
    stage: &'a str,
    kind: Option<&'a str>,
    event: &'a str,
    timestamp: Text<Timestamp>,
    duration_ms: Option<f64>,
    count: Option<u64>,
    context: &'a Json,
    metrics: &'a Json,
    error: Option<&'a Json>,
}

/// The JSON of a whole run.
#[derive(Debug, Serialize)]
pub(crate) struct RunView<'a> {
    span_id: Text<SpanId>,
    parent_span_id: Option<Text<SpanId>>,
    stage: &'a str,
    kind: Option<&'a str>,
    status: &'a str,
    start: Text<Timestamp>,
    duration_ms: Option<f64>,
    count: Option<u64>,
    cost_usd: Option<f64>,
    context: &'a Json,
    metrics: &'a Json,
    error: Option<&'a Json>,
}

/// A log line of the application.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    level: &'static str,
    message: Box<str>,
    span_id: Option<Text<SpanId>>,
    timestamp: Text<Timestamp>,
    context: Json,
}

impl Line {
    pub(crate) fn of(record: &Record) -> Option<Self> {
        (record.event() == Event::Log).then(|| Self {
            level: record.level().as_str(),
            message: record.message().into(),
            span_id: record.span_id().map(Text),
            timestamp: Text(record.timestamp()),
            context: Json::of(record.context_json()),
        })
    }

    /// Returns an estimate of the memory that the line takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.message.len() + self.context.size()
    }
}

/// A score of the trace or of a run in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Judgement {
    name: Box<str>,
    value: serde_json::Value,
    by: Option<Box<str>>,
    comment: Option<Box<str>>,
    span_id: Option<Text<SpanId>>,
    timestamp: Text<Timestamp>,
}

impl Judgement {
    /// Returns the judgement of a record with this score.
    pub(crate) fn of(record: &Record, score: &RecordScore) -> Self {
        Self {
            name: score.name().into(),
            value: json(score.value()),
            by: score.by().map(Into::into),
            comment: score.comment().map(Into::into),
            span_id: record.span_id().map(Text),
            timestamp: Text(record.timestamp()),
        }
    }

    /// Returns an estimate of the memory that the score takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        let texts = [Some(&self.name), self.by.as_ref(), self.comment.as_ref()];
        let value = self.value.as_str().map_or(0, str::len);
        size_of::<Self>() + value + texts.into_iter().flatten().map(|text| text.len()).sum::<usize>()
    }
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(flag) => (*flag).into(),
        Value::F64(number) => (*number).into(),
        Value::U64(number) => (*number).into(),
        Value::I64(number) => (*number).into(),
        Value::Text(text) => text.as_ref().into(),
        _ => serde_json::Value::Null,
    }
}

/// Returns a duration in milliseconds, as in JSON.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// A text that is JSON already.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Json(Box<RawValue>);

impl Json {
    /// Takes the text of a JSON object. Without one, the object is empty.
    fn of(text: Option<String>) -> Self {
        let written = text.and_then(|text| RawValue::from_string(text).ok());
        Self(written.unwrap_or_else(|| RawValue::from_string("{}".to_owned()).expect("an object")))
    }

    fn size(&self) -> usize {
        self.0.get().len()
    }
}

/// Serializes a value as the text that it prints.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Text<T>(pub(crate) T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
