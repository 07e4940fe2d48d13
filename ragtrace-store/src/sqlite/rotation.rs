//! Letting go of a file that was moved, replaced or deleted while it was written.
//!
//! What was acknowledged stays: the descriptors lead to the files wherever they are, so SQLite's
//! log is moved into the database, which whoever moved it has whole then. What comes next goes to a
//! new file.

use std::path::Path;
use std::time::Duration;

use sqlx::{Row, SqliteConnection};

use super::connect::{Opened, close};
use super::fault::while_writing;
use super::files::{FileId, Files};
use super::leftovers::{self, FolderLock};
use crate::fault::Fault;

/// How often the log is tried to be moved while another connection moves it, and what lies between.
const ATTEMPTS: usize = 500;
const PAUSE: Duration = Duration::from_millis(10);

/// Lets go of the files. Returns `true` if the database still has a name, wherever that is, and all
/// that was committed is in it.
pub(super) async fn let_go(mut opened: Opened) -> bool {
    let (files, ids) = (opened.files, opened.ids);
    if is_cut(&files, ids.database) {
        // Its log would be moved into a file that has nothing else of the database any more.
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
    // As long as the companions are open no other files have their numbers: once they are closed,
    // the next database's may.
    leftovers::remove(&files, &ids, is_done).await;
    close(opened.connection).await;
    has_a_name && is_done
}

/// Closes the connection to a file that was in use, wherever it is by now.
pub(super) async fn close_in_place(mut opened: Opened) {
    // SQLite removes the log by its name at the end: until then nobody makes one for another file.
    let lock = FolderLock::take(opened.files.folder()).await;
    if opened.is_in_place() {
        // SQLite does so itself for the last connection alone. Whoever copies the file afterwards
        // has it whole.
        let _ = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut opened.connection).await;
        close(opened.connection).await;
    } else {
        drop(lock);
        let_go(opened).await;
    }
}

/// Moves SQLite's log into the database. Returns `true` if nothing is left in it.
pub(super) async fn is_moved_into_database(connection: &mut SqliteConnection) -> Result<bool, Fault> {
    for _ in 0..ATTEMPTS {
        let checkpoint = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
        let moved = checkpoint.fetch_one(&mut *connection).await.map_err(while_writing)?;
        // Whether it was held up, the pages of the log, and how many of them were moved. A reader
        // that keeps the log from being cut does not keep its pages from being moved.
        let (is_held_up, pages, done) = (moved.get::<i64, _>(0), moved.get::<i64, _>(1), moved.get::<i64, _>(2));
        if is_held_up == 0 || pages >= 0 {
            return Ok(pages == done);
        }
        // Another connection is moving it, perhaps not all of it, and SQLite does not wait for
        // that.
        tokio::time::sleep(PAUSE).await;
    }
    Ok(false)
}

/// Returns `true` if the file is still at its name and was cut to nothing, as `copytruncate` of
/// logrotate does.
fn is_cut(files: &Files, database: Option<FileId>) -> bool {
    std::fs::metadata(&files.path)
        .is_ok_and(|metadata| metadata.len() == 0 && cfg!(unix) && Some(FileId::of(&metadata)) == database)
}

/// Returns `true` if an open file has a name.
#[cfg(unix)]
fn is_linked(id: FileId, folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let find = |folder: &Path| {
        let entries = std::fs::read_dir(folder).ok()?;
        let mut found = entries.filter_map(|entry| std::fs::metadata(entry.ok()?.path()).ok());
        found.find(|metadata| FileId::of(metadata) == id)
    };
    // Where there is such a folder it has the file itself, and so the number of its names.
    find(Path::new("/proc/self/fd")).or_else(|| find(folder)).is_some_and(|metadata| metadata.nlink() > 0)
}

#[cfg(not(unix))]
fn is_linked(_: FileId, _: &Path) -> bool {
    true
}
