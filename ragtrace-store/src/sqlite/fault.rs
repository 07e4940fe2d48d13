//! Judges SQLite's errors.

use std::path::Path;

use sqlx::migrate::MigrateError;

use crate::fault::{Cause, Fault};
use crate::tables;

/// Primary result codes (<https://www.sqlite.org/rescode.html>, section 4); an extended code has
/// one in its low byte.
mod code {
    pub(super) const ERROR: u32 = 1;
    pub(super) const PERM: u32 = 3;
    pub(super) const BUSY: u32 = 5;
    pub(super) const LOCKED: u32 = 6;
    pub(super) const READONLY: u32 = 8;
    pub(super) const IOERR: u32 = 10;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
    pub(super) const CANTOPEN: u32 = 14;
    pub(super) const TOOBIG: u32 = 18;
    pub(super) const CONSTRAINT: u32 = 19;
    pub(super) const MISMATCH: u32 = 20;
    pub(super) const AUTH: u32 = 23;
    pub(super) const NOTADB: u32 = 26;
}

/// Judges an error that came up while the file at `path` was being opened.
pub(super) fn while_opening(path: &Path, error: sqlx::Error) -> Fault {
    let shown = path.display();
    let (cause, message) = match primary_code(&error) {
        Some(code::CANTOPEN | code::READONLY | code::PERM | code::AUTH) => (Cause::Operator, unopenable(path)),
        Some(code::NOTADB) => {
            (Cause::NotAStore, format!("`{shown}` is not a SQLite database: give another path, or move that file away"))
        }
        Some(code::CORRUPT) => (
            Cause::NotAStore,
            format!(
                "the database `{shown}` is damaged: move it away, and recover what it holds with `sqlite3 {shown} .recover`"
            ),
        ),
        _ => return while_writing(error),
    };
    Fault::new(cause, message).with_source(error)
}

/// Judges an error that came up while the file at `path` was being looked at for ragtrace's tables.
pub(super) fn while_reading_version(path: &Path, error: sqlx::Error) -> Fault {
    let shown = path.display();
    if is_missing_table(&error) {
        let advice = "give the path your program writes to";
        let message = format!("`{shown}` is a SQLite database without ragtrace's tables: {advice}");
        return Fault::new(Cause::NotAStore, message);
    }
    match primary_code(&error) {
        Some(code::ERROR) => {
            let advice = "give the path your program writes to";
            Fault::new(Cause::NotAStore, format!("the tables of `{shown}` are not ragtrace's: {advice}"))
                .with_source(error)
        }
        Some(code::CANTOPEN | code::READONLY | code::PERM | code::AUTH | code::NOTADB | code::CORRUPT) => {
            while_opening(path, error)
        }
        _ => while_reading(error),
    }
}

/// Judges an error that came up while the tables of the file at `path` were being made.
pub(super) fn while_migrating(path: &Path, error: MigrateError) -> Fault {
    let subject = subject(path);
    match error {
        MigrateError::ExecuteMigration(inner, _) if primary_code(&inner) == Some(code::ERROR) => {
            let advice = "give ragtrace a file of its own";
            let message = format!("{subject} has tables of something else by the same names: {advice}");
            Fault::new(Cause::NotAStore, message).with_source(inner)
        }
        MigrateError::Execute(inner) | MigrateError::ExecuteMigration(inner, _) => while_opening(path, inner),
        MigrateError::VersionMissing(_) => tables::made_by_a_newer_version(&subject),
        MigrateError::VersionMismatch(_) => tables::made_before_the_first_release(&subject),
        error => {
            let message = format!("the tables of {subject} are not as ragtrace made them: give it another file");
            Fault::new(Cause::Schema, message).with_source(error.into())
        }
    }
}

/// Judges an error of a file that could be opened to write.
pub(super) fn while_writing(error: sqlx::Error) -> Fault {
    let (cause, message) = match primary_code(&error) {
        Some(code::TOOBIG | code::CONSTRAINT | code::MISMATCH) => (Cause::Data, "SQLite refuses the data"),
        Some(code::FULL) => (Cause::Transient, "the disk is full: make room"),
        Some(code::BUSY | code::LOCKED) => (Cause::Transient, "another program holds the database locked"),
        Some(code::PERM | code::READONLY | code::AUTH) => (Cause::Operator, "the database may not be written"),
        Some(code::CORRUPT | code::NOTADB) => (Cause::Operator, "the database is damaged: move the file away"),
        Some(code::ERROR) => (Cause::Operator, "the tables are not as ragtrace made them: give it another file"),
        _ => (Cause::Transient, "SQLite could not write"),
    };
    Fault::new(cause, message).with_source(error)
}

