//! Positions in a list, at which the next page begins.

use std::fmt;
use std::str::FromStr;

use ragtrace::{ParseError, Timestamp};
use uuid::Uuid;

/// A position in a list that is newest first. The next page begins right after it, whatever was
/// written meanwhile.
///
/// It prints as a text that reads back, for a link or a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub(crate) timestamp: Timestamp,
    pub(crate) id: Uuid,
}

impl Position {
    /// Before everything.
    pub(crate) const START: Self = Self { timestamp: Timestamp::from_micros(i64::MAX), id: Uuid::max() };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.timestamp.as_micros(), self.id.as_simple())
    }
}

impl FromStr for Position {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let read = || {
            let (micros, id) = text.split_once('.')?;
            Some(Self { timestamp: Timestamp::from_micros(micros.parse().ok()?), id: Uuid::try_parse(id).ok()? })
        };
        read().ok_or_else(|| ParseError::new("a position as the page before gave it", text))
    }
}
