//! How severe a record is.

use std::fmt;
use std::str::FromStr;

use crate::parse::ParseError;

/// A record's severity, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// The finest detail.
    Trace,
    /// Detail for a developer.
    Debug,
    /// What is normal and worth a line: the default of started and completed stages.
    Info,
    /// Out of the ordinary: a cancelled stage.
    Warn,
    /// A failure.
    Error,
}

impl Level {
    /// Every level, from the least severe.
    pub const ALL: [Self; 5] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// Returns the name in records: `TRACE`, `DEBUG`, `INFO`, `WARN` or `ERROR`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Level {
    type Err = ParseError;

    /// Reads a name in any case; Python's `WARNING` and `CRITICAL` too, the latter as `ERROR`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let named = Self::ALL.into_iter().find(|level| text.eq_ignore_ascii_case(level.as_str()));
        match named {
            Some(level) => Ok(level),
            None if text.eq_ignore_ascii_case("warning") => Ok(Self::Warn),
            None if text.eq_ignore_ascii_case("critical") => Ok(Self::Error),
            None => Err(ParseError::new("a level (trace, debug, info, warn or error)", text)),
        }
    }
}
