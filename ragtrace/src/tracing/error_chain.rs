//! An error and its sources in one text.

use std::error::Error;
use std::fmt::{self, Display};

/// The maximum number of sources that are read, because a chain may be a circle.
const MOST_SOURCES: usize = 32;

/// Displays an error followed by its sources, separated by colons.
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
