//! Releases a file that was moved, replaced or deleted while it was being written.
//!
//! Acknowledged records stay. The open descriptors lead to the files wherever they are, so SQLite's
//! log is moved into the database, and whoever moved the database has all of it. New records go to
//! a new file.

use std::path::Path;
use std::time::Duration;

use sqlx::{Row, SqliteConnection};

use super::connect::{Opened, close};
use super::fault::while_writing;
use super::files::{FileId, Files};
use super::leftovers::{self, FolderLock};
use crate::fault::Fault;

/// The number of attempts to move the log while another connection is moving it, and the pause
/// between them.
const ATTEMPTS: usize = 500;
const PAUSE: Duration = Duration::from_millis(10);

/// Releases the files. Returns `true` if the database still exists under some name, and contains
/// everything that was committed.
pub(super) async fn let_go(mut opened: Opened) -> bool {
    let (files, ids) = (opened.files, opened.ids);
    if is_cut(&files, ids.database) {
        // The log must not be moved into a truncated file, which contains nothing else of the
        // database. So the file is renamed before the connection is closed.
        let aside = files.database.with_extension("cut-off");
        let renamed = std::fs::rename(&files.database, &aside).is_ok();
        leftovers::remove(&files, &ids, false).await;
        close(opened.connection).await;
        if renamed && std::fs::metadata(&aside).is_ok_and(|metadata| metadata.len() == 0) {
            let _ = std::fs::remove_file(&aside);
        }
        return false;
    }
    let is_done = is_moved_into_database(&mut opened.connection).await.unwrap_or(false);
    let has_a_name = ids.database.is_some_and(|id| is_linked(id, files.folder()));
    // While the companions are open, no other files can have their inodes. Once they are closed,
    // the next database's companions may.
    leftovers::remove(&files, &ids, is_done).await;
    close(opened.connection).await;
    has_a_name && is_done
}

/// Closes the connection to a file, wherever the file is by now.
pub(super) async fn close_in_place(mut opened: Opened) {
    // SQLite finally removes the log by its path. Until then nobody may create one there for
    // another file.
    let lock = FolderLock::take(opened.files.folder()).await;
    if opened.is_in_place() {
        // SQLite does this by itself only for the last connection. Here it makes the file complete
        // for anyone who copies it afterwards.
        let _ = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut opened.connection).await;
        close(opened.connection).await;
    } else {
        drop(lock);
        let_go(opened).await;
    }
}

/// Moves SQLite's log into the database. Returns `true` if nothing is left in the log.
pub(super) async fn is_moved_into_database(connection: &mut SqliteConnection) -> Result<bool, Fault> {
    for _ in 0..ATTEMPTS {
        let checkpoint = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
        let moved = checkpoint.fetch_one(&mut *connection).await.map_err(while_writing)?;
        // The columns say whether the checkpoint was blocked, how many pages the log has, and how
        // many were moved. A reader can keep the log from being truncated while all its pages are
        // moved.
        let (is_held_up, pages, done) = (moved.get::<i64, _>(0), moved.get::<i64, _>(1), moved.get::<i64, _>(2));
        if is_held_up == 0 || pages >= 0 {
            return Ok(pages == done);
        }
        // Another connection is moving the log, maybe only a part of it, and SQLite does not wait
        // for that.
        tokio::time::sleep(PAUSE).await;
    }
    Ok(false)
}

/// Returns `true` if the file is still at its path and was truncated to zero bytes, as logrotate's
/// `copytruncate` does.
fn is_cut(files: &Files, database: Option<FileId>) -> bool {
    std::fs::metadata(&files.path)
        .is_ok_and(|metadata| metadata.len() == 0 && cfg!(unix) && Some(FileId::of(&metadata)) == database)
}

/// Returns `true` if an open file still has a name.
#[cfg(unix)]
fn is_linked(id: FileId, folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let find = |folder: &Path| {
        let entries = std::fs::read_dir(folder).ok()?;
        let mut found = entries.filter_map(|entry| std::fs::metadata(entry.ok()?.path()).ok());
        found.find(|metadata| FileId::of(metadata) == id)
    };
    // `/proc/self/fd`, where it exists, leads to the file itself, and so to its number of names.
    find(Path::new("/proc/self/fd")).or_else(|| find(folder)).is_some_and(|metadata| metadata.nlink() > 0)
}

#[cfg(not(unix))]
fn is_linked(_: FileId, _: &Path) -> bool {
    true
}
