//! Feedback: what a score says of a run.
//!
//! A score that was recorded inside a stage says where its run stands, and goes with runs, in any
//! order: the run ends after it. One that comes from elsewhere names a trace and perhaps a span. It
//! goes alone, since LangSmith then says whether it has the run: a span that it does not know, of a
//! trace that it knows, is the trace's root, which has the trace's id.

use ragtrace::__json::Object;
use ragtrace::sink::Batch;
use ragtrace::uuid::Uuid;
use ragtrace::{Record, RecordScore, Value};

use super::dotted_order::Places;
use super::value::write_value;
use super::{run_id, time};

/// A score, and the run that it is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Feedback<'a> {
    /// Its record's index in the batch.
    pub(super) index: usize,
    pub(super) record: &'a Record,
    pub(super) judged: Judged,
    score: &'a RecordScore,
}

impl<'a> Feedback<'a> {
    /// Returns the scores of a batch. Records that are no score of a trace go nowhere.
    pub(super) fn all_of(batch: &'a Batch) -> Vec<Self> {
        let mut places = Places::default();
        let of = |(index, record): (usize, &'a Record)| {
            let score = record.score()?;
            Some(Self { index, record, judged: Judged::of(record, &mut places)?, score })
        };
        batch.records().iter().enumerate().filter_map(of).collect()
    }

    /// Returns the run that it is about, and its LangSmith trace if that is known.
    pub(super) fn run(&self) -> (Uuid, Option<Uuid>) {
        match self.judged {
            Judged::Known { run_id, trace_id } => (run_id, Some(trace_id)),
            Judged::Guessed { run_id, .. } => (run_id, None),
        }
    }

    /// Returns the run that it is about if there is none of the first id.
    pub(super) fn otherwise(&self) -> Option<(Uuid, Option<Uuid>)> {
        match self.judged {
            Judged::Known { .. } => None,
            Judged::Guessed { otherwise, .. } => otherwise.map(|root| (root, None)),
        }
    }

    /// Writes the feedback on a run, in a trace if that is known.
    pub(super) fn write(&self, out: &mut Vec<u8>, run: (Uuid, Option<Uuid>)) {
        write_feedback(out, self.record, self.score, run);
    }
}

/// The run that a score judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// Its id, and that of its LangSmith trace.
    Known { run_id: Uuid, trace_id: Uuid },
    /// The id that it has if it is a part of its trace, and the one that it has if it is the root.
    Guessed { run_id: Uuid, otherwise: Option<Uuid> },
}

impl Judged {
    /// Finds the run of a score; `None` if the score is of no trace.
    pub(super) fn of(record: &Record, places: &mut Places) -> Option<Self> {
        let trace_id = record.trace_id()?;
        if let Some(place) = places.of_judged(record) {
            return Some(Self::Known { run_id: place.run_id, trace_id: place.trace_id });
        }
        if record.span_id().is_none()
            && let Some(trace_id) = places.callers_trace(record)
        {
            // The caller began the trace, so the trace's root is the caller's.
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

/// Returns a number as LangSmith keeps it, with four decimals. One beyond 1.8e304 has none that
/// could be taken away, and stays.
fn rounded(number: f64) -> f64 {
    let scaled = number * 1e4;
    if scaled.is_finite() { scaled.round() / 1e4 } else { number }
}
