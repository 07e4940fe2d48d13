//! Files to read, made in a folder of a test's own.

use std::fs;
use std::path::{Path, PathBuf};

use ragtrace_examples::document::{Document, LossKind};
use ragtrace_examples::parse::{ParseError, Reading, parse};
use tempfile::TempDir;

/// A folder of a test's own.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, and returns its path.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).expect("a file");
        path
    }

    /// Writes a file, and reads it.
    pub(crate) async fn parse(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<Document, ParseError> {
        parse(&self.file(name, bytes), &Reading::default()).await
    }
}

/// Reads a file of this name and content.
pub(crate) async fn read(name: &str, bytes: impl AsRef<[u8]>) -> Document {
    Folder::new().parse(name, bytes).await.unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

/// Reads a file of this name and content, which cannot be read.
pub(crate) async fn refused(name: &str, bytes: impl AsRef<[u8]>) -> ParseError {
    match Folder::new().parse(name, bytes).await {
        Err(error) => error,
        Ok(document) => panic!("{name} was read: {:?}", document.text),
    }
}

/// Returns the headings with their levels.
pub(crate) fn titles(document: &Document) -> Vec<(u8, &str)> {
    document.headings.iter().map(|heading| (heading.level, heading.title.as_str())).collect()
}

/// Returns the value of a fact about the document.
pub(crate) fn fact<'a>(document: &'a Document, name: &str) -> Option<&'a str> {
    document.metadata.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// Returns the kinds of the losses.
pub(crate) fn losses(document: &Document) -> Vec<LossKind> {
    document.losses.iter().map(|loss| loss.kind).collect()
}

/// Waits for a future in a test that is not async.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}
