//! Opening a file: its settings, its mode, and what to do when several processes start at once.

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

/// How long a statement waits for other processes. A write of theirs takes milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The writer's cache, in KiB when negative: room for the pages of the indexes that it inserts
/// into.
const CACHE: &str = "-16384";

/// After how many pages SQLite moves its log into the file, 4 KiB each. Pages that are written
/// again and again until then are moved once: half as many rows a second again as at the default of
/// 1,000.
const CHECKPOINT_PAGES: &str = "4000";

/// How long SQLite's log stays once it was longer: a large transaction, or a reader that holds up
/// checkpoints, makes it grow. Above what it grows to between two checkpoints, so that it is not
/// cut and made longer again all the time.
const WAL_BYTES: &str = "25165824";

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

/// A connection that writes, and the files that it is connected to.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: SqliteConnection,
    pub(super) files: Files,
    pub(super) ids: FileIds,
}

impl Opened {
    /// Returns `true` if the files at their names are those that were opened. SQLite goes on
    /// writing to files that were moved or deleted, where nobody looks for what it writes.
    pub(super) fn is_in_place(&self) -> bool {
        self.ids == self.files.ids()
    }
}

/// Opens the file at `path` for writing; creates it and its tables if they are missing.
pub(super) async fn for_writing(path: &Path, synchronous: Synchronous) -> Result<Opened, Fault> {
    let synchronous = match synchronous {
        Synchronous::Normal => SqliteSynchronous::Normal,
        Synchronous::Full => SqliteSynchronous::Full,
    };
    let files = Files::of(path)?;
    let lock = FolderLock::take(files.folder()).await;
    set_leftovers_aside(&files, &lock);
    let before = files.ids().database;
    // One that is moved away from now on is not made anew: it would have the companions of that
    // one.
    let options = options(&files, if before.is_some() { "mode=rw" } else { "mode=rwc" })
        .create_if_missing(before.is_none())
        .synchronous(synchronous)
        .pragma("cache_size", CACHE)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("journal_size_limit", WAL_BYTES);
    let moved = || {
        let message = format!("{} was moved away while it was opened", subject(&files.path));
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
        // Closed before the next attempt: connections of one process share what they have found of
        // the file's companions, such as that they may not be written.
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

/// Returns `true` if a file that is there after an opening is the one that was opened: it was there
/// before, or this process has it open.
fn is_opened(before: Option<FileId>, after: Option<FileId>) -> bool {
    let Some(id) = after else { return false };
    let is_open = |entries: ReadDir| {
        let mut open = entries.filter_map(|entry| std::fs::metadata(entry.ok()?.path()).ok());
        open.any(|metadata| FileId::of(&metadata) == id)
    };
    // Where the system does not list the open files, it was only just made.
    before == after || (before.is_none() && std::fs::read_dir("/proc/self/fd").map_or(true, is_open))
}

/// Opens the file at `path` to tidy it, which has to be there.
pub(super) async fn to_tidy(path: &Path) -> Result<SqliteConnection, Fault> {
    Files::existing(path)?;
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

/// Returns the settings that connections of writers and of readers share, with parameters of
/// SQLite's URIs. Statements are not logged: sqlx would log them through the very subscriber whose
/// records are on their way here.
pub(super) fn options(files: &Files, parameters: &str) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new().filename(files.uri(parameters));
    // Each connection has a thread, which must be known as one of ours: what is logged there would
    // come to the sink again.
    let options = options.thread_name(|number| format!("{}sqlite-{number}", ragtrace::__SINK_THREAD));
    options.busy_timeout(BUSY_TIMEOUT).disable_statement_logging()
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
