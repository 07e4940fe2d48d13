//! What goes wrong with a SQLite file, and who can mend it.

use std::fmt;
use std::path::Path;

use ragtrace::sink::SinkError;
use sqlx::migrate::MigrateError;

/// Who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Time: another process is writing, the disk is full, an I/O error.
    Passing,
    /// Somebody who sees to the file.
    Operator,
    /// Nobody: the data is bad.
    Data,
}

/// An error of SQLite, judged and put in words.
#[derive(Debug)]
pub(crate) struct Fault {
    cause: Cause,
    message: String,
}

/// Primary result codes (<https://www.sqlite.org/rescode.html>, section 4); an extended code has one in its low byte.
mod code {
    pub(super) const ERROR: u32 = 1;
    pub(super) const PERM: u32 = 3;
    pub(super) const READONLY: u32 = 8;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
    pub(super) const CANTOPEN: u32 = 14;
    pub(super) const TOOBIG: u32 = 18;
    pub(super) const CONSTRAINT: u32 = 19;
    pub(super) const MISMATCH: u32 = 20;
    pub(super) const AUTH: u32 = 23;
    pub(super) const NOTADB: u32 = 26;
    pub(super) const BUSY: u32 = 5;
}

impl Fault {
    pub(crate) fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { cause, message: message.into() }
    }

    pub(crate) fn cause(&self) -> Cause {
        self.cause
    }

    pub(crate) fn into_verdict(self) -> SinkError {
        match self.cause {
            Cause::Passing => SinkError::retry(self.message),
            Cause::Operator => SinkError::park(self.message),
            Cause::Data => SinkError::rejected(self.message),
        }
    }

    /// Judges an error that came up while the file at `path` was being opened.
    pub(crate) fn while_opening(path: &Path, error: &sqlx::Error) -> Self {
        let shown = path.display();
        let operator = |advice: String| Self::new(Cause::Operator, advice);
        match primary_code(error) {
            Some(code::CANTOPEN | code::READONLY | code::PERM | code::AUTH) => operator(unopenable(path, error)),
            Some(code::NOTADB) => operator(format!(
                "`{shown}` is not a SQLite database: give another path, or move that file away ({error})"
            )),
            Some(code::CORRUPT) => operator(format!(
                "the database `{shown}` is damaged: move it away, and recover what it holds with `sqlite3 {shown} .recover` ({error})"
            )),
            _ => Self::from(error),
        }
    }

    /// Judges an error that came up while the tables were being set up.
    pub(crate) fn while_migrating(path: &Path, error: &MigrateError) -> Self {
        let shown = path.display();
        match error {
            MigrateError::ExecuteMigration(inner, _) if primary_code(inner) == Some(code::ERROR) => Self::new(
                Cause::Operator,
                format!(
                    "`{shown}` has tables of something else by the same names: give ragtrace a file of its own ({inner})"
                ),
            ),
            MigrateError::Execute(inner) | MigrateError::ExecuteMigration(inner, _) => Self::while_opening(path, inner),
            MigrateError::VersionMissing(_) => Self::new(
                Cause::Operator,
                format!(
                    "`{shown}` was written by a newer version of ragtrace: upgrade this program, or give it another file"
                ),
            ),
            _ => Self::new(
                Cause::Operator,
                format!("the tables of `{shown}` are not as ragtrace made them: give it another file ({error})"),
            ),
        }
    }
}

impl From<&sqlx::Error> for Fault {
    /// Judges an error of a file that could be opened.
    fn from(error: &sqlx::Error) -> Self {
        let (cause, hint) = match primary_code(error) {
            Some(code::TOOBIG | code::CONSTRAINT | code::MISMATCH) => (Cause::Data, "SQLite refuses the data"),
            Some(code::FULL) => (Cause::Passing, "the disk is full: make room"),
            Some(code::BUSY) => (Cause::Passing, "another program holds the database locked"),
            Some(code::PERM | code::READONLY | code::AUTH) => (Cause::Operator, "the database may not be written"),
            Some(code::CORRUPT | code::NOTADB) => (Cause::Operator, "the database is damaged: move the file away"),
            Some(code::ERROR) => (Cause::Operator, "the tables are not as ragtrace made them: give it another file"),
            _ => (Cause::Passing, "SQLite could not write"),
        };
        Self::new(cause, format!("{hint} ({error})"))
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

pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(code::BUSY)
}

pub(crate) fn is_cannot_open(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(code::CANTOPEN)
}

/// Whether a statement names a table that is not there. SQLite has no code of its own for that.
pub(crate) fn is_missing_table(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message().starts_with("no such table"))
}

fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let extended = error.as_database_error()?.code()?;
    extended.parse::<u32>().ok().map(|code| code & 0xff)
}

/// Why a path cannot be opened, as far as looking at it can tell.
fn unopenable(path: &Path, error: &sqlx::Error) -> String {
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
        format!(
            "`{shown}` cannot be written: see to the permissions of the file and of the folder `{folder_shown}` ({error})"
        )
    }
}

#[cfg(test)]
mod tests {
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
        sqlx::raw_sql(sql).execute(&mut connection).await.expect_err("refused").into()
    }

    #[tokio::test]
    async fn an_error_is_judged_by_who_can_mend_it() {
        for (sql, cause, says) in [
            ("INSERT INTO t VALUES (zeroblob(1000000))", Cause::Passing, "the disk is full"),
            ("INSERT INTO t VALUES (1)", Cause::Data, "refuses the data"),
            ("INSERT INTO t VALUES (NULL)", Cause::Data, "refuses the data"),
            ("INSERT INTO t VALUES (zeroblob(2000000000))", Cause::Data, "refuses the data"),
            ("INSERT INTO nowhere VALUES (1)", Cause::Operator, "not as ragtrace made them"),
            ("PRAGMA query_only = true; INSERT INTO t VALUES (2)", Cause::Operator, "may not be written"),
        ] {
            let fault = answer(sql).await;
            assert_eq!(fault.cause(), cause, "{sql}: {fault}");
            assert!(fault.to_string().contains(says), "{sql}: {fault}");
        }
    }
}
