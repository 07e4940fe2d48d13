//! The trait for types that fields can record.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Value;
use super::field_buffer::{Field, FieldBuffer};

/// A value that a field can record directly, without `%` (its `Display`) or `?` (its `Debug`).
///
/// The trait is implemented for numbers, `bool`, `char`, strings, paths, durations (in
/// milliseconds), ids, and references to and options of these. `None` leaves the field out.
///
/// # Examples
///
/// Implement the trait for your own types:
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
    message = "`{Self}` cannot be recorded as a field directly",
    label = "not a number, string, bool or option of these",
    note = "record its `Display` with `%`, its `Debug` with `?`, or one of its parts: `fields(x = %expr)`, `fields(x = ?expr)`, `fields(x = expr.len())`",
    note = "or implement `ragtrace::ToValue` for `{Self}`"
)]
pub trait ToValue {
    /// Returns the value to record.
    fn to_value(&self) -> Value;

    /// Writes the value to a field. Implementations for numbers avoid building a `Value`.
    #[doc(hidden)]
    fn put(&self, field: Field<'_>) {
        field.computed(&|| self.to_value());
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

impl FieldBuffer {
    /// Records a value.
    #[inline]
    pub fn set(&mut self, name: u16, value: &(impl ToValue + ?Sized)) {
        value.put(self.field(name));
    }
}
