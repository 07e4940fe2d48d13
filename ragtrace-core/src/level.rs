//! Severity levels of records.

use std::fmt;
use std::str::FromStr;

use crate::parse::ParseError;

/// The severity of a record, ordered from least to most severe.
///
/// # Examples
///
/// ```
/// use ragtrace::Level;
///
/// assert!(Level::Warn < Level::Error);
/// assert_eq!("warn".parse(), Ok(Level::Warn));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Very detailed diagnostics.
    Trace,
    /// Diagnostics for developers.
    Debug,
    /// Normal operation. The default level of a stage's started and completed records.
    Info,
    /// An unusual event, such as a cancelled stage.
    Warn,
    /// A failure.
    Error,
}

impl Level {
    /// All levels, from least to most severe.
    pub const ALL: [Self; 5] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// Returns the level's name as records spell it: `TRACE`, `DEBUG`, `INFO`, `WARN` or `ERROR`.
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

    /// Parses a level's name in any letter case.
    ///
    /// Python's `WARNING` is read as `WARN`, and its `CRITICAL` as `ERROR`.
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
