//! Conditions on the records of a trace.

/// A condition that at least one record of a trace has to meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// The record is of the stage with this name.
    Ran(String),
    /// The record is an error that contains this text.
    Error(String),
    /// The record's context has this field with this value.
    Field { name: String, value: String },
}

/// A text that is searched for, ignoring the case of ASCII letters.
pub(crate) fn lower(text: &str) -> String {
    text.to_ascii_lowercase()
}
