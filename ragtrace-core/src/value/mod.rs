//! Field values: the type [`Value`], the trait [`ToValue`], the encoding in which values travel
//! from a thread to the worker ([`encoding`]), and the buffer that holds them before
//! ([`FieldBuffer`], in the thread's scratch buffer).

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
/// Values can be compared with strings, numbers and booleans. An integer value equals any integer
/// of the same value, whatever its type of up to 64 bits. Every number equals the `f64` that is
/// nearest to it.
///
/// # Examples
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
    /// No value. The field is left out of its record.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that is not negative.
    U64(u64),
    /// A signed integer.
    I64(i64),
    /// A floating-point number. NaN and infinities are written to JSON as `null`.
    F64(f64),
    /// A string.
    Text(Cow<'static, str>),
    /// A list or an object, as JSON (RFC 8259) of at most 64 KiB and 100 levels, without white
    /// space between its parts.
    ///
    /// `ragtrace::json` creates such values. A value of this variant that [`ToValue::to_value`]
    /// returns is checked when it is recorded: white space is removed, a string, a number or a
    /// boolean is recorded as such, and text that is not JSON or exceeds the limits is recorded as
    /// a string.
    Json(Cow<'static, str>),
}

impl Value {
    /// Returns the string, or `None` for another variant.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the JSON of a structured value, or `None` for another variant.
    pub fn as_json(&self) -> Option<&str> {
        match self {
            Self::Json(json) => Some(json),
            _ => None,
        }
    }

    /// Returns the number if it is an integer and not negative, or `None` otherwise.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::U64(number) => Some(*number),
            Self::I64(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// Returns the number, rounded to the nearest `f64`, or `None` if the value is not a number.
    #[expect(clippy::cast_precision_loss, reason = "documented as rounded to the nearest")]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::U64(number) => Some(*number as f64),
            Self::I64(number) => Some(*number as f64),
            Self::F64(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the integer, which may be negative, or `None` if the value is not an integer.
    fn whole(&self) -> Option<i128> {
        match self {
            Self::U64(number) => Some((*number).into()),
            Self::I64(number) => Some((*number).into()),
            _ => None,
        }
    }

    /// Returns `true` if the value is a number: an integer or a floating-point number.
    ///
    /// Numbers from a stage's result go to a record's `metrics`. All other values go to its
    /// `context`.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::U64(_) | Self::I64(_) | Self::F64(_))
    }
}

impl fmt::Display for Value {
    /// Writes the value. Strings and JSON are written without quotes or escapes of their own.
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
