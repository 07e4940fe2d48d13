//! Encodes a finished span as a LangSmith run, part by part.
//!
//! The main part contains ids, times and the tree. The other parts are sent beside it (multipart)
//! or inside it (batch), and are the same in both cases.

use ragtrace::__json::{Object, write_text};
use ragtrace::{ErrorInfo, Timestamp};

use super::dotted_order::Place;
use super::metadata::{OriginMembers, write_metadata};
use super::run_type::run_type;
use super::{content, time};
use crate::spans::{Outcome, Span};

/// The members that all runs of a sink share.
#[derive(Clone, Debug)]
pub(super) struct Common {
    pub(super) project: String,
    pub(super) tags: Vec<String>,
}

/// A part beside the main one, in the order of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Inputs,
    Outputs,
    Events,
    Extra,
    Error,
}

impl Part {
    pub(super) const ALL: [Self; 5] = [Self::Inputs, Self::Outputs, Self::Events, Self::Extra, Self::Error];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Inputs => "inputs",
            Self::Outputs => "outputs",
            Self::Events => "events",
            Self::Extra => "extra",
            Self::Error => "error",
        }
    }
}

/// A run to be written.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) common: &'a Common,
    pub(super) origin: &'a OriginMembers,
    pub(super) span: &'a Span<'a>,
    pub(super) place: Place<'a>,
    /// `true` if the input is a list of messages.
    pub(super) is_chat: bool,
}

impl Run<'_> {
    /// Writes the members of the main part.
    pub(super) fn write_main(&self, object: &mut Object<'_>) {
        let Place { run_id, trace_id, parent_run_id, dotted_order, start } = self.place;
        object.uuid("id", run_id);
        object.uuid("trace_id", trace_id);
        object.ascii("dotted_order", dotted_order.as_bytes());
        if let Some(parent) = parent_run_id {
            object.uuid("parent_run_id", parent);
        }
        object.text("name", self.span.name);
        object.text("run_type", run_type(self.span.kind));
        object.value("start_time").extend_from_slice(&time::quoted(start));
        object.value("end_time").extend_from_slice(&time::quoted(self.end()));
        // The kind is a tag, since several kinds share one of LangSmith's types.
        let tags = object.value("tags");
        tags.push(b'[');
        write_text(tags, self.span.kind.as_str());
        for tag in &self.common.tags {
            tags.push(b',');
            write_text(tags, tag);
        }
        tags.push(b']');
        object.text("session_name", &self.common.project);
    }

    /// Appends a part, or nothing if the run does not have it.
    pub(super) fn write_part(&self, part: Part, out: &mut Vec<u8>) {
        match part {
            Part::Inputs => content::write_inputs(out, self.span, self.is_chat),
            Part::Outputs => content::write_outputs(out, self.span),
            Part::Events => self.write_events(out),
            Part::Extra => self.write_extra(out),
            Part::Error => self.write_error(out),
        }
    }

    /// Returns the run's end, which is no earlier than its start after that was moved behind its
    /// parent's.
    fn end(&self) -> Timestamp {
        time::clamped(self.span.end()).max(self.place.start)
    }

    /// Writes the event from which LangSmith computes the time to the first token.
    fn write_events(&self, out: &mut Vec<u8>) {
        let Some(first_item) = self.span.first_item() else { return };
        let at = time::clamped(self.span.start.plus(first_item)).clamp(self.place.start, self.end());
        out.extend_from_slice(b"[");
        let mut event = Object::open(out);
        event.ascii("name", b"new_token");
        event.value("time").extend_from_slice(&time::quoted(at));
        event.close();
        out.extend_from_slice(b"]");
    }

    fn write_extra(&self, out: &mut Vec<u8>) {
        let mut extra = Object::open(out);
        write_metadata(extra.nested("metadata"), self.span, self.origin, self.is_chat);
        extra.raw("runtime", RUNTIME);
        extra.close();
    }

    fn write_error(&self, out: &mut Vec<u8>) {
        match (self.span.outcome, self.span.error()) {
            (Outcome::Completed, _) => {}
            (Outcome::Failed, Some(error)) => write_text(out, &text_of(error, self.span.record.stack_trace())),
            (Outcome::Failed, None) => write_text(out, "failed"),
            // LangSmith has only success and error, and a cancelled run is not a success.
            (Outcome::Cancelled, _) => write_text(out, "cancelled: dropped before its end"),
        }
    }
}

/// The program that recorded the runs.
const RUNTIME: &str = concat!(
    r#"{"sdk":"ragtrace","sdk_version":""#,
    env!("CARGO_PKG_VERSION"),
    r#"","library":"ragtrace","runtime":"rust"}"#
);

/// Returns the error's type, message and causes on one line, and the backtrace below it.
fn text_of(error: &ErrorInfo, stack_trace: Option<&str>) -> String {
    let mut text = error.type_name().to_owned();
    for message in std::iter::once(error.message()).chain(error.chain().iter().map(String::as_str)) {
        // Some errors repeat their source.
        if !message.is_empty() && !text.ends_with(message) {
            text.extend([": ", message]);
        }
    }
    if let Some(stack_trace) = stack_trace {
        text.extend(["\n\n", stack_trace]);
    }
    text
}
