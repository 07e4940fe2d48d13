//! The settings of reading.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::child;
use super::encoding::TextEncoding;
use super::memory::Memory;
use super::pdf::Engine;
use crate::document::Format;
use crate::source::Source;

/// The settings of reading documents. Clones share the memory.
///
/// They are sent to the process that reads a document, except for those that only concern the
/// sender.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reading {
    /// The longest time for which the processor may work on one document; a minute by default. A
    /// book of a thousand pages takes seconds: a file that takes longer was made to.
    ///
    /// It is rounded up to seconds. Where a process cannot limit its own computing (Windows), and
    /// in [`Reader::InProcess`], it is the time by the clock.
    pub timeout: Duration,
    /// The largest size of a file in bytes. By default, 256 MiB for a PDF and 64 MiB for any other
    /// format.
    pub max_bytes: Option<u64>,
    /// The password of encrypted documents.
    pub password: Option<Password>,
    /// The program or library that reads PDFs.
    pub pdf_engine: Engine,
    /// The encoding of files of text, or `None` to find it out for each.
    pub encoding: Option<TextEncoding>,
    /// The memory that all documents share while they are read and until they are stored, one
    /// document getting at most all of it.
    #[serde(skip)]
    pub memory: Memory,
    /// The program that reads.
    #[serde(skip)]
    pub reader: Reader,
    /// The function that is told how far reading is.
    #[serde(skip)]
    pub on_progress: OnProgress,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            timeout: Duration::from_mins(1),
            max_bytes: None,
            password: None,
            pdf_engine: Engine::default(),
            encoding: None,
            memory: Memory::default(),
            reader: Reader::default(),
            on_progress: OnProgress::default(),
        }
    }
}

impl Reading {
    /// Returns the largest size of a file of `format` in bytes.
    pub(crate) fn max_bytes(&self, format: Format) -> u64 {
        self.max_bytes.unwrap_or(if format == Format::Pdf { 256 << 20 } else { 64 << 20 })
    }
}

/// The program that reads documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reader {
    /// A process of this program for each document, so that a document cannot harm the others. The
    /// `main` of the program must begin with [`serve`](child::serve).
    Child(PathBuf),
    /// This process. Nothing limits its memory, and a parser that does not end goes on for ever on
    /// a thread of its own. For programs that have no [`serve`](child::serve), such as tests.
    InProcess,
}

impl Default for Reader {
    /// Returns the running program, or [`Reader::InProcess`] if its `main` has not called
    /// [`serve`](child::serve).
    fn default() -> Self {
        child::this_program().map_or(Self::InProcess, Self::Child)
    }
}

/// A password, which is not shown. It is only serialized for the process that reads a document.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// Creates a password.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// Returns the password itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns `text` without the password.
    pub(super) fn redact(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, "[redacted]") }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password([redacted])")
    }
}

/// The progress in one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The number of pages that have been read.
    pub done: u32,
    /// The number of pages of the document.
    pub pages: u32,
}

type Told = dyn Fn(&Source, Progress) + Send + Sync;

/// A function that is told the progress in each document, now and then.
#[derive(Clone, Default)]
pub struct OnProgress(Option<Arc<Told>>);

impl OnProgress {
    /// Creates one of a function, which must not block.
    pub fn new(told: impl Fn(&Source, Progress) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(told)))
    }

    /// Tells the progress in `source`.
    pub(super) fn tell(&self, source: &Source, progress: Progress) {
        if let Some(told) = &self.0 {
            told(source, progress);
        }
    }
}

impl fmt::Debug for OnProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "OnProgress(told)" } else { "OnProgress(nobody)" })
    }
}

/// A document to read, as its format's reader sees it.
pub(super) struct Task<'a> {
    /// The settings.
    pub(super) reading: &'a Reading,
    /// The function that a reader of pages tells its progress.
    pub(super) on_progress: &'a dyn Fn(Progress),
    /// The largest size of the text in bytes.
    pub(super) max_text: u64,
}

impl Task<'_> {
    /// Returns the password of the document, if there is one.
    pub(super) fn password(&self) -> Option<&str> {
        self.reading.password.as_ref().map(Password::expose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let reading = Reading { password: Some(Password::new("hunter2")), ..Reading::default() };
        assert!(!format!("{reading:?}").contains("hunter2"));
        assert_eq!(Password::new("hunter2").redact("wrong password hunter2"), "wrong password [redacted]");
        assert_eq!(Password::new("").redact("none"), "none");
    }
}
