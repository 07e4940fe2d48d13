//! Where a list stopped, so that the next page begins there.

use std::fmt;
use std::str::FromStr;

use ragtrace::Timestamp;
use uuid::Uuid;

/// A place in a list that is newest first. The next page begins right after it, whatever was written meanwhile.
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
    type Err = ParsePositionError;

    fn from_str(text: &str) -> Result<Self, ParsePositionError> {
        let (micros, id) = text.split_once('.').ok_or(ParsePositionError(()))?;
        let micros = micros.parse().map_err(|_| ParsePositionError(()))?;
        let id = Uuid::try_parse(id).map_err(|_| ParsePositionError(()))?;
        Ok(Self { timestamp: Timestamp::from_micros(micros), id })
    }
}

/// A text that is not a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsePositionError(());

impl fmt::Display for ParsePositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a position as the page before gave it")
    }
}

impl std::error::Error for ParsePositionError {}
