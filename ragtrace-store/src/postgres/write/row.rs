//! Converts a record into a row.

use std::borrow::Cow;
use std::collections::BTreeSet;

use ragtrace::{Record, SpanId, StageKind};
use uuid::Uuid;

use crate::object::Object;
use crate::postgres::clean;
use crate::postgres::days::{day_of, sensible};

/// The columns that are written, in the order of [`Row`]. The server fills in `created_at` and
/// `written`.
pub(super) const COLUMNS: &str = "id, timestamp, trace_id, span_id, parent_span_id, local_root, request_id, user_id, \
    tenant_id, session_id, request_type, logger, level, message, event, stage, kind, duration_ms, item_count, context, metrics, \
    error, stack_trace, source, service, environment, version, host, instance, thread, \
    links, used, generated";

/// A record in types that PostgreSQL has.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) id: Uuid,
    /// Microseconds since 1970.
    pub(super) timestamp: i64,
    pub(super) trace_id: Option<Uuid>,
    pub(super) span_id: Option<Digits>,
    pub(super) parent_span_id: Option<Digits>,
    pub(super) local_root: bool,
    pub(super) request_id: Text<'a>,
    pub(super) user_id: Text<'a>,
    pub(super) tenant_id: Text<'a>,
    pub(super) session_id: Text<'a>,
    pub(super) request_type: Text<'a>,
    pub(super) logger: Cow<'a, str>,
    pub(super) level: &'static str,
    pub(super) message: Cow<'a, str>,
    pub(super) event: &'static str,
    pub(super) stage: Text<'a>,
    pub(super) kind: Option<&'static str>,
    pub(super) duration_ms: Option<f64>,
    pub(super) item_count: Option<i64>,
    pub(super) context: Option<String>,
    pub(super) metrics: Option<String>,
    pub(super) error: Option<String>,
    pub(super) stack_trace: Text<'a>,
    pub(super) source: Option<String>,
    pub(super) service: Text<'a>,
    pub(super) environment: Text<'a>,
    pub(super) version: Text<'a>,
    pub(super) host: Text<'a>,
    pub(super) instance: Uuid,
    pub(super) thread: Text<'a>,
    pub(super) links: Option<String>,
    pub(super) used: Option<String>,
    pub(super) generated: Option<String>,
}

type Text<'a> = Option<Cow<'a, str>>;

/// A span id as the sixteen hex digits that are stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digits([u8; 16]);

impl Digits {
    fn of(id: SpanId) -> Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let bytes = id.as_u64().to_be_bytes();
        let half = |at: usize| if at.is_multiple_of(2) { bytes[at / 2] >> 4 } else { bytes[at / 2] & 0xf };
        Self(std::array::from_fn(|at| HEX[usize::from(half(at))]))
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Returns the days, counted from 1970, whose partitions the records belong to.
pub(crate) fn days_of(records: &[Record]) -> BTreeSet<i64> {
    let mut days = BTreeSet::new();
    let mut last = None;
    for record in records {
        let day = day_of(sensible(record.timestamp().as_micros()));
        // Neighbouring records are nearly always of the same day.
        if last.replace(day) != Some(day) {
            days.insert(day);
        }
    }
    days
}

impl<'a> Row<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        let text = |text: Option<&'a str>| text.map(clean::text);
        let said = record.timestamp().as_micros();
        let timestamp = sensible(said);
        let context = if said == timestamp { record.context_json() } else { Some(with_time(record, said)) };
        let message = match record.message() {
            Cow::Borrowed(message) => clean::text(message),
            Cow::Owned(message) => Cow::Owned(clean::text(&message).into_owned()),
        };
        Self {
            id: record.id(),
            timestamp,
            trace_id: record.trace_id().map(ragtrace::TraceId::as_uuid),
            span_id: record.span_id().map(Digits::of),
            parent_span_id: record.parent_span_id().map(Digits::of),
            local_root: record.is_local_root(),
            request_id: text(record.request_id()),
            user_id: text(record.user_id()),
            tenant_id: text(record.tenant_id()),
            session_id: text(record.session_id()),
            request_type: text(record.request_type()),
            logger: clean::text(record.logger()),
            level: record.level().as_str(),
            message,
            event: record.event().as_str(),
            stage: text(record.stage()),
            kind: record.kind().map(StageKind::as_str),
            duration_ms: record.metric("duration_ms"),
            item_count: record.count().map(|count| i64::try_from(count).unwrap_or(i64::MAX)),
            context: context.map(clean::json),
            metrics: record.metrics_json().map(clean::json),
            error: record.error_json().map(clean::json),
            stack_trace: text(record.stack_trace()),
            source: record.source().map(source),
            service: text(record.service()),
            environment: text(record.environment()),
            version: text(record.version()),
            host: text(record.host()),
            instance: record.instance(),
            thread: text(record.thread()),
            // Ids alone, which need no cleaning.
            links: record.links_json(),
            used: record.used_json().map(clean::json),
            generated: record.generated_json().map(clean::json),
        }
    }
}

/// Returns the source location of a stage as JSON. It is written without a map, since every row has
/// one.
fn source((file, line): (&str, u32)) -> String {
    let file = serde_json::to_string(file).unwrap_or_else(|_| "null".to_owned());
    clean::json(format!("{{\"file\":{file},\"line\":{line}}}"))
}

/// Returns the context of a record whose time is implausible, with the original time added in
/// microseconds since 1970.
fn with_time(record: &Record, said: i64) -> String {
    // If the record has a field of this name, the last one counts and replaces it.
    record.context_json().map_or_else(Object::new, Object::of).with("clamped_timestamp_micros", said).close()
}
