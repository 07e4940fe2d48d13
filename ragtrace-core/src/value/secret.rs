//! Values that never leave.

use std::borrow::Cow;
use std::fmt;

use super::{ToValue, Value};

/// The mark that is recorded and printed in the place of a secret.
const MARK: &str = "[secret]";

/// A value that never leaves: recorded and printed it is a mark, and its owner alone can look at
/// it.
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
    /// Hides `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns a reference to the value.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Returns the value.
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
