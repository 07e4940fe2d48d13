//! The messages that the programs print for their user.

use std::error::Error;
use std::fmt::Write as _;

/// Returns an error and all of its causes on one line. Control characters, which a file name may
/// contain, are replaced, so that nothing in a name can move the terminal's cursor.
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Some libraries' errors contain their cause already.
        let said = error.to_string();
        if !line.ends_with(&said) {
            let _ = write!(line, ": {said}");
        }
        cause = error.source();
    }
    printable(&line)
}

/// Returns `text` without control characters and without runs of white space.
pub fn printable(text: &str) -> String {
    let spaced: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The tally of an ingestion of many documents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of documents stored.
    pub ingested: usize,
    /// The number of documents that failed.
    pub failed: usize,
    /// The number of files whose format cannot be read.
    pub skipped: usize,
    /// The number of documents that were not reached before an interrupt.
    pub cancelled: usize,
    /// The number of chunks stored.
    pub chunks: usize,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ingested, {} failed", self.ingested, self.failed)?;
        if self.cancelled > 0 {
            write!(f, ", {} cancelled", self.cancelled)?;
        }
        if self.skipped > 0 {
            write!(f, ", {} skipped (another format)", self.skipped)?;
        }
        write!(f, ", {} chunks stored", self.chunks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::IngestError;
    use crate::parse::ParseError;

    #[test]
    fn an_error_is_one_line_with_its_causes() {
        let cause = std::io::Error::other("disk\n\u{1b}[31mred");
        let error = IngestError::Parse(ParseError::Read(cause));
        assert_eq!(
            one_line(&error),
            "parsing failed: the file cannot be opened; check its path and its permissions: disk [31mred",
        );
    }

    #[test]
    fn a_cause_is_said_once() {
        let inner = ParseError::BrokenPdf("no header".into());
        let outer = std::io::Error::other(IngestError::Parse(inner));
        assert_eq!(
            one_line(&outer),
            "parsing failed: the PDF is damaged; open it in a viewer and save it anew: no header",
        );
    }

    #[test]
    fn the_tally_names_what_happened() {
        let mut tally = Tally { ingested: 7, failed: 2, chunks: 40, ..Tally::default() };
        assert_eq!(tally.to_string(), "7 ingested, 2 failed, 40 chunks stored");
        (tally.skipped, tally.cancelled) = (3, 1);
        assert_eq!(
            tally.to_string(),
            "7 ingested, 2 failed, 1 cancelled, 3 skipped (another format), 40 chunks stored",
        );
    }
}
