//! Why a store could not be opened or read.

use std::error::Error;
use std::fmt;

/// Why a store could not be opened or read. The message says what to do about it.
#[derive(Debug)]
pub struct StoreError {
    kind: Kind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Url,
    Missing,
    NotAStore,
    Schema,
    Busy,
    Other,
}

impl StoreError {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(super) fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong, in words that say what to do.
    pub(crate) fn told(message: String) -> Self {
        Self::new(Kind::Other, message)
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn missing_file(path: &std::path::Path) -> Self {
        let shown = path.display();
        let advice = "run your program with a SQLite sink first, or give the path it writes to";
        Self::new(Kind::Missing, format!("there is no file `{shown}`: {advice}"))
    }

    pub(super) fn unreadable_row(table: &str) -> Self {
        Self::new(Kind::Other, format!("a row of `{table}` is not as ragtrace wrote it: look for one and delete it"))
    }

    /// Whether the URL names no store that this build knows.
    pub fn is_bad_url(&self) -> bool {
        self.kind == Kind::Url
    }

    /// Whether there is nothing at the place that the URL names.
    pub fn is_missing(&self) -> bool {
        self.kind == Kind::Missing
    }

    /// Whether there is something else than a store at that place.
    pub fn is_not_a_store(&self) -> bool {
        self.kind == Kind::NotAStore
    }

    /// Whether the store was made by an older or a newer version than this one.
    pub fn is_schema_mismatch(&self) -> bool {
        self.kind == Kind::Schema
    }

    /// Whether the same again, later, may succeed.
    pub fn is_retryable(&self) -> bool {
        self.kind == Kind::Busy
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
