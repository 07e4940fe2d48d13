//! Encodes feedback: the scores of runs.
//!
//! A score that was recorded inside a stage knows the place of its run. It is sent together with
//! other such scores, in any order; its run ends later. A score from elsewhere names a trace, and
//! maybe a span. It is sent alone, so that LangSmith's answer tells whether the run exists. If
//! LangSmith knows the trace but not the span, the span is the trace's root, which has the trace's
//! id.

use ragtrace::__json::Object;
use ragtrace::sink::Batch;
use ragtrace::uuid::Uuid;
use ragtrace::{Record, RecordScore, Value};

use super::dotted_order::Places;
use super::value::write_value;
use super::{run_id, time};

/// A score, and the run that it judges.
#[derive(Clone, Copy, Debug)]
pub(super) struct Feedback<'a> {
    /// The index of its record in the batch.
    pub(super) index: usize,
    pub(super) record: &'a Record,
    pub(super) judged: Judged,
    score: &'a RecordScore,
}

impl<'a> Feedback<'a> {
    /// Returns the scores of a batch. Scores without a trace are left out.
    pub(super) fn all_of(batch: &'a Batch) -> Vec<Self> {
        let mut places = Places::default();
        let of = |(index, record): (usize, &'a Record)| {
            let score = record.score()?;
            Some(Self { index, record, judged: Judged::of(record, &mut places)?, score })
        };
        batch.records().iter().enumerate().filter_map(of).collect()
    }

    /// Returns the judged run, and its LangSmith trace if that is known.
    pub(super) fn run(&self) -> (Uuid, Option<Uuid>) {
        match self.judged {
            Judged::Known { run_id, trace_id } => (run_id, Some(trace_id)),
            Judged::Guessed { run_id, .. } => (run_id, None),
        }
    }

    /// Returns the judged run for the case that the first one does not exist.
    pub(super) fn otherwise(&self) -> Option<(Uuid, Option<Uuid>)> {
        match self.judged {
            Judged::Known { .. } => None,
            Judged::Guessed { otherwise, .. } => otherwise.map(|root| (root, None)),
        }
    }

    /// Writes the feedback on a run, with its trace if that is known.
    pub(super) fn write(&self, out: &mut Vec<u8>, run: (Uuid, Option<Uuid>)) {
        write_feedback(out, self.record, self.score, run);
    }
}

/// The run that a score judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// The run's id, and the id of its LangSmith trace.
    Known { run_id: Uuid, trace_id: Uuid },
    /// The run's id if it is a part of its trace, and its id if it is the root.
    Guessed { run_id: Uuid, otherwise: Option<Uuid> },
}

impl Judged {
    /// Returns the run of a score, or `None` if the score has no trace.
    pub(super) fn of(record: &Record, places: &mut Places) -> Option<Self> {
        let trace_id = record.trace_id()?;
        if let Some(place) = places.of_judged(record) {
            return Some(Self::Known { run_id: place.run_id, trace_id: place.trace_id });
        }
        if record.span_id().is_none()
            && let Some(trace_id) = places.callers_trace(record)
        {
            // The caller began the trace, so the root of the trace is the caller's.
            return Some(Self::Known { run_id: trace_id, trace_id });
        }
        let root = run_id::of_root(trace_id);
        Some(match record.span_id() {
            Some(span_id) => Self::Guessed { run_id: run_id::of_span(trace_id, span_id), otherwise: Some(root) },
            None => Self::Guessed { run_id: root, otherwise: None },
        })
    }
}

/// Writes the feedback of a score.
fn write_feedback(out: &mut Vec<u8>, record: &Record, score: &RecordScore, run: (Uuid, Option<Uuid>)) {
    let mut object = Object::open(out);
    object.uuid("id", record.id());
    object.uuid("run_id", run.0);
    if let Some(trace_id) = run.1 {
        object.uuid("trace_id", trace_id);
    }
    object.text("key", score.name());
    match score.value() {
        Value::F64(number) if number.is_finite() => object.float("score", rounded(*number)),
        Value::Bool(_) | Value::U64(_) | Value::I64(_) => write_value(object.value("score"), score.value()),
        _ => write_value(object.value("value"), score.value()),
    }
    object.optional_text("comment", score.comment());
    let mut source = object.nested("feedback_source");
    source.ascii("type", if score.by() == Some("llm") { b"model" } else { b"api" });
    let mut metadata = source.nested("metadata");
    metadata.optional_text("by", score.by());
    metadata.close();
    source.close();
    let at = time::quoted(time::clamped(record.timestamp()));
    object.value("created_at").extend_from_slice(&at);
    object.value("modified_at").extend_from_slice(&at);
    object.close();
}

/// Returns a number with four decimals, as LangSmith stores it. A number beyond 1.8e304 has no
/// decimals to remove, and is unchanged.
fn rounded(number: f64) -> f64 {
    let scaled = number * 1e4;
    if scaled.is_finite() { scaled.round() / 1e4 } else { number }
}
