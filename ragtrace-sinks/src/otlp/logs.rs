//! Encodes log records in the messages of `opentelemetry/proto/logs/v1/logs.proto`.

use std::ops::Range;

use ragtrace::{Event, Level, Record, RecordScore, StageKind, Value};

use super::conventions::common::{Ours, Prefixes};
use super::proto::{Attributes, Writer};
use super::resource::ResourceSettings;
use super::traces::write_scope;

/// `ExportLogsServiceRequest`.
const RESOURCE_LOGS: u32 = 1;
/// `ResourceLogs`.
const RESOURCE: u32 = 1;
const SCOPE_LOGS: u32 = 2;
/// `ScopeLogs`.
const SCOPE: u32 = 1;
const LOG_RECORDS: u32 = 2;
/// `LogRecord`.
const TIME: u32 = 1;
const SEVERITY_NUMBER: u32 = 2;
const SEVERITY_TEXT: u32 = 3;
const BODY: u32 = 5;
const ATTRIBUTES: u32 = 6;
const FLAGS: u32 = 8;
const TRACE_ID: u32 = 9;
const SPAN_ID: u32 = 10;
const OBSERVED_TIME: u32 = 11;
const EVENT_NAME: u32 = 12;
/// `AnyValue`.
const TEXT: u32 = 1;
/// The flags of W3C Trace Context.
const SAMPLED: u32 = 0x01;

/// The settings for encoding log records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogEncoding<'a> {
    pub(crate) resource: &'a ResourceSettings,
    /// `true` if starts and ends of stages are log records too.
    pub(crate) stage_events: bool,
}

impl LogEncoding<'_> {
    /// Writes records as an `ExportLogsServiceRequest`, and returns how many were written.
    pub(crate) fn write(&self, records: &[Record], writer: &mut Writer) -> usize {
        let mut records = records.iter().filter(|record| self.takes(record)).peekable();
        let (mut written, mut keys) = (0, Vec::with_capacity(32));
        while let Some(mut record) = records.next() {
            let origin = record.origin();
            let open = writer.open(RESOURCE_LOGS);
            self.resource.write(RESOURCE, origin, writer);
            // Each logger is a scope. Consecutive records of one logger share it.
            loop {
                let logger = record.logger();
                let scope = writer.open(SCOPE_LOGS);
                write_scope(SCOPE, logger, writer);
                write_record(record, writer, &mut keys);
                written += 1;
                while let Some(next) = records.next_if(|next| next.origin() == origin && next.logger() == logger) {
                    write_record(next, writer, &mut keys);
                    written += 1;
                }
                writer.close(scope);
                match records.next_if(|next| next.origin() == origin) {
                    Some(next) => record = next,
                    None => break,
                }
            }
            writer.close(open);
        }
        written
    }

    /// Returns `true` if a record becomes a log record.
    fn takes(&self, record: &Record) -> bool {
        matches!(record.event(), Event::Log | Event::Score) || self.stage_events
    }
}

fn write_record(record: &Record, writer: &mut Writer, keys: &mut Vec<Range<usize>>) {
    let open = writer.open(LOG_RECORDS);
    let micros = u64::try_from(record.timestamp().as_micros()).unwrap_or(0);
    let nanos = micros.saturating_mul(1_000);
    writer.fixed64(TIME, nanos);
    writer.unsigned(SEVERITY_NUMBER, severity(record.level()));
    writer.text(SEVERITY_TEXT, record.level().as_str());
    writer.message(BODY, |body| body.text(TEXT, &record.message()));
    put_attributes(record, &mut Attributes::new(writer, ATTRIBUTES, keys));
    if let Some(trace_id) = record.trace_id() {
        writer.fixed32(FLAGS, SAMPLED);
        writer.bytes(TRACE_ID, &trace_id.as_u128().to_be_bytes());
        if let Some(span_id) = record.span_id() {
            writer.bytes(SPAN_ID, &span_id.as_u64().to_be_bytes());
        }
    }
    writer.fixed64(OBSERVED_TIME, nanos);
    match record.event() {
        Event::Log => {}
        Event::Score => writer.text(EVENT_NAME, "gen_ai.evaluation.result"),
        event => writer.text(EVENT_NAME, &["ragtrace.stage.", event.as_str()].concat()),
    }
    writer.close(open);
}

fn put_attributes(record: &Record, attributes: &mut Attributes<'_>) {
    if let Some(score) = record.score() {
        put_score(score, attributes);
    }
    attributes.put_some("session.id", record.session_id());
    attributes.put_some("user.id", record.user_id());
    let mut ours = Ours { prefix: Prefixes::PLAIN.ours, attributes };
    // A record that arrives twice can be recognized by this id.
    ours.put("record_id", &*record.id().to_string());
    ours.put_some("stage", record.stage());
    ours.put_some("kind", record.kind().map(StageKind::as_str));
    ours.put_some("request_id", record.request_id());
    ours.put_some("tenant_id", record.tenant_id());
    ours.put_some("request_type", record.request_type());
    ours.put_some("duration_ms", record.duration().map(|duration| duration.as_secs_f64() * 1e3));
    ours.put_some("count", record.count());
    if let Some(error) = record.error() {
        attributes.put("exception.type", error.type_name());
        attributes.put("exception.message", error.message());
        attributes.put_some("exception.stacktrace", record.stack_trace());
    }
    if let Some((file, line)) = record.source() {
        attributes.put("code.file.path", file);
        attributes.put("code.line.number", i64::from(line));
    }
    attributes.put_some("thread.name", record.thread());
    for (name, value) in record.context().chain(record.metrics()) {
        attributes.put_field(&[name], value);
    }
}

/// Writes a score as the event `gen_ai.evaluation.result` of the GenAI conventions. A boolean
/// becomes the label `true` or `false`, and the number 1 or 0.
fn put_score(score: &RecordScore, attributes: &mut Attributes<'_>) {
    attributes.put("gen_ai.evaluation.name", score.name());
    let value = match score.value() {
        Value::Bool(is_so) => Some(f64::from(u8::from(*is_so))),
        value => value.as_f64(),
    };
    attributes.put_some("gen_ai.evaluation.score.value", value);
    match score.value() {
        Value::Text(label) => attributes.put("gen_ai.evaluation.score.label", &**label),
        Value::Bool(is_so) => attributes.put("gen_ai.evaluation.score.label", if *is_so { "true" } else { "false" }),
        _ => {}
    }
    attributes.put_some("gen_ai.evaluation.explanation", score.comment());
    attributes.put_some("ragtrace.score.by", score.by());
}

/// Returns the severity number of a level ("Logs Data Model", "Field: `SeverityNumber`").
fn severity(level: Level) -> u64 {
    match level {
        Level::Trace => 1,
        Level::Debug => 5,
        Level::Info => 9,
        Level::Warn => 13,
        Level::Error => 17,
    }
}
