//! A score in a record: a judgement on a trace or a span.

use ragtrace_core::Value;
use ragtrace_core::json::Object;

/// The score that a record with [`Event::Score`](crate::Event::Score) reports.
///
/// The ids of the record name the trace or span that is judged.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordScore {
    pub(crate) name: Box<str>,
    pub(crate) value: Value,
    pub(crate) by: Option<Box<str>>,
    pub(crate) comment: Option<String>,
}

impl RecordScore {
    /// Creates a score from its name, such as `faithfulness`, and its value, which is a number, a
    /// boolean or a label.
    pub fn new(name: impl Into<Box<str>>, value: impl Into<Value>) -> Self {
        Self { name: name.into(), value: value.into(), by: None, comment: None }
    }

    /// Sets the kind of judge: `human`, `llm` or `code`.
    pub fn with_by(mut self, by: impl Into<Box<str>>) -> Self {
        self.by = Some(by.into());
        self
    }

    /// Sets the comment that explains the score.
    pub fn with_comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    /// Returns the name of the score, such as `faithfulness`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value of the score: a number, a boolean, or a text, which is a label.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Returns the kind of judge: `human`, `llm` or `code`.
    pub fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    /// Returns the comment that explains the score.
    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// Writes the score's object of the canonical JSON.
    pub(super) fn write(&self, mut object: Object<'_>) {
        object.text("name", &self.name);
        object.field("value", &self.value);
        object.optional_text("by", self.by());
        object.optional_text("comment", self.comment());
        object.close();
    }
}
