//! Encodes end records as spans of LLM Observability, with their input and output.
//!
//! Spans go to the documented intake (`/api/intake/llm-obs/v1/trace/spans`), or through an Agent to
//! the intake that Datadog's own clients use (`/api/v2/llmobs`). Datadog silently loses an event of
//! several spans that is over a megabyte. A request to the former intake is one event, so it stays
//! below that size unless it contains a single span. With the latter intake each span is an event.
//!
//! A span without a parent in this process is a root (`parent_id` is `undefined`), even if the
//! caller's header names a parent: a tree whose root never arrives would not be shown. Tokens and
//! cost are only on the stage that declares them, so sums over spans count nothing twice.
//!
//! Content without a member of its own is in `metadata`: documents beside another input or output,
//! a `query` beside an `input`, a retriever's `output` beside its documents. The application's
//! numbers are metrics. A number with the name of one of Datadog's metrics gets the prefix
//! `field_`.
//!
//! A failed run has the status `error`. A cancelled run has the status `ok` and the tag
//! `outcome:cancelled`, since the caller has left and nothing went wrong.
//!
//! Starts and log lines are not sent. Spans that are more than 24 hours old become dead letters. A
//! span over 5,000,000 bytes loses its input and output, and has a notice in their place.

mod content;
mod intake;
mod kind;
mod meta;
mod span;

use std::time::Duration;

use ragtrace::__json::Object;
use ragtrace::sink::{BatchLimits, SinkError};
use ragtrace::{Record, Timestamp};

use super::counts::Losses;
use super::settings::Settings;
use super::window::Limits;
use crate::http::Body;
use crate::ml_app::MlApp;
use crate::spans::Span;
pub(super) use intake::{Intake, ROOT_TAG};
use meta::Extent;
use span::SpanWriter;

/// The largest span in bytes (`ddtrace` 4.16).
const LONGEST_SPAN: usize = 5_000_000;
/// The age limits of spans. No limit into the future is known.
const AGES: Limits = Limits {
    back: Duration::from_hours(24),
    ahead: Duration::from_hours(24 * 365 * 1_000),
    intake: "Datadog's LLM Observability",
};

pub(super) fn limits(intake: Intake) -> BatchLimits {
    // The bytes are an estimate of the records' canonical JSON. Spans add names and tags to that.
    BatchLimits::default().with_records(1_000).with_bytes(intake.longest() / 5 * 2).with_in_flight(2)
}

/// A payload of spans.
#[derive(Debug, Default)]
pub(super) struct Payload {
    /// `None` if the payload contains no span.
    pub(super) body: Option<Body>,
    /// The records whose spans are too old for the payload: index and reason.
    pub(super) expired: Vec<(usize, String)>,
    pub(super) losses: Losses,
}

/// Encodes the spans of end records, to be sent at `now`. Other records are skipped.
///
/// # Errors
///
/// Returns an error if they are too large for one payload.
pub(super) fn encode(
    records: &[Record],
    settings: &Settings,
    ml_app: &MlApp,
    intake: Intake,
    now: Timestamp,
) -> Result<Payload, SinkError> {
    let window = AGES.at(now);
    let spans = SpanWriter { settings, ml_app, intake };
    let mut payload = Payload::default();
    let mut writer = settings.begin();
    begin(writer.staged(), ml_app, intake);
    let mut number = 0;
    for (index, record) in records.iter().enumerate() {
        let Some(span) = Span::of(record) else { continue };
        if let Some(why) = window.refusal(span.start) {
            payload.expired.push((index, why));
            continue;
        }
        let out = writer.staged();
        if number > 0 {
            out.push(b',');
        }
        let start = out.len();
        write_event(out, &spans, &span, Extent::Whole);
        if out.len() - start > LONGEST_SPAN {
            out.truncate(start);
            write_event(out, &spans, &span, Extent::WithoutContent);
            payload.losses.cut_spans += 1;
        }
        writer.settle();
        number += 1;
        let longest = intake.longest();
        if writer.uncompressed_len() + 16 > longest && number > 1 {
            return Err(SinkError::split(format!("more than {longest} bytes of spans for one request")));
        }
    }
    if number > 0 {
        writer.staged().extend_from_slice(if intake == Intake::Agent { b"]" } else { b"]}}}" });
        payload.body = Some(writer.finish().map_err(SinkError::retry)?);
    }
    Ok(payload)
}

fn begin(out: &mut Vec<u8>, ml_app: &MlApp, intake: Intake) {
    if intake == Intake::Agent {
        return out.push(b'[');
    }
    out.extend_from_slice(br#"{"data":{"type":"span","attributes":"#);
    Object::open(out).text("ml_app", ml_app.as_str());
    out.extend_from_slice(b",\"spans\":[");
}

fn write_event(out: &mut Vec<u8>, spans: &SpanWriter<'_>, span: &Span<'_>, extent: Extent) {
    if spans.intake == Intake::Documented {
        return spans.write(out, span, extent);
    }
    let mut event = Object::open(out);
    event.text("_dd.stage", "raw");
    event.text("_dd.tracer_version", env!("CARGO_PKG_VERSION"));
    event.text("event_type", "span");
    event.list("spans", &[()], |out, ()| spans.write(out, span, extent));
    event.close();
}
