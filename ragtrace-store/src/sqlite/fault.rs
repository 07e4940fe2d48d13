//! Classifies SQLite's errors.

use std::fs::File;
use std::path::Path;

use sqlx::migrate::MigrateError;

use super::files::{Files, subject};
use crate::fault::{Cause, Fault};
use crate::tables;

/// Primary result codes (<https://www.sqlite.org/rescode.html>, section 4). An extended code
/// contains one in its low byte.
mod code {
    pub(super) const ERROR: u32 = 1;
    pub(super) const PERM: u32 = 3;
    pub(super) const BUSY: u32 = 5;
    pub(super) const LOCKED: u32 = 6;
    pub(super) const READONLY: u32 = 8;
    pub(super) const INTERRUPT: u32 = 9;
    pub(super) const IOERR: u32 = 10;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
    pub(super) const CANTOPEN: u32 = 14;
    pub(super) const TOOBIG: u32 = 18;
    pub(super) const CONSTRAINT: u32 = 19;
    pub(super) const MISMATCH: u32 = 20;
    pub(super) const AUTH: u32 = 23;
    pub(super) const NOTADB: u32 = 26;
    /// An extended code: there is a journal to roll back, which takes a connection that may write.
    pub(super) const READONLY_ROLLBACK: u32 = 776;
}

/// Classifies an error of opening a file for writing.
pub(super) fn while_opening(files: &Files, error: sqlx::Error) -> Fault {
    if is_not_permitted(&error) {
        return Fault::new(Cause::Operator, unwritable(files)).with_source(error);
    }
    match not_a_store(&files.path, &error) {
        Some(message) => Fault::new(Cause::NotAStore, message).with_source(error),
        None => while_writing(error),
    }
}

/// Classifies an error of opening a file for reading, and of looking for ragtrace's tables in it.
pub(super) fn while_opening_to_read(files: &Files, error: sqlx::Error) -> Fault {
    let shown = files.path.display();
    let advice = "give the path your program writes to";
    if is_missing_table(&error) {
        let message = format!("`{shown}` is a SQLite database without ragtrace's tables: {advice}");
        return Fault::new(Cause::NotAStore, message);
    }
    if primary_code(&error) == Some(code::ERROR) {
        let message = format!("the tables of `{shown}` are not ragtrace's: {advice}");
        return Fault::new(Cause::NotAStore, message).with_source(error);
    }
    if extended_code(&error) == Some(code::READONLY_ROLLBACK) {
        let advice = "start the program that writes to it, or run `ragtrace migrate`, to roll the change back";
        let message = format!("`{shown}` was left in the middle of a change by a program that was killed: {advice}");
        return Fault::new(Cause::Operator, message).with_source(error);
    }
    if is_not_permitted(&error) {
        return Fault::new(Cause::Operator, unreadable(files)).with_source(error);
    }
    match (not_a_store(&files.path, &error), misplaced(files)) {
        (Some(message), _) => Fault::new(Cause::NotAStore, message).with_source(error),
        (_, Some(message)) => Fault::new(Cause::Operator, message).with_source(error),
        _ => while_reading(error),
    }
}

/// Classifies an error of creating or upgrading a file's tables.
pub(super) fn while_migrating(files: &Files, error: MigrateError) -> Fault {
    let subject = subject(&files.path);
    match error {
        MigrateError::ExecuteMigration(inner, _) if primary_code(&inner) == Some(code::ERROR) => {
            let advice = "give ragtrace a file of its own";
            let message = format!("{subject} has tables of another program with the names of ragtrace's: {advice}");
            Fault::new(Cause::NotAStore, message).with_source(inner)
        }
        MigrateError::Execute(inner) | MigrateError::ExecuteMigration(inner, _) => while_opening(files, inner),
        MigrateError::VersionMissing(_) => tables::made_by_a_newer_version(&subject),
        MigrateError::VersionMismatch(_) => tables::made_before_the_first_release(&subject),
        error => {
            let message = format!("the tables of {subject} are not as ragtrace made them: give ragtrace another file");
            Fault::new(Cause::Schema, message).with_source(error.into())
        }
    }
}

/// Classifies an error of writing to an open file.
pub(super) fn while_writing(error: sqlx::Error) -> Fault {
    let (cause, message) = match primary_code(&error) {
        Some(code::TOOBIG | code::CONSTRAINT | code::MISMATCH) => (Cause::Data, "SQLite refuses the data"),
        Some(code::FULL) => (Cause::Transient, "the disk is full: make room"),
        Some(code::BUSY | code::LOCKED) => (Cause::Transient, "another program has locked the database"),
        Some(code::PERM | code::READONLY | code::AUTH) => {
            (Cause::Operator, "the database cannot be written: check the permissions of the file and of its folder")
        }
        Some(code::CORRUPT | code::NOTADB) => {
            (Cause::Operator, "the database is damaged: move the file away, and a new one is created")
        }
        Some(code::ERROR) => (Cause::Operator, "the tables are not as ragtrace made them: give ragtrace another file"),
        _ => (Cause::Transient, "SQLite could not write"),
    };
    Fault::new(cause, message).with_source(error)
}

