//! Why a run failed, as an error that layers read like any other: a formatter writes its sources,
//! others make an exception of it.

use std::error::Error;
use std::fmt;

use ragtrace_core::value::encoding::{EncodedFields, EncodedValue, field_id};

use super::shown_fields::cut;

/// The failure of a run, as the fields of its end tell it.
#[derive(Default)]
pub(super) struct ShownError {
    pub(super) type_name: String,
    /// True if the run failed by its answer: there was one.
    pub(super) was_answered: bool,
    error: Message,
}

/// A message, and the error that caused it.
#[derive(Debug, Default)]
struct Message {
    text: String,
    source: Option<Box<Message>>,
}

impl ShownError {
    /// Reads the failure in the fields of an end.
    pub(super) fn read(fields: &[u64]) -> Self {
        let mut error = Self::default();
        let mut sources = Vec::new();
        for field in EncodedFields(fields) {
            match (field.name, field.value) {
                (field_id::ERROR_TYPE, EncodedValue::Text(text)) => error.type_name = cut(text.as_str()).into_owned(),
                (field_id::ERROR_MESSAGE, EncodedValue::Text(text)) => {
                    error.error.text = cut(text.as_str()).into_owned();
                }
                (field_id::ERROR_SOURCE, EncodedValue::Text(text)) => sources.push(cut(text.as_str()).into_owned()),
                (field_id::ANSWERED, _) => error.was_answered = true,
                _ => {}
            }
        }
        // The last source has none itself.
        let chain = |source, text| Some(Box::new(Message { text, source }));
        error.error.source = sources.into_iter().rev().fold(None, chain);
        error
    }

    /// Returns its message.
    pub(super) fn message(&self) -> &str {
        &self.error.text
    }

    /// Returns it as an error.
    pub(super) fn as_error(&self) -> &(dyn Error + 'static) {
        &self.error
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Message {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