/// Judges an error of a file that could be opened to read.
pub(super) fn while_reading(error: sqlx::Error) -> Fault {
    let (cause, message) = match (primary_code(&error), &error) {
        (Some(code::BUSY | code::LOCKED), _) => {
            (Cause::Transient, "another program holds the database locked: try again")
        }
        (Some(code::IOERR), _) | (_, sqlx::Error::PoolTimedOut) => {
            (Cause::Transient, "the database could not be read: try again")
        }
        _ => (Cause::Operator, "the database could not be read"),
    };
    Fault::new(cause, message).with_source(error)
}

/// Names the file in a message.
pub(super) fn subject(path: &Path) -> String {
    format!("`{}`", path.display())
}

/// Says that there is no file to read or to tidy.
pub(super) fn missing(path: &Path) -> Fault {
    let advice = "run your program with a SQLite sink first, or give the path it writes to";
    Fault::new(Cause::Missing, format!("there is no file {}: {advice}", subject(path)))
}

/// Returns `true` if another connection holds the file locked.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(code::BUSY)
}

/// Returns `true` if the file, or one of its companions, cannot be opened.
pub(super) fn is_cannot_open(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(code::CANTOPEN)
}

/// Returns `true` if a statement names a table that is not there. SQLite has no code of its own for
/// that.
fn is_missing_table(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message().starts_with("no such table"))
}

fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let extended = error.as_database_error()?.code()?;
    extended.parse::<u32>().ok().map(|code| code & 0xff)
}

/// Says why a path cannot be opened, as far as looking at it can tell.
fn unopenable(path: &Path) -> String {
    let shown = path.display();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder_shown = folder.display();
    if path.is_dir() {
        format!("`{shown}` is a folder: give the path of a file")
    } else if !folder.exists() {
        format!("the folder `{folder_shown}` of `{shown}` does not exist: create it, or give another path")
    } else if !folder.is_dir() {
        format!("`{folder_shown}` is not a folder, so `{shown}` cannot be in it: give another path")
    } else {
        format!("`{shown}` cannot be written: see to the permissions of the file and of the folder `{folder_shown}`")
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{ConnectOptions, SqliteConnection};

    use super::*;

    /// What SQLite answers to a statement in a database of few pages.
    async fn answer(sql: &'static str) -> Fault {
        let folder = tempfile::tempdir().expect("a folder");
        let options = SqliteConnectOptions::new().filename(folder.path().join("x.db")).create_if_missing(true);
        let mut connection: SqliteConnection = options.connect().await.expect("opens");
        sqlx::raw_sql("CREATE TABLE t (b NOT NULL UNIQUE); INSERT INTO t VALUES (1); PRAGMA max_page_count = 4")
            .execute(&mut connection)
            .await
            .expect("set up");
        while_writing(sqlx::raw_sql(sql).execute(&mut connection).await.expect_err("refused"))
    }

    #[tokio::test]
    async fn an_error_is_judged_by_who_can_mend_it() {
        for (sql, cause, says) in [
            ("INSERT INTO t VALUES (zeroblob(1000000))", Cause::Transient, "the disk is full"),
            ("INSERT INTO t VALUES (1)", Cause::Data, "refuses the data"),
            ("INSERT INTO t VALUES (NULL)", Cause::Data, "refuses the data"),
            ("INSERT INTO t VALUES (zeroblob(2000000000))", Cause::Data, "refuses the data"),
            ("INSERT INTO nowhere VALUES (1)", Cause::Operator, "not as ragtrace made them"),
            ("PRAGMA query_only = true; INSERT INTO t VALUES (2)", Cause::Operator, "may not be written"),
        ] {
            let fault = answer(sql).await;
            assert_eq!(fault.cause(), cause, "{sql}: {fault}");
            assert!(fault.to_string().contains(says), "{sql}: {fault}");
            assert!(fault.source().is_some(), "{sql}: the driver's own error is kept");
        }
    }
}
