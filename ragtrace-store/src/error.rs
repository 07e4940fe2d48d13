//! The error type of opening, reading and writing a store.

use std::error::Error;
use std::fmt;

/// An error of opening, reading or writing a store.
///
/// Its message says what to do about it; the driver's own error is the [`source`](Error::source).
#[derive(Debug)]
pub struct StoreError {
    kind: Kind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Url,
    Missing,
    NotAStore,
    Schema,
    Transient,
    Other,
}

impl StoreError {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(crate) fn with_source(self, source: Option<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source, ..self }
    }

    pub(crate) fn unreadable_row(table: &str) -> Self {
        Self::new(Kind::Other, format!("a row of `{table}` is not as ragtrace wrote it: find and delete it"))
    }

    /// Returns `true` if the URL is malformed, or this build does not support its kind of store.
    pub fn is_bad_url(&self) -> bool {
        self.kind == Kind::Url
    }

    /// Returns `true` if nothing exists at the place that the URL names.
    pub fn is_missing(&self) -> bool {
        self.kind == Kind::Missing
    }

    /// Returns `true` if the URL leads to something that is not a ragtrace store.
    pub fn is_not_a_store(&self) -> bool {
        self.kind == Kind::NotAStore
    }

    /// Returns `true` if another version of ragtrace made the store's tables.
    pub fn is_schema_mismatch(&self) -> bool {
        self.kind == Kind::Schema
    }

    /// Returns `true` if the same call may succeed later: the database is locked, busy, full, or
    /// cannot be reached.
    pub fn is_retryable(&self) -> bool {
        self.kind == Kind::Transient
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
