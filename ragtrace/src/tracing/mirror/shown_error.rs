//! The failure of a run as an error with sources, which layers can read like any other: formatters
//! write the sources, and others make an exception of it.

use std::error::Error;
use std::fmt;

use ragtrace_core::value::encoding::{EncodedFields, EncodedValue, field_id};

use super::shown_fields::cut;

/// The failure of a run, read from the fields of its end.
#[derive(Default)]
pub(super) struct ShownError {
    pub(super) type_name: String,
    /// Set if a request failed with a response.
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
    /// Reads the failure from the fields of an end.
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
        // The last source has no source itself.
        let chain = |source, text| Some(Box::new(Message { text, source }));
        error.error.source = sources.into_iter().rev().fold(None, chain);
        error
    }

    /// Returns the message of the error.
    pub(super) fn message(&self) -> &str {
        &self.error.text
    }

    /// Returns the failure as an error.
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
