//! A score as a record has it: a judgement on a trace or a span.

use ragtrace_core::Value;
use ragtrace_core::json::Object;

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
