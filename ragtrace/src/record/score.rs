//! A score as a record has it: a judgement on a trace or a span.

use std::borrow::Cow;
use std::sync::Arc;

use ragtrace_core::context::Request;
use ragtrace_core::entry::{ScoreEntry, score_field};
use ragtrace_core::json::Object;
use ragtrace_core::value::encoding::DecodedFields;
use ragtrace_core::{Event, Level, Value};

use super::chunk_builder::ChunkBuilder;
use super::parts::{Extras, OwnedSubject, RecordParts};
use super::path::PathStep;

/// The logger of scores.
const LOGGER: &str = "score";

/// The judgement that a record with [`Event::Score`](crate::Event::Score) reports. The record's ids
/// say which trace or span is judged.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordScore {
    pub(crate) name: Box<str>,
    pub(crate) value: Value,
    pub(crate) by: Option<Box<str>>,
    pub(crate) comment: Option<String>,
}

impl RecordScore {
    /// Makes a score: its name, such as `faithfulness`, and its value, which is a number, a truth
    /// value or a label.
    pub fn new(name: impl Into<Box<str>>, value: impl Into<Value>) -> Self {
        Self { name: name.into(), value: value.into(), by: None, comment: None }
    }

    /// Sets who judged: `human`, `llm` or `code`.
    pub fn with_by(mut self, by: impl Into<Box<str>>) -> Self {
        self.by = Some(by.into());
        self
    }

    /// Sets the reason.
    pub fn with_comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    /// Returns its name, such as `faithfulness`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns its value: a number, a truth value or a text, which is a label.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Returns who judged: `human`, `llm` or `code`.
    pub fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    /// Returns the reason.
    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// Writes its part of the canonical JSON.
    pub(super) fn write(&self, mut object: Object<'_>) {
        object.text("name", &self.name);
        object.field("value", &self.value);
        object.optional_text("by", self.by());
        object.optional_text("comment", self.comment());
        object.close();
    }
}

/// A score, and the path of the run that it judges, where that is known and a sink asks for paths.
#[derive(Clone, Debug)]
pub(crate) struct JudgedRun {
    pub(crate) score: ScoreEntry,
    pub(crate) path: Option<Arc<[PathStep]>>,
}

impl ChunkBuilder {
    /// Adds the record of a score, from its entry.
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
