//! Values of fields: what they are ([`Value`]), what may become one ([`ToValue`]), and the form in
//! which they go from a thread to the worker ([`encoding`]), where they wait until then
//! ([`FieldBuffer`], over a thread's scratch buffer).

mod convert;
pub mod encoding;
mod field_buffer;
mod json_text;
mod scratch;
mod secret;
#[cfg(feature = "serde")]
mod structured;
mod to_value;

use std::borrow::Cow;
use std::fmt;

pub use field_buffer::{Field, FieldBuffer};
pub use secret::Secret;
#[cfg(feature = "serde")]
pub use structured::{AsJson, json};
pub use to_value::ToValue;

/// The value of a recorded field.
///
/// It compares with texts, numbers and truth values. A whole number equals any integer of the same
/// value, of whatever type of up to 64 bits, and every number equals the `f64` that is nearest to
/// it:
///
/// ```
/// use ragtrace::Value;
///
/// assert_eq!(Value::from("report.pdf"), "report.pdf");
/// assert_eq!(Value::from(3_u8), 3);
/// assert_eq!(Value::from(3_u8), 3.0);
/// assert_ne!(Value::from("3"), 3);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Nothing: a field with it is left out of its record.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number that is not negative.
    U64(u64),
    /// A whole number.
    I64(i64),
    /// A number; what JSON has no form for (NaN, infinities) is written as `null`.
    F64(f64),
    /// A text.
    Text(Cow<'static, str>),
    /// A list or an object, as JSON (RFC 8259) of at most 64 KiB and 100 levels, without white
    /// space between its parts.
    ///
    /// `ragtrace::json` makes such values. What [`ToValue::to_value`] returns is looked at when a
    /// field records it: white space goes, a text, a number or a truth value is recorded as one,
    /// and what is no JSON or is beyond these limits is recorded as a text.
    Json(Cow<'static, str>),
}

impl Value {
    /// Returns the text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the JSON of a structured value, if it is one.
    pub fn as_json(&self) -> Option<&str> {
        match self {
            Self::Json(json) => Some(json),
            _ => None,
        }
    }

    /// Returns the number as a whole one, if it is one and not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::U64(number) => Some(*number),
            Self::I64(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// Returns the number, rounded to the nearest `f64`.
    #[expect(clippy::cast_precision_loss, reason = "documented: rounded to the nearest")]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::U64(number) => Some(*number as f64),
            Self::I64(number) => Some(*number as f64),
            Self::F64(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns a whole number of either sign.
    fn whole(&self) -> Option<i128> {
        match self {
            Self::U64(number) => Some((*number).into()),
            Self::I64(number) => Some((*number).into()),
            _ => None,
        }
    }

    /// Returns true for a number: numbers from results go to a record's `metrics`, everything else
    /// to its `context`.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::U64(_) | Self::I64(_) | Self::F64(_))
    }
}

impl fmt::Display for Value {
    /// Writes texts and JSON as they are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::U64(number) => number.fmt(f),
            Self::I64(number) => number.fmt(f),
            Self::F64(number) => number.fmt(f),
            Self::Text(text) | Self::Json(text) => text.fmt(f),
        }
    }
}
