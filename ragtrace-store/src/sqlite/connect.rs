//! Opening a file: its settings, its mode, and what to do when several processes start at once.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::fault::{is_busy, missing, while_opening};
use super::schema;
use crate::fault::Fault;

/// How long a statement waits for other processes. A write of theirs takes milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The writer's cache, in KiB when negative: room for the pages of the indexes that it inserts
/// into.
const CACHE: &str = "-16384";

/// After how many pages SQLite moves its log into the file, 4 KiB each. Pages that are written
/// again and again until then are moved once: half as many rows a second again as at the default of
/// 1,000.
const CHECKPOINT_PAGES: &str = "4000";

/// How often the change to WAL mode is tried. Each attempt has waited in line for the write lock.
const WAL_ATTEMPTS: usize = 100;

/// The moment from which a delivered batch is safe on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synchronous {
    /// Safe once SQLite moves its log into the file. A process that dies loses nothing; a power
    /// failure may lose the batches of the last moments. They are in the ledger only if their rows
    /// are too. The default.
    #[default]
    Normal,
    /// Safe before the batch is acknowledged: one `fsync` a batch, and a power failure loses
    /// nothing that was.
    Full,
}

/// A connection that writes, and the file that it is connected to.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: SqliteConnection,
    file: Option<FileId>,
}

impl Opened {
    /// Returns `true` if the file at `path` is the one that was opened.
    pub(super) fn is_still_at(&self, path: &Path) -> bool {
        self.file.is_some() && self.file == FileId::of(path)
    }
}

/// Opens the file at `path` for writing; creates it and its tables if they are missing.
pub(super) async fn for_writing(path: &Path, synchronous: Synchronous) -> Result<Opened, Fault> {
    let synchronous = match synchronous {
        Synchronous::Normal => SqliteSynchronous::Normal,
        Synchronous::Full => SqliteSynchronous::Full,
    };
    let options = options(path)
        .create_if_missing(true)
        .synchronous(synchronous)
        .pragma("cache_size", CACHE)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES);
    let failed = |error: sqlx::Error| while_opening(path, error);
    let mut connection = options.connect().await.map_err(failed)?;
    use_wal(&mut connection).await.map_err(failed)?;
    schema::migrate(&mut connection, path).await?;
    Ok(Opened { connection, file: FileId::of(path) })
}

/// Opens the file at `path` to tidy it, which has to be there.
pub(super) async fn to_tidy(path: &Path) -> Result<SqliteConnection, Fault> {
    if !path.is_file() {
        return Err(missing(path));
    }
    for_writing(path, Synchronous::Normal).await.map(|opened| opened.connection)
}

/// Creates the file and its tables, or brings them up to this version, and closes it again.
pub(crate) async fn migrate(path: &Path) -> Result<(), Fault> {
    let opened = for_writing(path, Synchronous::Full).await?;
    close(opened.connection).await;
    Ok(())
}

/// Closes, which moves SQLite's log into the file. An error there loses nothing: the log is read at
/// the next opening.
pub(super) async fn close(connection: SqliteConnection) {
    let _ = connection.close().await;
}

/// Returns the settings that connections of writers and of readers share. Statements are not
/// logged: sqlx would log them through the very subscriber whose records are on their way here.
pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIMEOUT).disable_statement_logging()
}

/// Turns WAL mode on, for good. The change needs the file to itself and SQLite does not wait for
/// that by itself, so it waits for the write lock, in line with the others, and tries again.
async fn use_wal(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    for _ in 0..WAL_ATTEMPTS {
        let changed = sqlx::query("PRAGMA journal_mode = WAL").execute(&mut *connection).await;
        match changed {
            Err(error) if is_busy(&error) => {}
            other => return other.map(drop),
        }
        connection.begin_with("BEGIN IMMEDIATE").await?.rollback().await?;
    }
    sqlx::query("PRAGMA journal_mode = WAL").execute(connection).await.map(drop)
}

/// The file that a path leads to at the moment.
#[derive(Debug, PartialEq, Eq)]
struct FileId {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
}

impl FileId {
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self { device_and_inode: (metadata.dev(), metadata.ino()) })
    }

    /// Elsewhere an open file cannot be replaced, so being there is enough.
    #[cfg(not(unix))]
    fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|_| Self {})
    }
}