/// Classifies an error of reading from an open file.
pub(super) fn while_reading(error: sqlx::Error) -> Fault {
    let (cause, message) = match (primary_code(&error), &error) {
        (Some(code::BUSY | code::LOCKED), _) => {
            (Cause::Transient, "another program has locked the database: try again")
        }
        (Some(code::INTERRUPT), _) => (Cause::Transient, "the search took too long: narrow it, by `since` above all"),
        // Read-only is reported if the companions could not be used, because another process was
        // just creating them.
        (Some(code::IOERR | code::READONLY | code::CANTOPEN), _) | (_, sqlx::Error::PoolTimedOut) => {
            (Cause::Transient, "the database could not be read: try again")
        }
        _ => (Cause::Operator, "the database could not be read"),
    };
    Fault::new(cause, message).with_source(error)
}

/// Returns `true` if another connection has the file locked.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(code::BUSY)
}

/// Returns `true` if the file, or one of its companions, is missing or must not be opened.
pub(super) fn is_not_permitted(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(code::CANTOPEN | code::READONLY | code::PERM | code::AUTH))
}

/// Returns `true` if a statement names a table that does not exist. SQLite has no code of its own
/// for that.
fn is_missing_table(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message().starts_with("no such table"))
}

fn primary_code(error: &sqlx::Error) -> Option<u32> {
    extended_code(error).map(|code| code & 0xff)
}

fn extended_code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// Returns a message for a file that is not a ragtrace store, if the error shows that.
fn not_a_store(path: &Path, error: &sqlx::Error) -> Option<String> {
    let shown = path.display();
    match primary_code(error) {
        Some(code::NOTADB) => Some(format!(
            "`{shown}` is not a SQLite database, or is encrypted: give another path, or move that file away"
        )),
        Some(code::CORRUPT) => Some(format!(
            "the database `{shown}` is damaged: move it away, and recover what it holds with `sqlite3 {shown} .recover`"
        )),
        _ => None,
    }
}

/// Returns the reason why a path leads to no file that can be opened, if the path itself shows it.
fn misplaced(files: &Files) -> Option<String> {
    let (path, folder) = (subject(&files.path), files.folder());
    let folder_shown = subject(folder);
    if files.database.is_dir() {
        Some(format!("{path} is a folder: give the path of a file"))
    } else if !folder.exists() {
        Some(format!("the folder {folder_shown} of {path} does not exist: create it, or give another path"))
    } else if !folder.is_dir() {
        Some(format!("{folder_shown} is not a folder, so {path} cannot be in it: give another path"))
    } else {
        None
    }
}

/// Returns the reason why a file cannot be written.
fn unwritable(files: &Files) -> String {
    if let Some(reason) = misplaced(files) {
        return reason;
    }
    let (path, folder) = (subject(&files.path), subject(files.folder()));
    match foreign_companion(files) {
        Some(companion) => format!(
            "{path} cannot be written, since {} belongs to another user: stop the programs that have it open, delete it if \
             it is empty, and run all programs that write here as the same user",
            subject(companion)
        ),
        None => format!("{path} cannot be written: check the permissions of the file and of the folder {folder}"),
    }
}

/// Returns the reason why a file cannot be read.
fn unreadable(files: &Files) -> String {
    if let Some(reason) = misplaced(files) {
        return reason;
    }
    let path = subject(&files.path);
    // Only the log is tried, since closing the database or `-shm` would release this process's
    // locks on them.
    if files.wal.exists() && File::open(&files.wal).is_err() {
        let log = subject(&files.wal);
        format!(
            "{path} cannot be read whole: {log} holds the newest rows, and you may not read it: change its permissions"
        )
    } else {
        let shm = if files.shm.exists() { format!(", and of {}", subject(&files.shm)) } else { String::new() };
        format!("{path} cannot be read: check the permissions of the file{shm}")
    }
}

/// Returns a companion that belongs to another user than the database does.
#[cfg(unix)]
fn foreign_companion(files: &Files) -> Option<&Path> {
    use std::os::unix::fs::MetadataExt;
    let owner = |path: &Path| std::fs::metadata(path).ok().map(|metadata| metadata.uid());
    let expected = owner(&files.database)?;
    [&*files.wal, &*files.shm].into_iter().find(|path| owner(path).is_some_and(|owner| owner != expected))
}

#[cfg(not(unix))]
fn foreign_companion(_: &Files) -> Option<&Path> {
    None
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{ConnectOptions, SqliteConnection};

    use super::*;

    /// Returns the fault of a statement in a database limited to a few pages.
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
            ("PRAGMA query_only = true; INSERT INTO t VALUES (2)", Cause::Operator, "cannot be written"),
        ] {
            let fault = answer(sql).await;
            assert_eq!(fault.cause(), cause, "{sql}: {fault}");
            assert!(fault.to_string().contains(says), "{sql}: {fault}");
            assert!(fault.source().is_some(), "{sql}: the driver's own error is kept");
        }
    }
}
