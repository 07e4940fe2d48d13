//! Opens a file: its settings, WAL mode, and several processes that start at once.

use std::fs::ReadDir;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::fault::{is_busy, while_opening};
use super::files::{FileId, FileIds, Files, subject};
use super::leftovers::{FolderLock, set_leftovers_aside};
use super::schema;
use crate::fault::{Cause, Fault};

/// The longest time that a statement waits for other processes. Their writes take milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The writer's cache: 16 MiB, as kibibytes with a minus sign. It holds the index pages that
/// inserts change.
const CACHE: &str = "-16384";

/// The number of pages, of 4 KiB each, after which SQLite moves its log into the file. A page that
/// is written repeatedly until then is moved only once, which makes writing faster than at SQLite's
/// default of 1,000.
const CHECKPOINT_PAGES: &str = "4000";

/// The size, in bytes, to which SQLite cuts its log after a large transaction, or a reader that
/// held up checkpoints, made it longer. It is above the size that the log reaches between two
/// checkpoints, so that the log is not cut and extended again all the time.
const WAL_BYTES: &str = "25165824";

/// The number of attempts to change to WAL mode. Each of them has waited for the write lock.
const WAL_ATTEMPTS: usize = 100;

/// The time at which a delivered batch is safe on disk, which is SQLite's setting `synchronous`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synchronous {
    /// A batch is safe once SQLite moves its log into the file. This is the default.
    ///
    /// A process that dies loses nothing. A power failure may lose the batches of the last moments,
    /// and their ids with them, so such a batch is written if it is delivered again.
    #[default]
    Normal,
    /// A batch is safe before it is acknowledged, at the cost of one `fsync` per batch.
    ///
    /// A power failure loses no acknowledged batch.
    Full,
}

/// A connection for writing, and the files that it has opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: SqliteConnection,
    pub(super) files: Files,
    pub(super) ids: FileIds,
}

impl Opened {
    /// Returns `true` if the opened files are still at their paths. SQLite continues to write to
    /// files that were moved or deleted, where nobody looks for the rows.
    pub(super) fn is_in_place(&self) -> bool {
        self.ids == self.files.ids()
    }
}

/// Opens the file at `path` for writing. Creates it and its tables if they are missing.
pub(super) async fn for_writing(path: &Path, synchronous: Synchronous) -> Result<Opened, Fault> {
    let synchronous = match synchronous {
        Synchronous::Normal => SqliteSynchronous::Normal,
        Synchronous::Full => SqliteSynchronous::Full,
    };
    let files = Files::of(path)?;
    let lock = FolderLock::take(files.folder()).await;
    set_leftovers_aside(&files, &lock);
    let before = files.ids().database;
    // A file that is moved away from now on must not be created again here, since it would get the
    // companions of the moved file.
    let options = options(&files, if before.is_some() { "mode=rw" } else { "mode=rwc" })
        .create_if_missing(before.is_none())
        .synchronous(synchronous)
        .pragma("cache_size", CACHE)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("journal_size_limit", WAL_BYTES);
    let moved = || {
        let message = format!("{} was moved away while it was being opened", subject(&files.path));
        Fault::new(Cause::Transient, message)
    };
    let failed = |error: sqlx::Error| {
        let is_moved = before.is_some() && files.ids().database != before;
        if is_moved { moved().with_source(error) } else { while_opening(&files, error) }
    };
    let mut connection = options.connect().await.map_err(failed)?;
    let prepared = match use_wal(&mut connection).await {
        Ok(()) => schema::migrate(&mut connection, &files).await,
        Err(error) => Err(failed(error)),
    };
    if let Err(fault) = prepared {
        // The connection is closed before the next attempt, since connections of one process share
        // what they have found out about the file's companions, such as that they are read-only.
        close(connection).await;
        return Err(fault);
    }
    let ids = files.ids();
    if !is_opened(before, ids.database) {
        close(connection).await;
        return Err(moved());
    }
    Ok(Opened { connection, files, ids })
}

/// Returns `true` if the file at the path is the one that was opened: it was there before, or this
/// process has it open.
fn is_opened(before: Option<FileId>, after: Option<FileId>) -> bool {
    let Some(id) = after else { return false };
    let is_open = |entries: ReadDir| {
        let mut open = entries.filter_map(|entry| std::fs::metadata(entry.ok()?.path()).ok());
        open.any(|metadata| FileId::of(&metadata) == id)
    };
    // If the system does not list open files, a file that was missing before must be the new one.
    before == after || (before.is_none() && std::fs::read_dir("/proc/self/fd").map_or(true, is_open))
}

/// Opens the existing file at `path` for retention or a purge.
pub(super) async fn to_tidy(path: &Path) -> Result<SqliteConnection, Fault> {
    Files::existing(path)?;
    for_writing(path, Synchronous::Normal).await.map(|opened| opened.connection)
}

/// Creates or upgrades the file and its tables, and closes it again.
pub(crate) async fn migrate(path: &Path) -> Result<(), Fault> {
    let opened = for_writing(path, Synchronous::Full).await?;
    close(opened.connection).await;
    Ok(())
}

/// Closes a connection, which moves SQLite's log into the file. An error loses nothing, since the
/// log is read when the file is opened next.
pub(super) async fn close(connection: SqliteConnection) {
    let _ = connection.close().await;
}

/// Returns the settings that connections for writing and for reading share, with parameters of
/// SQLite's URIs. Statements are not logged, since sqlx would log them through the subscriber whose
/// records are being written here.
pub(super) fn options(files: &Files, parameters: &str) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new().filename(files.uri(parameters));
    // Each connection has a thread, which must be recognized as ragtrace's own, or lines logged
    // there would be delivered to the sink again.
    let options = options.thread_name(|number| format!("{}sqlite-{number}", ragtrace::__SINK_THREAD));
    options.busy_timeout(BUSY_TIMEOUT).disable_statement_logging()
}

/// Turns on WAL mode, permanently. The change needs exclusive access to the file, and SQLite does
/// not wait for that by itself. So this waits for the write lock in line with other processes, and
/// tries again.
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
