//! The messages of OTLP that are written, as a table: the fields' numbers, their names in JSON, and
//! their types. They are those of `opentelemetry-proto`, version 1.9.

use Type::{Bool, Double, Enum, Fixed32, Fixed64, Hex, Int64, Text};

/// A message: its fields, by number.
pub(super) struct Message(pub(super) &'static [Field]);

/// A field of a message.
pub(super) struct Field {
    pub(super) number: u32,
    pub(super) name: &'static str,
    pub(super) is_repeated: bool,
    pub(super) value: Type,
}

/// The type of a field, as far as its form in JSON depends on it.
#[derive(Clone, Copy)]
pub(super) enum Type {
    Text,
    Bool,
    /// An enumeration, which OTLP writes as a number.
    Enum,
    /// A 64-bit number, which is a text in the JSON of Protocol Buffers.
    Int64,
    Fixed64,
    Fixed32,
    Double,
    /// The id of a trace or a span, which OTLP writes in hex rather than in base64.
    Hex,
    Nested(&'static Message),
}

const fn one(number: u32, name: &'static str, value: Type) -> Field {
    Field { number, name, is_repeated: false, value }
}

const fn many(number: u32, name: &'static str, message: &'static Message) -> Field {
    Field { number, name, is_repeated: true, value: Type::Nested(message) }
}

/// `ExportTraceServiceRequest`.
pub(super) static TRACES: Message = Message(&[many(1, "resourceSpans", &RESOURCE_SPANS)]);

/// `ExportLogsServiceRequest`.
pub(super) static LOGS: Message = Message(&[many(1, "resourceLogs", &RESOURCE_LOGS)]);

static RESOURCE_SPANS: Message =
    Message(&[one(1, "resource", Type::Nested(&RESOURCE)), many(2, "scopeSpans", &SCOPE_SPANS)]);

static RESOURCE_LOGS: Message =
    Message(&[one(1, "resource", Type::Nested(&RESOURCE)), many(2, "scopeLogs", &SCOPE_LOGS)]);

static RESOURCE: Message = Message(&[many(1, "attributes", &KEY_VALUE)]);

static SCOPE_SPANS: Message = Message(&[one(1, "scope", Type::Nested(&SCOPE)), many(2, "spans", &SPAN)]);

static SCOPE_LOGS: Message = Message(&[one(1, "scope", Type::Nested(&SCOPE)), many(2, "logRecords", &LOG_RECORD)]);

static SCOPE: Message = Message(&[one(1, "name", Text), one(2, "version", Text)]);

static SPAN: Message = Message(&[
    one(1, "traceId", Hex),
    one(2, "spanId", Hex),
    one(4, "parentSpanId", Hex),
    one(5, "name", Text),
    one(6, "kind", Enum),
    one(7, "startTimeUnixNano", Fixed64),
    one(8, "endTimeUnixNano", Fixed64),
    many(9, "attributes", &KEY_VALUE),
    many(11, "events", &EVENT),
    many(13, "links", &LINK),
    one(15, "status", Type::Nested(&STATUS)),
    one(16, "flags", Fixed32),
]);

static EVENT: Message =
    Message(&[one(1, "timeUnixNano", Fixed64), one(2, "name", Text), many(3, "attributes", &KEY_VALUE)]);

static LINK: Message = Message(&[one(1, "traceId", Hex), one(2, "spanId", Hex)]);

static STATUS: Message = Message(&[one(2, "message", Text), one(3, "code", Enum)]);

static LOG_RECORD: Message = Message(&[
    one(1, "timeUnixNano", Fixed64),
    one(2, "severityNumber", Enum),
    one(3, "severityText", Text),
    one(5, "body", Type::Nested(&ANY_VALUE)),
    many(6, "attributes", &KEY_VALUE),
    one(8, "flags", Fixed32),
    one(9, "traceId", Hex),
    one(10, "spanId", Hex),
    one(11, "observedTimeUnixNano", Fixed64),
    one(12, "eventName", Text),
]);

static KEY_VALUE: Message = Message(&[one(1, "key", Text), one(2, "value", Type::Nested(&ANY_VALUE))]);

static ANY_VALUE: Message = Message(&[
    one(1, "stringValue", Text),
    one(2, "boolValue", Bool),
    one(3, "intValue", Int64),
    one(4, "doubleValue", Double),
    one(5, "arrayValue", Type::Nested(&ARRAY_VALUE)),
]);

static ARRAY_VALUE: Message = Message(&[many(1, "values", &ANY_VALUE)]);
