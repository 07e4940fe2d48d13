//! Encodes spans in the messages of `opentelemetry/proto/trace/v1/trace.proto`.

use std::ops::Range;

use ragtrace::{Record, StageKind};

use super::profile::ProfileTable;
use super::proto::{Attributes, Writer};
use super::resource::ResourceSettings;
use crate::spans::{Outcome, Span};

/// `ExportTraceServiceRequest`.
const RESOURCE_SPANS: u32 = 1;
/// `ResourceSpans`.
const RESOURCE: u32 = 1;
const SCOPE_SPANS: u32 = 2;
/// `ScopeSpans`.
const SCOPE: u32 = 1;
const SPANS: u32 = 2;
/// `InstrumentationScope`.
const SCOPE_NAME: u32 = 1;
const SCOPE_VERSION: u32 = 2;
/// `Span`.
const TRACE_ID: u32 = 1;
const SPAN_ID: u32 = 2;
const PARENT_SPAN_ID: u32 = 4;
const NAME: u32 = 5;
const KIND: u32 = 6;
const START: u32 = 7;
const END: u32 = 8;
const ATTRIBUTES: u32 = 9;
const EVENTS: u32 = 11;
const LINKS: u32 = 13;
const STATUS: u32 = 15;
const FLAGS: u32 = 16;
/// `Span.Event`.
const EVENT_TIME: u32 = 1;
const EVENT_NAME: u32 = 2;
const EVENT_ATTRIBUTES: u32 = 3;
/// `Span.Link`.
const LINK_TRACE_ID: u32 = 1;
const LINK_SPAN_ID: u32 = 2;
/// `Status`.
const STATUS_MESSAGE: u32 = 2;
const STATUS_CODE: u32 = 3;
const STATUS_OK: u64 = 1;
const STATUS_ERROR: u64 = 2;
/// `Span.SpanKind`.
const INTERNAL: u64 = 1;
const SERVER: u64 = 2;
const CLIENT: u64 = 3;
/// `SpanFlags`: the flags of W3C Trace Context, whether it is known if the parent is remote, and if
/// it is.
const SAMPLED: u32 = 0x001;
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// The settings for encoding spans.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TraceEncoding<'a> {
    pub(crate) profile: &'static ProfileTable,
    pub(crate) resource: &'a ResourceSettings,
    pub(crate) tags: &'a [&'a str],
}

impl TraceEncoding<'_> {
    /// Writes the spans of end records as an `ExportTraceServiceRequest`, and returns their number.
    /// Other records are skipped.
    pub(crate) fn write(&self, records: &[Record], writer: &mut Writer) -> usize {
        let mut spans = records.iter().filter_map(Span::of).peekable();
        let (mut written, mut keys) = (0, Vec::with_capacity(64));
        while let Some(first) = spans.next() {
            let origin = first.record.origin();
            let open = writer.open(RESOURCE_SPANS);
            self.resource.write(RESOURCE, origin, writer);
            let scope = writer.open(SCOPE_SPANS);
            write_scope(SCOPE, "ragtrace", writer);
            self.write_span(&first, writer, &mut keys);
            written += 1;
            while let Some(span) = spans.next_if(|span| span.record.origin() == origin) {
                self.write_span(&span, writer, &mut keys);
                written += 1;
            }
            writer.close(scope);
            writer.close(open);
        }
        written
    }

    fn write_span(&self, span: &Span<'_>, writer: &mut Writer, keys: &mut Vec<Range<usize>>) {
        let open = writer.open(SPANS);
        writer.bytes(TRACE_ID, &span.trace_id.as_u128().to_be_bytes());
        writer.bytes(SPAN_ID, &span.span_id.as_u64().to_be_bytes());
        if let Some(parent) = span.parent_span_id() {
            writer.bytes(PARENT_SPAN_ID, &parent.as_u64().to_be_bytes());
        }
        writer.text(NAME, span.name);
        writer.unsigned(KIND, kind(span));
        writer.fixed64(START, span.start_nanos());
        writer.fixed64(END, span.end_nanos());
        (self.profile.put)(span, self.tags, &mut Attributes::new(writer, ATTRIBUTES, keys));
        write_first_item(span, writer);
        write_exception(span, writer, keys);
        write_links(span, writer);
        write_status(span, writer);
        let remote = if is_parent_remote(span) { IS_REMOTE } else { 0 };
        writer.fixed32(FLAGS, SAMPLED | HAS_IS_REMOTE | remote);
        writer.close(open);
    }
}

