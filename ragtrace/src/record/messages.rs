//! The messages of stages' records: `{stage}_{event}`, and fixed ones for HTTP requests, which are
//! the same for each route.

use std::borrow::Cow;

use ragtrace_core::{Event, StageDescriptor};

/// The message of a request that was answered, even if the answer is an error.
pub(crate) const RESPONSE_SENT: &str = "http_response_sent";

/// Returns the message of a stage's record, in two parts.
#[inline]
pub(crate) fn message_of(stage: &StageDescriptor, event: Event) -> [&'static str; 2] {
    if !stage.has_http_messages() {
        return [stage.name(), event.ending()];
    }
    let message = match event {
        Event::Started => "http_request_received",
        Event::Completed => RESPONSE_SENT,
        Event::Failed => "http_request_failed",
        Event::Cancelled => "http_request_cancelled",
        _ => event.as_str(),
    };
    [message, ""]
}

/// Returns the message of a parsed record, unless it is the one that follows from its stage and
/// event.
pub(super) fn other_than_usual(
    message: Cow<'static, str>,
    stage: Option<&str>,
    event: Event,
) -> Option<Cow<'static, str>> {
    let usual = stage.and_then(|stage| message.strip_prefix(stage)) == Some(event.ending());
    (!usual).then_some(message)
}
