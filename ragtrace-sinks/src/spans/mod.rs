//! Spans, which the sinks for tracing backends make from records.
//!
//! [`Span::of`] is a pure function of one end record, which repeats the fields of its start. So no
//! sink has to keep a record after it has delivered it, and a span is the same however often and in
//! whatever order its records arrive. A span never ends before it starts.
//!
//! It is not promised that a span's parent arrives, or that it arrives first.
//!
//! `content` contains the reserved names, whose meaning every backend knows under a name of its
//! own; `messages` parses the messages of a conversation in `input` and `output`; `links` writes
//! links to other traces if a backend has no place for them.

mod content;
#[cfg(any(feature = "datadog", feature = "langsmith"))]
mod links;
mod messages;

use std::time::Duration;

use ragtrace::{ErrorInfo, Event, PathStep, Record, SpanId, StageKind, Timestamp, TraceId};

#[cfg(feature = "datadog")]
pub(crate) use content::is_reserved;
pub(crate) use content::{Content, Usage};
#[cfg(feature = "datadog")]
pub(crate) use links::LINKS;
#[cfg(any(feature = "datadog", feature = "langsmith"))]
pub(crate) use links::write_links;
pub(crate) use messages::Message;

/// A finished run of a stage, as tracing backends see it.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "the id has this name everywhere")]
pub(crate) struct Span<'a> {
    pub(crate) record: &'a Record,
    pub(crate) name: &'a str,
    pub(crate) kind: StageKind,
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) start: Timestamp,
    pub(crate) duration: Duration,
    pub(crate) outcome: Outcome,
    pub(crate) content: Content<'a>,
}

/// The outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Completed,
    Failed,
    Cancelled,
}

impl<'a> Span<'a> {
    /// Returns the span of an end record, or `None` for any other record.
    pub(crate) fn of(record: &'a Record) -> Option<Self> {
        let outcome = match record.event() {
            Event::Completed => Outcome::Completed,
            Event::Failed => Outcome::Failed,
            Event::Cancelled => Outcome::Cancelled,
            _ => return None,
        };
        let duration = record.duration().unwrap_or_default();
        Some(Self {
            record,
            name: record.stage().unwrap_or("stage"),
            kind: record.kind().unwrap_or(StageKind::Task),
            trace_id: record.trace_id()?,
            span_id: record.span_id()?,
            start: start_of(record, duration),
            duration,
            outcome,
            content: Content::of(record),
        })
    }

    /// Returns the id of the parent, which may be in another process.
    pub(crate) fn parent_span_id(&self) -> Option<SpanId> {
        self.record.parent_span_id()
    }

    /// Returns the start in nanoseconds since 1970.
    #[cfg(any(feature = "datadog", feature = "otlp"))]
    pub(crate) fn start_nanos(&self) -> u64 {
        nanos(self.start)
    }

    /// Returns the end in nanoseconds since 1970, never before the start.
    #[cfg(feature = "otlp")]
    pub(crate) fn end_nanos(&self) -> u64 {
        let duration = u64::try_from(self.duration.as_nanos()).unwrap_or(u64::MAX);
        self.start_nanos().saturating_add(duration)
    }

    /// Returns the end, to the microsecond.
    #[cfg(feature = "langsmith")]
    pub(crate) fn end(&self) -> Timestamp {
        let micros = i64::try_from(self.duration.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(self.start.as_micros().saturating_add(micros))
    }

    /// Returns `true` for a request that was served. The fields alone would not distinguish it from
    /// a stage that sends a request, nor its message from a stage named `http_request`.
    #[cfg(feature = "otlp")]
    pub(crate) fn is_request(&self) -> bool {
        if self.name == "http_request" || self.record.field("http.request.method").is_none() {
            return false;
        }
        let message = self.record.message();
        matches!(&*message, "http_response_sent" | "http_request_failed" | "http_request_cancelled")
    }

    /// Returns the error.
    pub(crate) fn error(&self) -> Option<&'a ErrorInfo> {
        self.record.error()
    }

    /// Returns the time from the start to the first item, for a stream.
    pub(crate) fn first_item(&self) -> Option<Duration> {
        let millis = self.record.metric("first_item_ms").filter(|millis| *millis >= 0.0)?;
        Duration::try_from_secs_f64(millis / 1_000.0).ok()
    }

    /// Returns the fields of `context` and the numbers of `metrics` that have no reserved name.
    #[cfg(any(feature = "langsmith", feature = "otlp"))]
    pub(crate) fn other_fields(&self) -> impl Iterator<Item = (&'a str, &'a ragtrace::Value)> {
        let all = self.record.context().chain(self.record.metrics());
        all.filter(|(name, _)| !content::is_reserved(name))
    }
}

/// Returns the start of a run: the one that the worker has noted, else the end minus the duration.
fn start_of(record: &Record, duration: Duration) -> Timestamp {
    let of_path = |step: &&PathStep| Some(step.span_id) == record.span_id();
    if let Some(step) = record.path().last().filter(of_path) {
        return step.start;
    }
    let micros = i64::try_from(duration.as_nanos().div_ceil(1_000)).unwrap_or(i64::MAX);
    Timestamp::from_micros(record.timestamp().as_micros().saturating_sub(micros))
}

fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.as_micros()).unwrap_or(0).saturating_mul(1_000)
}
