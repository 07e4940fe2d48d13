//! Access to a record's fields without decoding them first.

use std::borrow::Cow;

use ragtrace_core::Value;
use ragtrace_core::value::encoding::{EncodedText, EncodedValue};

use super::accessors::Record;
use super::fields::{NamedValue, named_fields};

/// A borrowed value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue<'a> {
    /// No value.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number that is not negative.
    U64(u64),
    /// A whole number.
    I64(i64),
    /// A floating-point number.
    F64(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// The JSON of a structured value.
    Json(Cow<'a, str>),
}

impl Record {
    /// Calls `visit` with the name and value of each field of `context`, in order.
    ///
    /// Unlike [`context`](Self::context), it does not decode the fields of the chunk.
    #[doc(hidden)]
    pub fn visit_context<'a>(&'a self, mut visit: impl FnMut(&'a str, FieldValue<'a>)) {
        match self.chunk.encoded_of(self.parts()) {
            Some((stage, encoded, _)) => {
                named_fields(stage, encoded).for_each(|(name, value)| visit(name, value.into()));
            }
            None => visit_all(self.context_fields(), visit),
        }
    }

    /// Calls `visit` with the name and value of each number of `metrics`, as
    /// [`visit_context`](Self::visit_context) does for `context`.
    #[doc(hidden)]
    pub fn visit_metrics<'a>(&'a self, mut visit: impl FnMut(&'a str, FieldValue<'a>)) {
        match self.chunk.encoded_of(self.parts()) {
            Some((stage, _, encoded)) => {
                named_fields(stage, encoded).for_each(|(name, value)| visit(name, value.into()));
            }
            None => visit_all(self.metrics_fields(), visit),
        }
    }
}

fn visit_all<'a>(fields: &'a [NamedValue], mut visit: impl FnMut(&'a str, FieldValue<'a>)) {
    for (name, value) in fields {
        visit(name, value.into());
    }
}

impl<'a> From<EncodedValue<'a>> for FieldValue<'a> {
    #[inline]
    fn from(value: EncodedValue<'a>) -> Self {
        match value {
            EncodedValue::Bool(value) => Self::Bool(value),
            EncodedValue::U64(number) => Self::U64(number),
            EncodedValue::I64(number) => Self::I64(number),
            EncodedValue::F64(number) => Self::F64(number),
            EncodedValue::Text(text) => Self::Text(EncodedText::as_str(text)),
            EncodedValue::Json(json) => Self::Json(EncodedText::as_str(json)),
            EncodedValue::Descriptor(_) => Self::Null,
        }
    }
}

impl<'a> From<&'a Value> for FieldValue<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Bool(value) => Self::Bool(*value),
            Value::U64(number) => Self::U64(*number),
            Value::I64(number) => Self::I64(*number),
            Value::F64(number) => Self::F64(*number),
            Value::Text(text) => Self::Text(Cow::Borrowed(text)),
            Value::Json(json) => Self::Json(Cow::Borrowed(json)),
            _ => Self::Null,
        }
    }
}
