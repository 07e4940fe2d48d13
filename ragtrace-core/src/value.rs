//! What a field holds, and what may become one.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::stage::Field;

/// The value of a recorded field.
///
/// It compares with texts, numbers and truth values. A whole number equals any integer of the same value, whatever its
/// type, and every number equals the `f64` that is nearest to it:
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
}

impl Value {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number as a whole one, if it is one and not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::U64(number) => Some(*number),
            Self::I64(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The number, rounded to the nearest `f64`.
    #[expect(clippy::cast_precision_loss, reason = "documented: rounded to the nearest")]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::U64(number) => Some(*number as f64),
            Self::I64(number) => Some(*number as f64),
            Self::F64(number) => Some(*number),
            _ => None,
        }
    }

    fn whole(&self) -> Option<i128> {
        match self {
            Self::U64(number) => Some((*number).into()),
            Self::I64(number) => Some((*number).into()),
            _ => None,
        }
    }

    /// Whether it is a number: numbers from results go to a record's `metrics`, everything else to its `context`.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::U64(_) | Self::I64(_) | Self::F64(_))
    }
}

impl fmt::Display for Value {
    /// Texts as they are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::U64(number) => number.fmt(f),
            Self::I64(number) => number.fmt(f),
            Self::F64(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

macro_rules! conversions {
    ($($type:ty),*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                value.to_value()
            }
        }
    )*};
}

conversions! { bool, u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f32, f64, &str, &String }

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<Cow<'static, str>> for Value {
    fn from(text: Cow<'static, str>) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    /// Converts `None` to [`Value::Null`].
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! comparisons {
    ($($type:ty => |$value:ident, $other:ident| $equal:expr;)*) => {$(
        impl PartialEq<$type> for Value {
            fn eq(&self, $other: &$type) -> bool {
                let $value = self;
                $equal
            }
        }

        impl PartialEq<Value> for $type {
            fn eq(&self, value: &Value) -> bool {
                value == self
            }
        }
    )*};
}

comparisons! {
    bool => |value, other| matches!(value, Value::Bool(value) if value == other);
    str => |value, other| value.as_str() == Some(other);
    &str => |value, other| value.as_str() == Some(*other);
    String => |value, other| value.as_str() == Some(other);
    u32 => |value, other| value.whole() == Some((*other).into());
    u64 => |value, other| value.whole() == Some((*other).into());
    usize => |value, other| value.whole() == Some(*other as i128);
    i32 => |value, other| value.whole() == Some((*other).into());
    i64 => |value, other| value.whole() == Some((*other).into());
    f64 => |value, other| value.as_f64() == Some(*other);
}

/// What may be recorded as a field without `%` (its `Display`) or `?` (its `Debug`).
///
/// Implemented for numbers, `bool`, `char`, texts, paths, durations (in milliseconds), ids, and references and options of
/// these; `None` leaves the field out. Implement it for your own newtypes:
///
/// ```
/// use ragtrace::{ToValue, Value};
///
/// struct DocumentId(u64);
///
/// impl ToValue for DocumentId {
///     fn to_value(&self) -> Value {
///         self.0.to_value()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be recorded as a field as it is",
    label = "not a number, text, bool or option of these",
    note = "record its `Display` with `%`, its `Debug` with `?`, or one of its parts: `fields(x = %expr)`, `fields(x = ?expr)`, `fields(x = expr.len())`",
    note = "or implement `ragtrace::ToValue` for `{Self}`"
)]
pub trait ToValue {
    /// The value to record.
    fn to_value(&self) -> Value;

    /// Puts the value where it goes; numbers take a shorter way.
    #[doc(hidden)]
    fn put(&self, field: Field<'_>) {
        field.value(self.to_value());
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }

    fn put(&self, field: Field<'_>) {
        (**self).put(field);
    }
}

impl<T: ToValue + ?Sized> ToValue for &mut T {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }

    fn put(&self, field: Field<'_>) {
        (**self).put(field);
    }
}

impl<T: ToValue + ?Sized> ToValue for Box<T> {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }

    fn put(&self, field: Field<'_>) {
        (**self).put(field);
    }
}

impl<T: ToValue + ?Sized> ToValue for std::sync::Arc<T> {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }

    fn put(&self, field: Field<'_>) {
        (**self).put(field);
    }
}

