//! A database file that is open for reading.

use std::time::Duration;

use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Sqlite, SqlitePool};

use crate::fault::Fault;
use crate::sqlite::connect::options;
use crate::sqlite::fault::while_opening_to_read;
use crate::sqlite::files::{FileId, FileStates, Files};
use crate::sqlite::reader_vfs::{self, LOCKING, UNLOCKED};
use crate::sqlite::schema;

/// The largest number of connections. They wait neither for each other nor for the writer.
const CONNECTIONS: u32 = 4;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

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
    let pool = pool.connect_with(options.read_only(true)).await?;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut connection: sqlx::pool::PoolConnection<Sqlite> = pool.acquire().await?;
        sqlx::query("SELECT 1 FROM sqlite_schema").execute(&mut *connection).await?;
        connections.push(connection);
    }
    Ok(pool)
}
