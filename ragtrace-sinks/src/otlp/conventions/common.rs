//! Attributes that every dialect has: those of OpenTelemetry's stable conventions, and ragtrace's
//! own.

use std::borrow::Cow;

use ragtrace::{ErrorInfo, RecordItem, Value};

use super::json::{Document, to_json};
use crate::otlp::proto::{Attribute, Attributes};
use crate::spans::{Outcome, Span};

/// The prefixes that a dialect puts before names that no convention defines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prefixes {
    /// The prefix of ragtrace's own attributes.
    pub(crate) ours: &'static str,
    /// The prefix of the application's fields.
    pub(crate) fields: &'static str,
}

impl Prefixes {
    /// Ragtrace's attributes under its name, and fields without a prefix.
    pub(crate) const PLAIN: Self = Self { ours: "ragtrace.", fields: "" };
}

/// Writes the attributes that a span has in every dialect.
pub(crate) fn put_common(span: &Span<'_>, prefixes: Prefixes, attributes: &mut Attributes<'_>) {
    let record = span.record;
    let mut ours = Ours { prefix: prefixes.ours, attributes };
    ours.put("kind", span.kind.as_str());
    ours.put("outcome", outcome(span));
    ours.put_some("count", record.count());
    ours.put_some("input_count", span.content.input_count);
    ours.put_some("score", span.content.score);
    ours.put_some("busy_ms", record.busy().map(|busy| busy.as_secs_f64() * 1e3));
    ours.put_some("first_item_ms", span.first_item().map(|time| time.as_secs_f64() * 1e3));
    ours.put_some("request_id", record.request_id());
    ours.put_some("tenant_id", record.tenant_id());
    ours.put_some("request_type", record.request_type());
    attributes.put_some("error.type", span.error().map(ErrorInfo::type_name));
    if let Some((file, line)) = record.source() {
        attributes.put("code.file.path", file);
        attributes.put("code.line.number", i64::from(line));
    }
    attributes.put_some("thread.name", record.thread());
}

/// Writes the application's fields, none of which replaces another attribute.
pub(crate) fn put_fields(span: &Span<'_>, prefixes: Prefixes, attributes: &mut Attributes<'_>) {
    for (name, value) in span.other_fields() {
        attributes.put_field(&[prefixes.fields, name], value);
    }
}

/// Writes attributes under a prefix.
pub(crate) struct Ours<'a, 'w> {
    pub(crate) prefix: &'static str,
    pub(crate) attributes: &'a mut Attributes<'w>,
}

impl Ours<'_, '_> {
    pub(crate) fn put<'v>(&mut self, name: &str, value: impl Into<Attribute<'v>>) {
        self.attributes.put_parts(&[self.prefix, name], value);
    }

    pub(crate) fn put_some<'v>(&mut self, name: &str, value: Option<impl Into<Attribute<'v>>>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    /// Writes items as a list of documents, if there are any.
    pub(crate) fn put_items(&mut self, name: &str, items: &[RecordItem]) {
        if !items.is_empty() {
            let documents: Vec<_> = items.iter().map(Document).collect();
            self.put(name, &*to_json(&documents));
        }
    }
}

/// Returns the name of a span's outcome.
pub(crate) fn outcome(span: &Span<'_>) -> &'static str {
    match span.outcome {
        Outcome::Completed => "completed",
        Outcome::Failed => "failed",
        Outcome::Cancelled => "cancelled",
    }
}

/// Returns a value as text. A structured value becomes JSON.
pub(crate) fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Text(text) | Value::Json(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// Returns the media type of the text that [`text_of`] returns for a value.
pub(crate) fn mime_type(value: &Value) -> &'static str {
    if matches!(value, Value::Text(_)) { "text/plain" } else { "application/json" }
}
