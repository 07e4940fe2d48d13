//! LLM Observability: a span an end record, with what went in and came out.
//!
//! Spans go to the documented intake (`/api/intake/llm-obs/v1/trace/spans`), or, through an Agent,
//! to the one that Datadog's own clients use (`/api/v2/llmobs`). An event of many spans that is
//! over a megabyte is lost without a word: a request to the former, which is one event, has less
//! than that unless it is of a single span, and with the latter each span is an event.
//!
//! Where there is no parent in this process the span is a root (`parent_id` is `undefined`),
//! whatever a caller's header says: a tree whose root never came would not be shown. Tokens and
//! cost are with the stage that declares them alone, so that sums over spans count nothing twice.
//!
//! Content that has no place of its own is in `metadata`: documents beside another input or output,
//! a `query` beside an `input`, a retriever's `output` beside its documents. The application's
//! numbers are metrics; one that has the name of a metric of Datadog's stands behind `field_`.
//!
//! A failed run has the status `error`. A cancelled one is `ok`, with the tag `outcome:cancelled`:
//! whoever asked has left, and nothing went wrong.
//!
//! Not sent: starts and log lines, and spans that are more than 24 hours old, which become dead
//! letters. A span over 5,000,000 bytes loses its input and output, with a notice in their place.

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

/// Bytes of a span (`ddtrace` 4.16).
const LONGEST_SPAN: usize = 5_000_000;
/// How old spans may be; nothing is known of a limit ahead.
const AGES: Limits = Limits {
    back: Duration::from_hours(24),
    ahead: Duration::from_hours(24 * 365 * 1_000),
    intake: "Datadog's LLM Observability",
};

pub(super) fn limits(intake: Intake) -> BatchLimits {
    // Bytes are an estimate of the records' canonical JSON, to which spans add names and tags.
    BatchLimits::default().with_records(1_000).with_bytes(intake.longest() / 5 * 2).with_in_flight(2)
}

/// Spans as a payload.
#[derive(Debug, Default)]
pub(super) struct Payload {
    /// `None` if no span is in it.
    pub(super) body: Option<Body>,
    /// The records whose span is not in it for its age: their index, and why.
    pub(super) expired: Vec<(usize, String)>,
    pub(super) losses: Losses,
}

/// Encodes the spans of end records as they are to be sent at `now`; other records are passed over.
///
/// # Errors
///
/// If they are too large for one payload.
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
