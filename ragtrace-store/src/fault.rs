//! A database's error, judged by who can mend it: the one place where errors of both databases
//! become what a sink answers and what a reader is told.
//!
//! Each backend judges the errors of its own driver (`sqlite/fault.rs`, `postgres/fault.rs`);
//! nothing of that is here.

use std::error::Error;
use std::fmt;

use ragtrace::sink::SinkError;

use crate::error::{Kind, StoreError};

/// Who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Time: the database is locked, busy, full, down or failing over.
    Transient,
    /// An operator who sees to the database or to how it is named.
    Operator,
    /// An operator who corrects the URL.
    Url,
    /// An operator who names another place: there is nothing at this one.
    Missing,
    /// An operator who names another place: there is something else at this one.
    NotAStore,
    /// An operator who upgrades: the tables are of another version.
    Schema,
    /// Nobody: the data is bad.
    Data,
}

/// An error of a database: its cause, a message that says what to do, and the driver's error as its
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

    /// Sets the source. Wrappers of sqlx's that repeat theirs in their own message are taken off.
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

    /// Sets the message.
    pub(crate) fn with_message(self, message: impl Into<String>) -> Self {
        Self { message: message.into(), ..self }
    }

    pub(crate) fn cause(&self) -> Cause {
        self.cause
    }
}

impl fmt::Display for Fault {
    /// The message; with `{:#}` its sources too, on the same line.
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