impl<T: ToValue + ?Sized> ToValue for std::rc::Rc<T> {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }

    fn put(&self, field: Field<'_>) {
        (**self).put(field);
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }

    fn put(&self, field: Field<'_>) {
        if let Some(value) = self {
            value.put(field);
        }
    }
}

impl ToValue for Value {
    fn to_value(&self) -> Value {
        self.clone()
    }
}

macro_rules! numbers {
    ($($type:ty => |$number:ident| $value:expr $(, $put:ident($word:expr))?;)*) => {$(
        impl ToValue for $type {
            #[inline]
            fn to_value(&self) -> Value {
                let $number = *self;
                $value
            }

            $(
                #[inline]
                fn put(&self, field: Field<'_>) {
                    let $number = *self;
                    field.$put($word);
                }
            )?
        }
    )*};
}

numbers! {
    bool => |b| Value::Bool(b), bool(b);
    u8 => |n| Value::U64(n.into()), u64(n.into());
    u16 => |n| Value::U64(n.into()), u64(n.into());
    u32 => |n| Value::U64(n.into()), u64(n.into());
    u64 => |n| Value::U64(n), u64(n);
    usize => |n| Value::U64(n as u64), u64(n as u64);
    i8 => |n| Value::I64(n.into()), i64(n.into());
    i16 => |n| Value::I64(n.into()), i64(n.into());
    i32 => |n| Value::I64(n.into()), i64(n.into());
    i64 => |n| Value::I64(n), i64(n);
    isize => |n| Value::I64(n as i64), i64(n as i64);
    f32 => |n| Value::F64(n.into()), f64(n.into());
    f64 => |n| Value::F64(n), f64(n);
    u128 => |n| u64::try_from(n).map_or_else(|_| text(n.to_string()), Value::U64);
    i128 => |n| i64::try_from(n).map_or_else(|_| text(n.to_string()), Value::I64);
    char => |c| text(c.to_string());
    std::num::NonZeroU32 => |n| Value::U64(n.get().into());
    std::num::NonZeroU64 => |n| Value::U64(n.get());
    std::num::NonZeroUsize => |n| Value::U64(n.get() as u64);
    Duration => |d| Value::F64(d.as_secs_f64() * 1_000.0);
    crate::TraceId => |id| text(id.to_string());
    crate::SpanId => |id| text(id.to_string());
    crate::Timestamp => |at| text(at.to_string());
    crate::Level => |level| Value::Text(Cow::Borrowed(level.as_str()));
    uuid::Uuid => |id| text(id.to_string());
}

fn text(text: String) -> Value {
    Value::Text(Cow::Owned(text))
}

impl ToValue for str {
    fn to_value(&self) -> Value {
        text(self.to_owned())
    }

    fn put(&self, field: Field<'_>) {
        field.text(self);
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value {
        text(self.clone())
    }

    fn put(&self, field: Field<'_>) {
        field.text(self);
    }
}

impl ToValue for Cow<'_, str> {
    fn to_value(&self) -> Value {
        text(self.clone().into_owned())
    }

    fn put(&self, field: Field<'_>) {
        field.text(self);
    }
}

impl ToValue for Path {
    fn to_value(&self) -> Value {
        text(self.to_string_lossy().into_owned())
    }

    fn put(&self, field: Field<'_>) {
        field.text(&self.to_string_lossy());
    }
}

impl ToValue for PathBuf {
    fn to_value(&self) -> Value {
        self.as_path().to_value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_equals_what_it_was_made_of_and_nothing_else() {
        assert_eq!(Value::from("text"), "text");
        assert_eq!("text", Value::from("text".to_owned()));
        assert_eq!(Value::from(true), true);
        assert_ne!(Value::from(true), 1);
        assert_eq!(Value::from(u64::MAX), u64::MAX);
        assert_eq!(Value::from(-1_i64), -1_i32);
        assert_ne!(Value::from(u64::MAX), -1_i64, "the bits are the same");
        assert_eq!(Value::from(7_i8), 7_usize);
        assert_ne!(Value::from(f64::NAN), f64::NAN);
        assert_eq!(Value::from(None::<u64>), Value::Null);
        assert_eq!(Value::from(Some("x")), "x");
    }
}
