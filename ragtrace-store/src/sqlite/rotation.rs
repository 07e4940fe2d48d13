//! Letting go of a file that was moved, replaced or deleted while it was written.
//!
//! What was acknowledged stays: the descriptors lead to the files wherever they are, so SQLite's log
//! is moved into the database, which whoever moved it has whole then. What comes next goes to a new
//! file.

use std::path::Path;

use sqlx::{Row, SqliteConnection};

use super::connect::{Opened, close};
use super::fault::while_writing;
use super::files::{FileId, Files};
use super::leftovers;
use crate::fault::Fault;

/// Lets go of the files. Returns `true` if the database still has a name, wherever that is, and all
/// that was committed is in it.
pub(super) async fn let_go(mut opened: Opened) -> bool {
    let (files, ids) = (opened.files, opened.ids);
    if is_cut(&files, ids.database) {
        // Its log would be moved into a file that has nothing else of the database any more.
        let aside = files.database.with_extension("cut-off");
        let renamed = std::fs::rename(&files.database, &aside).is_ok();
        close(opened.connection).await;
        if renamed && std::fs::metadata(&aside).is_ok_and(|metadata| metadata.len() == 0) {
            let _ = std::fs::remove_file(&aside);
        }
        leftovers::remove(&files, &ids, false).await;
        return false;
    }
    let is_done = is_moved_into_database(&mut opened.connection).await.unwrap_or(false);
    let has_a_name = ids.database.is_some_and(|id| is_linked(id, files.folder()));
    close(opened.connection).await;
    leftovers::remove(&files, &ids, is_done).await;
    has_a_name && is_done
}

/// Closes the connection to a file that was in use, wherever it is by now.
pub(super) async fn close_in_place(mut opened: Opened) {
    if opened.is_in_place() {
        // SQLite does so itself for the last connection alone. Whoever copies the file afterwards
        // has it whole.
        let _ = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut opened.connection).await;
        close(opened.connection).await;
    } else {
        let_go(opened).await;
    }
}

/// Moves SQLite's log into the database. Returns `true` if nothing is left in it.
pub(super) async fn is_moved_into_database(connection: &mut SqliteConnection) -> Result<bool, Fault> {
    let moved = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(connection).await.map_err(while_writing)?;
    // Whether it was held up, the pages of the log, and how many of them were moved. A reader that
    // keeps the log from being cut does not keep its pages from being moved.
    let (pages, done) = (moved.get::<i64, _>(1), moved.get::<i64, _>(2));
    Ok(pages == done)
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