/// Writes an `InstrumentationScope` with ragtrace's version.
pub(crate) fn write_scope(field: u32, name: &str, writer: &mut Writer) {
    writer.message(field, |scope| {
        scope.text(SCOPE_NAME, name);
        scope.text(SCOPE_VERSION, env!("CARGO_PKG_VERSION"));
    });
}

fn is_parent_remote(span: &Span<'_>) -> bool {
    span.record.is_local_root() && span.parent_span_id().is_some()
}

/// Returns the kind of a span ("Trace API", "`SpanKind`"). A request serves its sender, whether it
/// came with a trace or not, and so does a stage whose caller is another process. A stage that
/// names its model's provider calls that provider; without a provider, the stage is not known to
/// leave the process.
fn kind(span: &Span<'_>) -> u64 {
    let is_call = matches!(span.kind, StageKind::Generate | StageKind::Embed | StageKind::Rerank);
    if is_parent_remote(span) || span.is_request() {
        SERVER
    } else if is_call && span.content.provider.is_some() {
        CLIENT
    } else {
        INTERNAL
    }
}

/// Writes the event of a stream's first item.
fn write_first_item(span: &Span<'_>, writer: &mut Writer) {
    let Some(first_item) = span.first_item() else { return };
    let nanos = u64::try_from(first_item.as_nanos()).unwrap_or(u64::MAX);
    writer.message(EVENTS, |event| {
        event.fixed64(EVENT_TIME, span.start_nanos().saturating_add(nanos).min(span.end_nanos()));
        event.text(EVENT_NAME, "first_item");
    });
}

/// Writes the event of the error ("Semantic conventions", "Exceptions in span events").
fn write_exception(span: &Span<'_>, writer: &mut Writer, keys: &mut Vec<Range<usize>>) {
    let Some(error) = span.error() else { return };
    let open = writer.open(EVENTS);
    writer.fixed64(EVENT_TIME, span.end_nanos());
    writer.text(EVENT_NAME, "exception");
    let mut attributes = Attributes::new(writer, EVENT_ATTRIBUTES, keys);
    attributes.put("exception.type", error.type_name());
    attributes.put("exception.message", error.message());
    let stack_trace = span.record.stack_trace();
    if stack_trace.is_some() || !error.chain().is_empty() {
        let mut text = format!("{}: {}", error.type_name(), error.message());
        for source in error.chain() {
            text.push_str("\nCaused by: ");
            text.push_str(source);
        }
        if let Some(stack_trace) = stack_trace {
            text.push('\n');
            text.push_str(stack_trace);
        }
        attributes.put("exception.stacktrace", &*text);
    }
    writer.close(open);
}

/// Writes the links to spans of other traces that led to this one.
fn write_links(span: &Span<'_>, writer: &mut Writer) {
    for link in span.record.links() {
        writer.message(LINKS, |message| {
            message.bytes(LINK_TRACE_ID, &link.trace_id.as_u128().to_be_bytes());
            message.bytes(LINK_SPAN_ID, &link.span_id.as_u64().to_be_bytes());
        });
    }
}

/// Writes the status. It is unset for a cancelled stage, which neither succeeded nor failed, and
/// for a request that was answered with a status below 500 ("Semantic conventions for HTTP spans",
/// "Status").
fn write_status(span: &Span<'_>, writer: &mut Writer) {
    let code = match span.outcome {
        Outcome::Completed if span.is_request() => return,
        Outcome::Completed => STATUS_OK,
        Outcome::Failed => STATUS_ERROR,
        Outcome::Cancelled => return,
    };
    writer.message(STATUS, |status| {
        if let Some(error) = span.error() {
            status.text(STATUS_MESSAGE, error.message());
        }
        status.unsigned(STATUS_CODE, code);
    });
}
