//! Writes a run's metadata, by which LangSmith filters, groups and prices.

use ragtrace::__json::Object;
use ragtrace::Origin;
use ragtrace::uuid::Uuid;

use super::usage::write_usage;
use super::value::write_value;
use crate::spans::{Outcome, Span, write_links};

/// The names that the sink itself writes. A field of the application with one of these names gets
/// the prefix `field.`, and a number with the name of a field the prefix `metrics.`, since readers
/// disagree about a name that occurs twice.
const NAMES: [&str; 29] = [
    "busy_ms",
    "count",
    "dimensions",
    "environment",
    "host",
    "input_count",
    "instance",
    "kind",
    "links",
    "ls_model_name",
    "ls_model_type",
    "ls_provider",
    "parent_span_id",
    "prompt_name",
    "prompt_version",
    "request_id",
    "request_type",
    "score",
    "service",
    "session_id",
    "span_id",
    "status",
    "tenant_id",
    "thread_id",
    "top_k",
    "trace_id",
    "usage_metadata",
    "user_id",
    "version",
];

/// The members that describe a run's process, written once for all of its runs.
#[derive(Debug, Default)]
pub(super) struct OriginMembers {
    instance: Option<Uuid>,
    /// With a comma before each member.
    json: Vec<u8>,
}

impl OriginMembers {
    /// Sets the members to those of `origin`.
    pub(super) fn set(&mut self, origin: &Origin) {
        if self.instance == Some(origin.instance()) {
            return;
        }
        self.instance = Some(origin.instance());
        self.json.clear();
        let mut members = Object::continued(&mut self.json);
        members.optional_text("service", origin.service());
        members.optional_text("environment", origin.environment());
        members.optional_text("version", origin.version());
        members.optional_text("host", origin.host());
        members.uuid("instance", origin.instance());
    }
}

/// Writes the metadata of a run.
pub(super) fn write_metadata(mut object: Object<'_>, span: &Span<'_>, origin: &OriginMembers, is_chat: bool) {
    let (record, content) = (span.record, &span.content);
    object.text("kind", span.kind.as_str());
    object.uuid("trace_id", span.trace_id.as_uuid());
    object.hex("span_id", span.span_id.as_u64());
    if let Some(parent) = span.parent_span_id() {
        object.hex("parent_span_id", parent.as_u64());
    }
    object.optional_text("user_id", record.user_id());
    object.optional_text("tenant_id", record.tenant_id());
    if let Some(session) = record.session_id() {
        object.text("session_id", session);
        // LangSmith groups threads by either name. Its current clients send this one.
        object.text("thread_id", session);
    }
    object.optional_text("request_id", record.request_id());
    object.optional_text("request_type", record.request_type());
    write_links(&mut object, record);
    object.fragment(&origin.json);

    object.optional_text("ls_provider", content.provider);
    object.optional_text("ls_model_name", content.model);
    if is_chat && content.model.is_some() {
        object.ascii("ls_model_type", b"chat");
    }
    if !content.usage.is_empty() {
        write_usage(object.nested("usage_metadata"), &content.usage);
    }
    object.optional_text("prompt_name", content.prompt_name);
    object.optional_text("prompt_version", content.prompt_version_text().as_deref());
    let numbers = [
        ("dimensions", content.dimensions),
        ("top_k", content.top_k),
        ("input_count", content.input_count),
        ("count", record.count()),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            object.unsigned(name, number);
        }
    }
    if let Some(score) = content.score {
        object.float("score", score);
    }
    if let Some(busy) = record.busy() {
        object.millis("busy_ms", busy);
    }
    if span.outcome == Outcome::Cancelled {
        object.ascii("status", b"cancelled");
    }
    for (name, value) in span.other_fields() {
        let is_second = record.field(name).is_some_and(|first| !std::ptr::eq(first, value));
        let place = match (NAMES.contains(&name), is_second) {
            (false, false) => object.value(name),
            (true, false) => object.value(&format!("field.{name}")),
            (_, true) => object.value(&format!("metrics.{name}")),
        };
        write_value(place, value);
    }
    object.close();
}
