//! The record of a score.

use std::borrow::Cow;
use std::sync::Arc;

use ragtrace_core::context::Request;
use ragtrace_core::entry::{ScoreEntry, score_field};
use ragtrace_core::value::encoding::DecodedFields;
use ragtrace_core::{Event, Level, Value};

use super::chunk_builder::ChunkBuilder;
use super::parts::{Extras, OwnedSubject, RecordParts};
use super::path::PathStep;
use super::score::RecordScore;

/// The logger of scores.
const LOGGER: &str = "score";

/// A score, and the path of the run that it judges, if the path is known and a sink needs paths.
#[derive(Clone, Debug)]
pub(crate) struct JudgedRun {
    pub(crate) score: ScoreEntry,
    pub(crate) path: Option<Arc<[PathStep]>>,
}

impl ChunkBuilder {
    /// Adds the record of a score.
    #[cold]
    pub(crate) fn add_score(&mut self, request: &Arc<Request>, thread: &Arc<str>, judged: JudgedRun, fields: &[u64]) {
        let JudgedRun { score, path } = judged;
        let mut recorded = RecordScore::new("", Value::Null);
        for (name, value) in DecodedFields(fields) {
            match (name, value) {
                (score_field::NAME, Value::Text(name)) => recorded.name = name.into(),
                (score_field::VALUE, value) => recorded.value = value,
                (score_field::BY, Value::Text(judge)) => recorded.by = Some(judge.into()),
                (score_field::COMMENT, Value::Text(comment)) => recorded.comment = Some(comment.into_owned()),
                _ => {}
            }
        }
        let message = Some(Cow::Owned(format!("{}_scored", recorded.name)));
        let subject = OwnedSubject { logger: Cow::Borrowed(LOGGER), message, ..OwnedSubject::default() };
        let extras = Extras { subject, score: Some(Box::new(recorded)), path, ..Extras::default() };
        let (request_index, thread) = (self.request_index(request), self.thread_index(thread));
        let parts = RecordParts::new(request.anchor.wall_at(score.at), Event::Score, Level::Info, None);
        self.add(RecordParts {
            extras: Some(Box::new(extras)),
            span_id: score.span,
            request: request_index,
            thread,
            ..parts
        });
    }
}
