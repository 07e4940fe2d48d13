//! An error and its sources in one text.

use std::error::Error;
use std::fmt::{self, Display};

/// The most sources that are read; a chain may be a circle.
const MOST_SOURCES: usize = 32;

/// Writes an error and, after colons, its sources.
pub(super) struct ErrorChain<'a>(pub(super) &'a (dyn Error + 'static));

impl Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        for _ in 0..MOST_SOURCES {
            let Some(error) = source else { return Ok(()) };
            write!(f, ": {error}")?;
            source = error.source();
        }
        if source.is_some() { f.write_str(": …") } else { Ok(()) }
    }
}
