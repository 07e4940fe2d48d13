//! The sections of canonical JSON that the records of one stage, request or process have in common.

use ragtrace_core::context::Request;
use ragtrace_core::json::Object;
use ragtrace_core::{Event, Level, StageDescriptor};

use super::messages::message_of;
use super::origin::Origin;

/// Writes the section on the stage, from `level` to `kind`.
pub(super) fn write_subject(object: &mut Object<'_>, stage: &StageDescriptor, event: Event, level: Level) {
    object.text("level", level.as_str());
    object.text("logger", stage.target());
    let [beginning, ending] = message_of(stage, event);
    object.text_of_two("message", beginning, ending);
    object.text("event", event.as_str());
    object.text("stage", stage.name());
    object.text("kind", stage.kind().as_str());
}

/// Writes the section on the request, from `request_id` to `langsmith_parent`.
pub(super) fn write_request(object: &mut Object<'_>, request: &Request) {
    object.optional_text("request_id", request.request_id.as_deref());
    object.optional_text("user_id", request.user_id.as_deref());
    object.optional_text("tenant_id", request.tenant_id.as_deref());
    object.optional_text("session_id", request.session_id.as_deref());
    object.optional_text("request_type", request.request_type.as_deref());
    object.optional_text("langsmith_parent", request.langsmith_parent.as_deref());
}

/// Writes the section on the process, from `service` to `instance`.
pub(super) fn write_origin(object: &mut Object<'_>, origin: &Origin) {
    object.optional_text("service", origin.service.as_deref());
    object.optional_text("environment", origin.environment.as_deref());
    object.optional_text("version", origin.version.as_deref());
    object.optional_text("host", origin.host.as_deref());
    object.uuid("instance", origin.instance);
}

/// Writes the source file and line.
pub(super) fn write_source(object: &mut Object<'_>, file: &str, line: u32) {
    let mut source = object.nested("source");
    source.text("file", file);
    source.unsigned("line", u64::from(line));
    source.close();
}
