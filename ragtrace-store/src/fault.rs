//! A database error, classified by who can fix it.
//!
//! Both databases' errors become a sink's verdict or a reader's [`StoreError`] here and nowhere
//! else. Each backend classifies the errors of its own driver (`sqlite/fault.rs`,
//! `postgres/fault.rs`).

use std::error::Error;
use std::fmt;

use ragtrace::sink::SinkError;

use crate::error::{Kind, StoreError};

/// The cause of a fault, which says who can fix it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The database is locked, busy, full, down or failing over. It passes with time.
    Transient,
    /// The database or its configuration is wrong. An operator has to fix it.
    Operator,
    /// The URL is wrong. An operator has to correct it.
    Url,
    /// Nothing exists at this place. An operator has to name another one.
    Missing,
    /// Something other than a store is at this place. An operator has to name another one.
    NotAStore,
    /// The tables are of another version. An operator has to upgrade the program or the store.
    Schema,
    /// The data is bad. Nobody can fix it.
    Data,
}

/// A database error: its cause, a message that says what to do, and the driver's error as its
/// source.
#[derive(Debug)]
pub(crate) struct Fault {
    cause: Cause,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Fault {
    pub(crate) fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { cause, message: message.into(), source: None }
    }

    /// Sets the source, without sqlx's wrappers, which repeat the inner error in their own message.
    pub(crate) fn with_source(self, error: sqlx::Error) -> Self {
        let source = match error {
            sqlx::Error::Database(error) => error.into_error(),
            sqlx::Error::Io(error) => error.into(),
            sqlx::Error::Tls(error) | sqlx::Error::Configuration(error) | sqlx::Error::Encode(error) => error,
            sqlx::Error::Migrate(error) => error,
            other => other.into(),
        };
        Self { source: Some(source), ..self }
    }

    /// Replaces the message.
    pub(crate) fn with_message(self, message: impl Into<String>) -> Self {
        Self { message: message.into(), ..self }
    }

    pub(crate) fn cause(&self) -> Cause {
        self.cause
    }
}

impl fmt::Display for Fault {
    /// Writes the message; with `{:#}` its sources too, on the same line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut source = self.source().filter(|_| f.alternate());
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<Fault> for SinkError {
    fn from(fault: Fault) -> Self {
        match fault.cause {
            Cause::Transient => Self::retry(fault),
            Cause::Data => Self::rejected(fault),
            Cause::Operator | Cause::Url | Cause::Missing | Cause::NotAStore | Cause::Schema => Self::park(fault),
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        let kind = match fault.cause {
            Cause::Transient => Kind::Transient,
            Cause::Url => Kind::Url,
            Cause::Missing => Kind::Missing,
            Cause::NotAStore => Kind::NotAStore,
            Cause::Schema => Kind::Schema,
            Cause::Operator | Cause::Data => Kind::Other,
        };
        Self::new(kind, fault.message).with_source(fault.source)
    }
}
