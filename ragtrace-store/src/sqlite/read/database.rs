//! A database file that is open for reading.

use std::time::{Duration, Instant};

use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Sqlite, SqliteConnection, SqlitePool};

use crate::fault::Fault;
use crate::sqlite::connect::options;
use crate::sqlite::fault::while_opening_to_read;
use crate::sqlite::files::{FileId, FileStates, Files};
use crate::sqlite::reader_vfs::{self, LOCKING, UNLOCKED};
use crate::sqlite::schema;

/// The largest number of connections. They wait neither for each other nor for the writer.
const CONNECTIONS: u32 = 4;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time of a statement, also of one that nobody waits for any more: it would keep its
/// connection from others.
const STATEMENT_TIMEOUT: Duration = Duration::from_mins(1);
/// The number of steps of SQLite's virtual machine between two looks at the clock, some
/// milliseconds apart.
const STEPS: i32 = 100_000;

/// The way a file is read, which depends on its companions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// With SQLite's locks, since another process may be writing: log and shared memory, or a
    /// journal, exist.
    Locking,
    /// Without locks, since there are none without shared memory: the log and the file as they are.
    Log,
    /// Without locks: only the file, as it is.
    Alone,
}

impl Access {
    fn to(states: &FileStates) -> Self {
        match (states.wal, states.shm) {
            _ if states.journal.is_some() => Self::Locking,
            (Some(_), Some(_)) => Self::Locking,
            (Some(wal), None) if wal.len > 0 => Self::Log,
            _ => Self::Alone,
        }
    }
}

/// Connections to one file, all of which read it in the same way.
#[derive(Clone, Debug)]
pub(crate) struct SqliteStore {
    pub(super) pool: SqlitePool,
    /// The device and inode of the file.
    pub(super) file: (u64, u64),
    /// The state of the files when this was opened.
    opened: FileStates,
}

impl SqliteStore {
    /// Opens the file for reading, in the way that its companions require. Neither the file nor
    /// anything beside it is created.
    pub(super) async fn open(files: &Files, states: FileStates) -> Result<Self, Fault> {
        let access = Access::to(&states);
        let pool = connect(files, access).await.map_err(|error| while_opening_to_read(files, error))?;
        let id = states.ids().database.unwrap_or(FileId { device: 0, inode: 0 });
        schema::check(&pool, files).await?;
        Ok(Self { pool, file: (id.device, id.inode), opened: states })
    }

    /// Returns `true` if everything read so far comes from these files in one state.
    pub(super) fn is_of(&self, states: &FileStates) -> bool {
        is_undisturbed(&self.opened, states)
    }

    /// Returns `true` if the database is still at its path.
    pub(super) fn is_at(&self, states: &FileStates) -> bool {
        states.ids().database.is_some_and(|id| (id.device, id.inode) == self.file)
    }

    /// Returns `true` if these connections take part in SQLite's locks.
    pub(super) fn has_locks(&self) -> bool {
        has_locks(&self.opened)
    }
}

/// Returns `true` if everything read between two looks at the files comes from one state. Without
/// locks any change between them disturbs; with locks only a replaced file does.
pub(super) fn is_undisturbed(before: &FileStates, after: &FileStates) -> bool {
    if has_locks(before) { before.ids() == after.ids() } else { before == after }
}

/// Returns `true` if files in this state are read with SQLite's locks.
pub(super) fn has_locks(states: &FileStates) -> bool {
    Access::to(states) == Access::Locking
}

/// Connects, and reads from the file over each connection, since SQLite opens the file and its log
/// only then. Later, other files might be at their paths.
async fn connect(files: &Files, access: Access) -> Result<SqlitePool, sqlx::Error> {
    if !reader_vfs::is_registered() {
        return Err(sqlx::Error::Configuration("this SQLite has no file system to build upon".into()));
    }
    let options = match access {
        Access::Locking => options(files, LOCKING),
        // In exclusive mode SQLite builds the log's index in memory, and needs no `-shm`.
        Access::Log => options(files, UNLOCKED).pragma("locking_mode", "EXCLUSIVE"),
        Access::Alone => options(files, "immutable=1"),
    };
    let pool = SqlitePoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT).idle_timeout(None).max_lifetime(None);
    let pool = pool.min_connections(CONNECTIONS).max_connections(CONNECTIONS);
    let pool = pool.after_connect(|connection, _| Box::pin(limit(connection, STATEMENT_TIMEOUT)));
    let pool = pool.before_acquire(|connection, _| {
        Box::pin(async move { limit(connection, STATEMENT_TIMEOUT).await.map(|()| true) })
    });
    let pool = pool.connect_with(options.read_only(true)).await?;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut connection: sqlx::pool::PoolConnection<Sqlite> = pool.acquire().await?;
        sqlx::query("SELECT 1 FROM sqlite_schema").execute(&mut *connection).await?;
        connections.push(connection);
    }
    Ok(pool)
}

/// Interrupts whatever a connection does after this time from now on.
async fn limit(connection: &mut SqliteConnection, time: Duration) -> Result<(), sqlx::Error> {
    let end = Instant::now() + time;
    connection.lock_handle().await?.set_progress_handler(STEPS, move || Instant::now() < end);
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::Connection;

    use super::*;
    use crate::error::StoreError;
    use crate::sqlite::fault::while_reading;

    #[tokio::test]
    async fn a_statement_without_end_is_ended() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.expect("a database");
        limit(&mut connection, Duration::from_millis(20)).await.expect("a limit");
        let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        let error = sqlx::query(endless).fetch_one(&mut connection).await.map(drop).expect_err("it is interrupted");
        let error = StoreError::from(while_reading(error));
        assert!(error.is_retryable() && error.to_string().contains("took too long"), "{error}");
        limit(&mut connection, STATEMENT_TIMEOUT).await.expect("a limit");
        sqlx::query("SELECT 1").fetch_one(&mut connection).await.expect("the connection is still of use");
    }
}
