//! Classifies PostgreSQL's errors.
//!
//! Codes are those of PostgreSQL 15, appendix A ("PostgreSQL Error Codes"). The first two
//! characters of a code are its class.

use std::error::Error;

use sqlx::postgres::PgDatabaseError;

use super::pooler;
use crate::fault::{Cause, Fault};

/// The part of a writer's cached state that an error makes out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stale {
    Nothing,
    /// This connection was cut, and others may have been too.
    Connections,
    /// A table or a partition no longer exists.
    Tables,
}

/// Returns which cached state a writer has to renew after a fault.
pub(super) fn stale_after(fault: &Fault) -> Stale {
    let Some(source) = fault.source() else { return Stale::Nothing };
    match source.downcast_ref::<PgDatabaseError>() {
        Some(error) => judge(error.code(), error.message(), error.constraint().is_none()).1,
        None if fault.cause() == Cause::Transient => Stale::Connections,
        None => Stale::Nothing,
    }
}

/// Classifies an error of a session that writes.
pub(super) fn while_writing(error: sqlx::Error) -> Fault {
    match (sqlstate(&error), &error) {
        (Some(code), _) => {
            let (cause, _, hint) = judge(&code, message(&error), is_missing_partition(&error));
            Fault::new(cause, format!("{hint} (SQLSTATE {code})"))
        }
        // Data that cannot be encoded now can never be.
        (None, sqlx::Error::Encode(_)) => Fault::new(Cause::Data, "the data cannot be encoded for PostgreSQL"),
        (None, _) => Fault::new(Cause::Transient, "PostgreSQL cannot be reached"),
    }
    .with_source(error)
}

/// Classifies an error of connecting.
pub(super) fn while_connecting(error: sqlx::Error) -> Fault {
    match error {
        sqlx::Error::Configuration(_) | sqlx::Error::Tls(_) => {
            let message = "the connection cannot be set up: check the URL and its `sslmode`";
            Fault::new(Cause::Operator, message).with_source(error)
        }
        error => while_writing(error),
    }
}

/// Classifies the error of a URL that cannot be parsed.
pub(super) fn malformed_url(error: sqlx::Error) -> Fault {
    let advice = "percent-encode special characters in its parts, such as `%2F` for a slash in a password";
    Fault::new(Cause::Url, format!("the URL of the database is malformed: {advice}")).with_source(error)
}

/// Classifies an error of finding or creating the schema. Messages name it by `subject`.
pub(super) fn while_making_schema(subject: &str, error: sqlx::Error) -> Fault {
    if has_sqlstate(&error, &["42501"]) {
        let message = "the role may not create the tables: run `ragtrace migrate` as a role that may";
        return Fault::new(Cause::Operator, message).with_source(error);
    }
    if has_sqlstate(&error, &["23505", "42P06"]) {
        let message = format!("{subject} is being created by another process");
        return Fault::new(Cause::Transient, message).with_source(error);
    }
    if has_sqlstate(&error, &["42P07", "42723", "42710"]) {
        let message =
            format!("{subject} has tables of another program with the names of ragtrace's: set another schema");
        return Fault::new(Cause::NotAStore, message).with_source(error);
    }
    while_writing(error)
}

/// Classifies an error of opening the database for reading.
pub(super) fn while_opening(error: sqlx::Error) -> Fault {
    if has_sqlstate(&error, &["42501"]) && !is_refused_role(&error) {
        let advice = "have the owner run `SELECT ragtrace.allow_reader(role, tenant)`";
        let message = format!("the role may not read ragtrace's tables: {advice}");
        return Fault::new(Cause::Operator, message).with_source(error);
    }
    if is_refused_role(&error) {
        let advice = "create it, and have the owner run `GRANT role TO user` with the user of the URL";
        let message = format!("the server does not let this user take on the role: {advice}");
        return Fault::new(Cause::Operator, message).with_source(error);
    }
    if has_sqlstate(&error, &["3D000"]) {
        let message = "there is no such database: give the one your program writes to";
        return Fault::new(Cause::Missing, message).with_source(error);
    }
    let fault = while_connecting(error);
    if fault.cause() == Cause::Transient {
        return fault.with_message("the database cannot be reached: check the URL, and that the server is running");
    }
    fault
}

/// Classifies an error of a session that reads.
pub(super) fn while_reading(error: sqlx::Error) -> Fault {
    use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Protocol, Tls, WorkerCrashed};

    if has_sqlstate(&error, &["57014", "55P03"]) {
        let message = "the search took too long: narrow it, by `since` above all";
        return Fault::new(Cause::Transient, message).with_source(error);
    }
    let cause = match (sqlstate(&error), &error) {
        (Some(code), _) if passes(&code) => judge(&code, message(&error), false).0,
        (None, Io(_) | Tls(_) | Protocol(_) | PoolClosed | PoolTimedOut | WorkerCrashed) => Cause::Transient,
        _ => Cause::Operator,
    };
    Fault::new(cause, "the database could not be read").with_source(error)
}

