//! The messages that the programs print for their user.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{self, Write as _};
use std::path::Path;

use crate::ingest::{IngestError, Ingested};

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

/// Returns a path for a person. Bytes that are not Unicode are shown as such (`\xFF`), so that two
/// names do not look alike.
pub fn shown(path: &Path) -> String {
    let mut shown = String::new();
    for part in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        shown.push_str(part.valid());
        for byte in part.invalid() {
            let _ = write!(shown, "\\x{byte:02X}");
        }
    }
    printable(&shown)
}

/// A number of bytes for a person, in binary units and rounded to the nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
        match units.into_iter().find(|(shift, _)| self.0 >= 1 << shift) {
            Some((shift, unit)) => write!(f, "{} {unit}", (self.0 + (1 << (shift - 1))) >> shift),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

/// The tally of an ingestion of many documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of documents stored.
    pub ingested: usize,
    /// The number of documents passed over, since the same content is stored already.
    pub unchanged: usize,
    /// The number of stored documents removed, since they are gone.
    pub removed: u64,
    /// The number of stored documents that are gone and were not removed.
    pub gone: usize,
    /// The number of documents that were not reached before an interrupt.
    pub cancelled: usize,
    /// The number of chunks stored.
    pub chunks: usize,
    /// The numbers of documents that failed, by the kind of error.
    pub failures: BTreeMap<&'static str, usize>,
    /// The numbers of losses, by their kind.
    pub losses: BTreeMap<&'static str, usize>,
    /// The numbers of files that were skipped, by the reason.
    pub skipped: BTreeMap<String, usize>,
}

impl Tally {
    /// Counts the outcome of a document.
    pub fn count(&mut self, outcome: &Result<Ingested, IngestError>) {
        match outcome {
            Ok(ingested) if ingested.unchanged => self.unchanged += 1,
            Ok(ingested) => {
                self.ingested += 1;
                self.chunks += ingested.stored.chunks;
                for loss in &ingested.losses {
                    *self.losses.entry(loss.kind.name()).or_default() += 1;
                }
            }
            Err(error) => *self.failures.entry(error.kind()).or_default() += 1,
        }
    }

    /// Returns the number of documents that failed.
    pub fn failed(&self) -> usize {
        self.failures.values().sum()
    }

    /// Returns the lines to print after the numbers: failures, losses and skipped files with their
    /// reasons, the most frequent first, and the documents that are gone.
    pub fn notes(&self) -> Vec<String> {
        let parts = [
            sum("failed", self.failures.iter().map(|(reason, count)| (*reason, *count))),
            sum("warnings", self.losses.iter().map(|(reason, count)| (*reason, *count))),
            sum("skipped", self.skipped.iter().map(|(reason, count)| (reason.as_str(), *count))),
        ];
        let reasons = parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
        let gone = match self.gone {
            0 => String::new(),
            1 => "1 stored document is gone from the disk; add --prune to remove it".to_owned(),
            gone => format!("{gone} stored documents are gone from the disk; add --prune to remove them"),
        };
        [reasons, gone].into_iter().filter(|note| !note.is_empty()).collect()
    }
}

fn sum<'a>(what: &str, counts: impl Iterator<Item = (&'a str, usize)>) -> Option<String> {
    let mut counts: Vec<_> = counts.collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let total: usize = counts.iter().map(|(_, count)| count).sum();
    let what = if total == 1 { what.trim_end_matches('s') } else { what };
    let each: Vec<_> = counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    (total > 0).then(|| format!("{total} {what}: {}", printable(&each.join(", "))))
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ingested", self.ingested)?;
        for (count, what) in [(self.unchanged as u64, "unchanged"), (self.removed, "removed")] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        write!(f, ", {} failed", self.failed())?;
        for (count, what) in [(self.cancelled, "cancelled"), (self.skipped.values().sum(), "skipped")] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        write!(f, ", {} chunks stored", self.chunks)?;
        self.notes().iter().try_for_each(|note| write!(f, "\n{note}"))
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
        let mut tally = Tally { ingested: 7, chunks: 40, ..Tally::default() };
        assert_eq!(tally.to_string(), "7 ingested, 0 failed, 40 chunks stored");
        tally.failures = [("damaged", 1), ("locked", 2)].into();
        tally.losses = [("undecodable bytes", 1)].into();
        tally.skipped = [("no reader for .png".to_owned(), 3), ("larger than 64 MiB".to_owned(), 2)].into();
        (tally.unchanged, tally.cancelled, tally.gone) = (997, 1, 2);
        assert_eq!(
            tally.to_string(),
            "7 ingested, 997 unchanged, 3 failed, 1 cancelled, 5 skipped, 40 chunks stored\n\
             3 failed: 2 locked, 1 damaged; 1 warning: 1 undecodable bytes; \
             5 skipped: 3 no reader for .png, 2 larger than 64 MiB\n\
             2 stored documents are gone from the disk; add --prune to remove them",
        );
    }

    #[test]
    fn sizes_are_rounded_to_a_unit() {
        let shown = [0, 1023, 1024, 64 << 20, (3 << 30) - 1].map(|bytes| Size(bytes).to_string());
        assert_eq!(shown, ["0 bytes", "1023 bytes", "1 KiB", "64 MiB", "3 GiB"]);
    }

    #[cfg(unix)]
    #[test]
    fn two_names_that_are_not_unicode_look_different() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;

        assert_eq!(shown(Path::new(OsStr::from_bytes(b"in/b\xffd\n.txt"))), "in/b\\xFFd .txt");
    }
}
