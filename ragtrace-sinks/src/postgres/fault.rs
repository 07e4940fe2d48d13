//! What goes wrong with a server, and who can mend it.
//!
//! Codes are those of PostgreSQL 15, appendix A ("PostgreSQL Error Codes"); the first two characters are a class.

use std::fmt;

use ragtrace::sink::SinkError;
use sqlx::migrate::MigrateError;

/// Who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Time: the server is down, full, busy or failing over.
    Passing,
    /// Somebody who sees to the database.
    Operator,
    /// Nobody: the data is bad.
    Data,
}

/// What is not as it was thought to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The connection is cut.
    Connection,
    /// A table or a partition is not there any more.
    Layout,
    Other,
}

/// An error of the server or the way there, judged and put in words.
#[derive(Debug)]
pub(crate) struct Fault {
    cause: Cause,
    trouble: Trouble,
    message: String,
}

impl Fault {
    pub(crate) fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { cause, trouble: Trouble::Other, message: message.into() }
    }

    pub(crate) fn trouble(&self) -> Trouble {
        self.trouble
    }

    pub(crate) fn into_verdict(self) -> SinkError {
        match self.cause {
            Cause::Passing => SinkError::retry(self.message),
            Cause::Operator => SinkError::park(self.message),
            Cause::Data => SinkError::rejected(self.message),
        }
    }

    /// Judges an error that came up on the way to a session.
    pub(crate) fn while_connecting(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Configuration(_) | sqlx::Error::Tls(_) => Self::new(
                Cause::Operator,
                format!("the connection cannot be set up: see to the URL and its `sslmode` ({error})"),
            ),
            _ => Self::from(error),
        }
    }

    /// Judges an error that came up while the tables were being set up.
    pub(crate) fn while_migrating(error: &sqlx::Error) -> Self {
        if has_sqlstate(error, &["42501"]) {
            let message = format!("the role may not make the tables: run `ragtrace migrate` as one that may ({error})");
            return Self::new(Cause::Operator, message);
        }
        if has_sqlstate(error, &["42P07", "42723", "42710"]) {
            let message =
                format!("the schema has tables of something else by the same names: set another schema ({error})");
            return Self::new(Cause::Operator, message);
        }
        Self::from(error)
    }

    pub(crate) fn from_migration(error: &MigrateError) -> Self {
        match error {
            MigrateError::Execute(inner) | MigrateError::ExecuteMigration(inner, _) => Self::while_migrating(inner),
            MigrateError::VersionMissing(_) => Self::new(
                Cause::Operator,
                "the tables were made by a newer version of ragtrace: upgrade this program, or set another schema",
            ),
            _ => Self::new(
                Cause::Operator,
                format!("the tables are not as ragtrace made them: set another schema ({error})"),
            ),
        }
    }
}

impl From<&sqlx::Error> for Fault {
    fn from(error: &sqlx::Error) -> Self {
        let Some(code) = sqlstate(error) else {
            return match error {
                // What cannot be put on the wire will never be.
                sqlx::Error::Encode(_) => Self::new(Cause::Data, format!("the data has no form on the wire ({error})")),
                _ => Self {
                    cause: Cause::Passing,
                    trouble: Trouble::Connection,
                    message: format!("PostgreSQL cannot be reached ({error})"),
                },
            };
        };
        let (cause, trouble, hint) = judge(&code, is_missing_partition(error));
        Self { cause, trouble, message: format!("{hint} ({error}; SQLSTATE {code})") }
    }
}

/// Who can mend what a code stands for, what it says of the layout, and what to tell.
fn judge(code: &str, missing_partition: bool) -> (Cause, Trouble, &'static str) {
    use Cause::{Data, Operator, Passing};
    match (code.get(..2).unwrap_or_default(), code) {
        (_, "23514") if missing_partition => (Passing, Trouble::Layout, "the partition of a day is gone"),
        (_, "42P01" | "42883" | "3F000" | "42703") => (Passing, Trouble::Layout, "the tables are not there any more"),
        (_, "42501" | "3D000") | ("28", _) => (Operator, Trouble::Other, "the role may not write there"),
        (_, "25006") => (Passing, Trouble::Connection, "the server takes no writes, such as a standby"),
        (_, "53100") => (Passing, Trouble::Other, "the server's disk is full: make room"),
        (_, "53300") => (Passing, Trouble::Connection, "the server has too many connections"),
        ("22" | "23" | "54", _) => (Data, Trouble::Other, "PostgreSQL refuses the data"),
        ("08" | "57", _) => (Passing, Trouble::Connection, "the server is going down or has cut the connection"),
        ("40" | "53" | "55" | "58", _) => (Passing, Trouble::Other, "the server is busy"),
        _ => (Passing, Trouble::Connection, "PostgreSQL could not write"),
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::from(&error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

fn sqlstate(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}

/// Whether the server gave one of these codes.
pub(crate) fn has_sqlstate(error: &sqlx::Error, codes: &[&str]) -> bool {
    sqlstate(error).is_some_and(|code| codes.contains(&code.as_str()))
}

/// A row without a partition has the code of a violated check, but no constraint that it violates.
fn is_missing_partition(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.constraint().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_judged_by_who_can_mend_it() {
        for code in ["08006", "53100", "53200", "53300", "57P01", "57P03", "57014", "40001", "40P01", "55P03", "58030"]
        {
            assert_eq!(judge(code, false).0, Cause::Passing, "{code}");
        }
        for code in ["25006", "42P01", "3F000", "XX000", "99999", ""] {
            assert_eq!(judge(code, false).0, Cause::Passing, "{code}");
        }
        for code in ["28P01", "28000", "3D000", "42501"] {
            assert_eq!(judge(code, false).0, Cause::Operator, "{code}");
        }
        for code in ["22021", "22P05", "22003", "23502", "23514", "54000", "54001"] {
            assert_eq!(judge(code, false).0, Cause::Data, "{code}");
        }
        assert_eq!(judge("23514", true).1, Trouble::Layout);
    }
}
