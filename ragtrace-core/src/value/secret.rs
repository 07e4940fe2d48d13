//! Values that are never recorded or printed.

use std::borrow::Cow;
use std::fmt;

use super::{ToValue, Value};

/// The text that is recorded and printed instead of a secret.
const MARK: &str = "[secret]";

/// A wrapper for a secret value, which is recorded and printed as `[secret]`. Only
/// [`expose`](Self::expose) and [`into_inner`](Self::into_inner) give access to the value.
///
/// # Examples
///
/// ```
/// use ragtrace::{Secret, ToValue};
///
/// let key = Secret::new(String::from("tops3cret"));
/// assert_eq!(format!("{key} {key:?} {}", key.to_value()), "[secret] [secret] [secret]");
/// assert_eq!(key.expose(), "tops3cret");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a secret value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns a reference to the secret value.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Unwraps the secret value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> ToValue for Secret<T> {
    fn to_value(&self) -> Value {
        Value::Text(Cow::Borrowed(MARK))
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(MARK)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(MARK)
    }
}
