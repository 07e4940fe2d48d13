//! The error of every text that is read: a level, an id, a time, a header.

use std::borrow::Cow;
use std::fmt;

/// The most characters of a text that its error shows.
const SHOWN: usize = 64;

/// An error that is returned when a text is not what it should be: a [`Level`](crate::Level), a
/// [`TraceId`](crate::TraceId), a [`Timestamp`](crate::Timestamp), a `traceparent` header.
///
/// The message says what was expected and shows the text, or the beginning of one that is long:
///
/// ```
/// let error = "loud".parse::<ragtrace::Level>().unwrap_err();
/// assert_eq!(error.to_string(), "expected a level (trace, debug, info, warn or error), found \"loud\"");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    expected: Cow<'static, str>,
    /// The text as the message shows it.
    found: Box<str>,
}

impl ParseError {
    /// Returns the error of `text`, which should have been `expected`.
    #[doc(hidden)]
    #[cold]
    pub fn new(expected: impl Into<Cow<'static, str>>, text: &str) -> Self {
        let found = match text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{:?}…", &text[..end]),
            None => format!("{text:?}"),
        };
        Self { expected: expected.into(), found: found.into() }
    }

    /// Returns a description of a text that would have been read, such as `a level (trace, debug,
    /// info, warn or error)`.
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
