//! A batch, sorted by where its records go. Pure: what it makes follows from the batch and from what the
//! server takes.

use std::io;

use ragtrace::sink::Batch;
use ragtrace::uuid::Uuid;
use ragtrace::{Record, RecordScore};

use super::batch_fallback::BatchBody;
use super::cut::Cut;
use super::dotted_order::Places;
use super::feedback::{Judged, write_feedback};
use super::metadata::OriginMembers;
use super::multipart::{Multipart, MultipartBody};
use super::run::{Common, Run};
use crate::http::{Body, Compression};
use crate::spans::Span;

/// What of a batch goes where.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    batch: &'a Batch,
    common: &'a Common,
    /// The records that are ends of runs.
    pub(super) runs: Vec<Span<'a>>,
    /// Feedback that goes with the runs.
    beside: Vec<Feedback<'a>>,
    /// Feedback that goes alone.
    pub(super) alone: Vec<Feedback<'a>>,
}

/// A score, and the run that it is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Feedback<'a> {
    /// Its record's index in the batch.
    pub(super) index: usize,
    pub(super) record: &'a Record,
    pub(super) judged: Judged,
    score: &'a RecordScore,
}

impl<'a> Plan<'a> {
    /// Sorts a batch. Records that are neither an end nor a score of a trace go nowhere.
    pub(super) fn of(batch: &'a Batch, common: &'a Common, takes_feedback_beside: bool) -> Self {
        let mut plan = Self { batch, common, runs: Vec::new(), beside: Vec::new(), alone: Vec::new() };
        let mut places = Places::default();
        for (index, record) in batch.records().iter().enumerate() {
            if let Some(span) = Span::of(record) {
                plan.runs.push(span);
            } else if let Some(score) = record.score()
                && let Some(judged) = Judged::of(record, &mut places)
            {
                let feedback = Feedback { index, record, judged, score };
                match judged {
                    Judged::Known { .. } if takes_feedback_beside => plan.beside.push(feedback),
                    _ => plan.alone.push(feedback),
                }
            }
        }
        plan
    }

    /// Returns how many runs and how much feedback go together.
    pub(super) fn together(&self) -> usize {
        self.runs.len() + self.beside.len()
    }

    /// Writes the body of `POST /runs/multipart`.
    pub(super) fn multipart(&self, compression: &Compression, cut: &Cut) -> io::Result<MultipartBody> {
        let mut body = Multipart::begin(compression, self.batch.id(), cut);
        self.each_run(|run| body.add_run(run));
        for feedback in &self.beside {
            if let Judged::Known { run_id, trace_id } = feedback.judged {
                body.add_feedback(feedback.record.id(), |out| feedback.write(out, (run_id, Some(trace_id))));
            }
        }
        body.finish()
    }

    /// Writes the body of `POST /runs/batch`.
    pub(super) fn batch(&self, plain: &Compression, cut: &Cut) -> io::Result<Body> {
        let mut body = BatchBody::begin(plain, cut);
        self.each_run(|run| body.add_run(run));
        body.finish()
    }

    fn each_run(&self, mut add: impl FnMut(&Run<'_>)) {
        let (mut places, mut origin) = (Places::default(), OriginMembers::default());
        for span in &self.runs {
            origin.set(span.record.origin());
            let is_chat = span.content.input_messages().is_some();
            add(&Run { common: self.common, origin: &origin, span, place: places.of_span(span), is_chat });
        }
    }
}

impl Feedback<'_> {
    /// Writes the feedback on a run, in a trace if that is known.
    pub(super) fn write(&self, out: &mut Vec<u8>, run: (Uuid, Option<Uuid>)) {
        write_feedback(out, self.record, self.score, run);
    }
}