/// Returns the fault of a role that sees the rows of all tenants.
pub(super) fn unlimited(role: &str) -> Fault {
    let advice = "give a role that neither owns the tables nor bypasses row-level security";
    Fault::new(Cause::Operator, format!("the role {role:?} sees the rows of every tenant: {advice}"))
}

/// Returns `true` for the refusal of `SET ROLE`.
fn is_refused_role(error: &sqlx::Error) -> bool {
    has_sqlstate(error, &["42704", "22023"]) || (has_sqlstate(error, &["42501"]) && message(error).contains("set role"))
}

/// Returns the fault of a database without ragtrace's tables. Messages name the schema by
/// `subject`.
pub(super) fn no_tables(subject: &str) -> Fault {
    let advice = "run `ragtrace migrate`, or give the URL your program writes to";
    Fault::new(Cause::NotAStore, format!("the database has no ragtrace tables in {subject}: {advice}"))
}

/// Returns the cause of an error by its code, the state that it makes out of date, and a message.
fn judge(code: &str, message: &str, missing_partition: bool) -> (Cause, Stale, &'static str) {
    use Cause::{Data, Operator, Transient};
    match (code.get(..2).unwrap_or_default(), code) {
        (_, "23514") if missing_partition => (Transient, Stale::Tables, "the partition of a day is gone"),
        (_, "42P01" | "42883" | "3F000" | "42703") => (Transient, Stale::Tables, "the tables no longer exist"),
        (_, "42501" | "3D000") | ("28", _) => (
            Operator,
            Stale::Nothing,
            "the server refuses the role: check the user, the password, the database and the role's rights",
        ),
        (_, "25006") => (Transient, Stale::Connections, "the server accepts no writes, as a standby does"),
        (_, "53100") => (Transient, Stale::Nothing, "the server's disk is full: make room"),
        (_, "53300") => (Transient, Stale::Connections, "the server has too many connections"),
        ("22" | "23" | "54", _) => (Data, Stale::Nothing, "PostgreSQL refuses the data"),
        (_, "08P01") => match pooler::advice(message) {
            Some(advice) => (Operator, Stale::Connections, advice),
            None => (Transient, Stale::Connections, "the server, or a pooler before it, has cut the connection"),
        },
        ("08" | "57", _) => (Transient, Stale::Connections, "the server is going down or has cut the connection"),
        ("40" | "53" | "55" | "58", _) => (Transient, Stale::Nothing, "the server is busy"),
        _ => (Transient, Stale::Connections, "PostgreSQL could not write"),
    }
}

/// Returns `true` if a code stands for a temporary error, whatever the statement.
fn passes(code: &str) -> bool {
    matches!(code.get(..2), Some("08" | "40" | "53" | "55" | "57" | "58"))
}

fn message(error: &sqlx::Error) -> &str {
    error.as_database_error().map_or("", sqlx::error::DatabaseError::message)
}

fn sqlstate(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}

/// Returns `true` if the server reported one of these codes.
pub(super) fn has_sqlstate(error: &sqlx::Error, codes: &[&str]) -> bool {
    sqlstate(error).is_some_and(|code| codes.contains(&code.as_str()))
}

/// Returns `true` if a row has no partition. The server reports that with the code of a violated
/// check constraint, but without the name of a constraint.
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
            assert_eq!(judge(code, "", false).0, Cause::Transient, "{code}");
        }
        for code in ["25006", "42P01", "3F000", "XX000", "99999", ""] {
            assert_eq!(judge(code, "", false).0, Cause::Transient, "{code}");
        }
        for code in ["28P01", "28000", "3D000", "42501"] {
            assert_eq!(judge(code, "", false).0, Cause::Operator, "{code}");
        }
        for code in ["22021", "22P05", "22003", "23502", "23514", "54000", "54001"] {
            assert_eq!(judge(code, "", false).0, Cause::Data, "{code}");
        }
        assert_eq!(judge("23514", "", true).1, Stale::Tables);
        for text in [
            "unsupported startup parameter: options",
            "unsupported startup parameter in options: search_path",
            "transaction blocks not allowed in statement pooling mode",
            "no such database: x",
            "SASL authentication failed",
            "TLS connection required",
        ] {
            assert_eq!(judge("08P01", text, false).0, Cause::Operator, "{text}");
        }
        for text in ["query_wait_timeout", "server conn crashed?", "pgbouncer cannot connect to server", ""] {
            assert_eq!(judge("08P01", text, false).0, Cause::Transient, "{text}");
        }
    }
}
