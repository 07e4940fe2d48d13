//! The error for text that cannot be parsed as a level, an id, a time or a header.

use std::borrow::Cow;
use std::fmt;

/// The maximum number of characters of the input that an error message shows.
const SHOWN: usize = 64;

/// An error returned when parsing a [`Level`](crate::Level), a [`TraceId`](crate::TraceId), a
/// [`Timestamp`](crate::Timestamp) or another value fails.
///
/// The message says what was expected and shows the input, cut after 64 characters:
///
/// ```
/// let error = "loud".parse::<ragtrace::Level>().unwrap_err();
/// assert_eq!(error.to_string(), "expected a level (trace, debug, info, warn or error), found \"loud\"");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    expected: Cow<'static, str>,
    /// The input, quoted and cut for the message.
    found: Box<str>,
}

impl ParseError {
    /// Creates the error for `text`, where `expected` describes valid input.
    #[doc(hidden)]
    #[cold]
    pub fn new(expected: impl Into<Cow<'static, str>>, text: &str) -> Self {
        let found = match text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{:?}…", &text[..end]),
            None => format!("{text:?}"),
        };
        Self { expected: expected.into(), found: found.into() }
    }

    /// Returns a description of valid input, such as `a level (trace, debug, info, warn or error)`.
    pub fn expected(&self) -> &str {
        &self.expected
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

impl std::error::Error for ParseError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_shows_the_text_on_one_line_and_no_more_than_its_beginning() {
        let message = |text: &str| ParseError::new("a time", text).to_string();
        assert_eq!(message(""), r#"expected a time, found """#);
        assert_eq!(message("a\nb"), r#"expected a time, found "a\nb""#);
        let long = "ü".repeat(1_000);
        assert_eq!(message(&long), format!(r#"expected a time, found "{}"…"#, "ü".repeat(SHOWN)));
    }
}
