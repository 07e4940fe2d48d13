//! Dead letters: records that a sink refused for good, with the reason.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ragtrace_core::{Timestamp, json};

use super::replace;
use crate::json_members::{Json, Members};
use crate::record::Record;

/// A record that a sink refused for good, with the reason.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    pub(crate) at: Timestamp,
    pub(crate) sink: String,
    pub(crate) reason: String,
    pub(crate) record: Record,
}

impl DeadLetter {
    pub(crate) fn new(sink: &str, reason: &str, record: Record) -> Self {
        Self { at: Timestamp::now(), sink: sink.to_owned(), reason: reason.to_owned(), record }
    }

    /// Returns the time at which the record was refused.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns the name of the sink that refused the record.
    pub fn sink(&self) -> &str {
        &self.sink
    }

    /// Returns the reason for the refusal.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns the refused record.
    pub fn record(&self) -> &Record {
        &self.record
    }

    fn write_line(&self, out: &mut Vec<u8>) {
        let line = json::text_of(|mut object| {
            object.display("at", self.at);
            object.text("sink", &self.sink);
            object.text("reason", &self.reason);
            object.raw("record", &self.record.to_json());
            object.close();
        });
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }

    fn from_line(line: &str) -> Option<Self> {
        let members = Members::of(line).ok()?;
        let Json::Nested(record) = members.get("record")? else { return None };
        Some(Self {
            at: members.parsed("at")?,
            sink: members.text("sink")?.to_owned(),
            reason: members.text("reason")?.to_owned(),
            record: Record::from_json(record).ok()?,
        })
    }
}

/// Parses a line of the dead letter file and returns it written again.
#[cfg(fuzzing)]
pub(crate) fn rewrite_dead_letter(line: &str) -> Option<String> {
    let mut written = Vec::new();
    DeadLetter::from_line(line)?.write_line(&mut written);
    String::from_utf8(written).ok()
}

/// The dead letters in a spool's folder.
///
/// ```no_run
/// # fn replay(_: &ragtrace::spool::DeadLetter) -> bool { true }
/// let letters = ragtrace::spool::DeadLetters::new("/var/spool/rag-api");
/// // Removes the letters that were replayed, and keeps the others.
/// letters.retain(|letter| !replay(letter))?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DeadLetters {
    folder: PathBuf,
}

impl DeadLetters {
    /// Creates an accessor to the dead letters of the spool in `folder`. It reads nothing yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Returns all dead letters that can be read, the oldest first; none if there is no file.
    ///
    /// # Errors
    ///
    /// Returns an error if the file exists but cannot be read.
    pub fn read(&self) -> io::Result<Vec<DeadLetter>> {
        let mut letters = Vec::new();
        self.each_line(|line| letters.extend(DeadLetter::from_line(line)))?;
        Ok(letters)
    }

    /// Removes the letters for which `keep` returns `false`, and returns the number of removed
    /// letters.
    ///
    /// Lines that cannot be parsed stay. Processes that write dead letters in the meantime have to
    /// wait, so `keep` should not take long.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder is not writable; all letters stay then.
    pub fn retain(&self, mut keep: impl FnMut(&DeadLetter) -> bool) -> io::Result<usize> {
        if !self.path().exists() {
            return Ok(0);
        }
        let _locked = self.lock()?;
        replace::remove_unfinished(&self.path())?;
        let (mut kept, mut gone) = (Vec::new(), 0);
        self.each_line(|line| match DeadLetter::from_line(line) {
            Some(letter) if !keep(&letter) => gone += 1,
            _ => {
                kept.extend_from_slice(line.as_bytes());
                kept.push(b'\n');
            }
        })?;
        if gone > 0 {
            File::create(replace::beside(&self.path()))?.write_all(&kept)?;
            replace::put_in_place(&self.path())?;
        }
        Ok(gone)
    }

    /// Returns the number of lines that cannot be parsed.
    ///
    /// # Errors
    ///
    /// Returns an error if the file exists but cannot be read.
    pub fn unreadable(&self) -> io::Result<usize> {
        let mut lines = 0;
        self.each_line(|line| lines += usize::from(!line.is_empty() && DeadLetter::from_line(line).is_none()))?;
        Ok(lines)
    }

    /// Appends letters, and returns once they are on disk. Fails if the file would exceed `limit`
    /// bytes.
    pub(super) fn append(&self, letters: &[DeadLetter], limit: u64) -> io::Result<()> {
        let _locked = self.lock()?;
        let mut file = File::options().create(true).read(true).append(true).open(self.path())?;
        let length = file.metadata()?.len();
        let mut lines = Vec::new();
        if !ends_a_line(&mut file, length)? {
            // A process was killed while it wrote the last line.
            lines.push(b'\n');
        }
        for letter in letters {
            letter.write_line(&mut lines);
        }
        if length + lines.len() as u64 > limit {
            let path = self.path();
            return Err(io::Error::other(format!("{} has {length} of {limit} allowed bytes", path.display())));
        }
        let written = file.write_all(&lines).and_then(|()| file.sync_data());
        if written.is_err() {
            // Half a line would make the next one unreadable.
            let _ = file.set_len(length);
        }
        written
    }

    fn each_line(&self, mut take: impl FnMut(&str)) -> io::Result<()> {
        let file = match File::open(self.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        for line in BufReader::new(file).split(b'\n') {
            take(&String::from_utf8_lossy(&line?));
        }
        Ok(())
    }

    fn lock(&self) -> io::Result<File> {
        let lock =
            File::options().create(true).truncate(false).write(true).open(self.folder.join("dead-letters.lock"))?;
        lock.lock()?;
        Ok(lock)
    }

    fn path(&self) -> PathBuf {
        Path::join(&self.folder, "dead-letters.jsonl")
    }
}

/// Returns `true` if a file of this length is empty or ends with a line break.
fn ends_a_line(file: &mut File, length: u64) -> io::Result<bool> {
    let Some(last) = length.checked_sub(1) else { return Ok(true) };
    let mut byte = [0];
    file.seek(SeekFrom::Start(last))?;
    file.read_exact(&mut byte)?;
    Ok(byte == *b"\n")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn letter() -> DeadLetter {
        let json = format!(
            r#"{{"id":"{}","timestamp":"2026-11-22T08:20:11Z","level":"INFO","logger":"app","message":"m","event":"log","instance":"{}"}}"#,
            Uuid::new_v4(),
            Uuid::nil()
        );
        DeadLetter::new("sink", "why", Record::from_json(&json).expect("a record"))
    }

    #[test]
    fn a_line_that_a_kill_has_cut_takes_no_other_along() {
        let folder = tempfile::tempdir().expect("a folder");
        let letters = DeadLetters::new(folder.path());
        letters.append(&[letter(), letter()], u64::MAX).expect("they are written");
        let file = File::options().write(true).open(letters.path()).expect("the file is there");
        file.set_len(file.metadata().expect("its length").len() - 10).expect("it is cut");
        letters.append(&[letter()], u64::MAX).expect("it is written");
        assert_eq!(letters.read().expect("they are read").len(), 2);
        assert_eq!(letters.retain(|_| false).expect("they go"), 2);
    }
}
