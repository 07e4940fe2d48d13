//! Opening a file to write: its mode, its tables, and what to do when several processes start at once.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::Synchronous;
use super::fault::{Fault, is_busy};

/// The tables, from the first version on.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a statement waits for other processes. A write of theirs takes milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The writer's cache, in KiB when negative: room for the pages of the indexes that it inserts into.
const CACHE: &str = "-16384";

/// After how many pages SQLite moves its log into the file, 4 KiB each. Pages that are written again and again until
/// then are moved once: half as many rows a second again as at the default of 1,000.
const CHECKPOINT_PAGES: &str = "4000";

/// How often the change to WAL mode is tried. Each attempt has waited in line for the write lock.
const WAL_ATTEMPTS: usize = 100;

/// A connection, and which file it is connected to.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) connection: SqliteConnection,
    /// Whether the catalog of this program's stages was brought up to date through it.
    pub(crate) has_catalog: bool,
    file: Option<FileId>,
}

impl Opened {
    /// Whether the file at `path` is the one that was opened.
    pub(crate) fn is_still_at(&self, path: &Path) -> bool {
        self.file.is_some() && self.file == FileId::of(path)
    }
}

/// Opens the file at `path` for writing; creates it and its tables if they are missing.
pub(crate) async fn for_writing(path: &Path, synchronous: Synchronous) -> Result<Opened, Fault> {
    let synchronous = match synchronous {
        Synchronous::Normal => SqliteSynchronous::Normal,
        Synchronous::Full => SqliteSynchronous::Full,
    };
    let options = options(path)
        .create_if_missing(true)
        .synchronous(synchronous)
        .pragma("cache_size", CACHE)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES);
    let failed = |error: sqlx::Error| Fault::while_opening(path, &error);
    let mut connection = options.connect().await.map_err(failed)?;
    use_wal(&mut connection).await.map_err(failed)?;
    migrate(&mut connection, path).await?;
    Ok(Opened { connection, has_catalog: false, file: FileId::of(path) })
}

/// What connections of writers and of readers share. Statements are not logged: sqlx would log them through the very
/// subscriber whose records are on their way here.
pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIMEOUT).disable_statement_logging()
}

/// Turns WAL mode on, for good. The change needs the file to itself and SQLite does not wait for that by itself, so it
/// waits for the write lock, in line with the others, and tries again.
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

/// Brings the tables up to this version. sqlx takes no lock for SQLite, so this holds the write lock over the whole:
/// the second of two processes that start at once finds the work done.
async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), Fault> {
    let failed = |error: sqlx::Error| Fault::while_opening(path, &error);
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    // `run` would do, but its future is not `Send` for every lifetime as far as the compiler can tell.
    let migrated = MIGRATIONS.run_direct(None, &mut *transaction, false).await;
    migrated.map_err(|error| Fault::while_migrating(path, &error))?;
    transaction.commit().await.map_err(failed)
}

/// Creates the file and its tables, or brings them up to this version, and closes it again.
pub(crate) async fn migrate_only(path: &Path) -> Result<(), Fault> {
    let opened = for_writing(path, Synchronous::Full).await?;
    super::close(opened.connection).await;
    Ok(())
}

/// Which file a path leads to at the moment.
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
