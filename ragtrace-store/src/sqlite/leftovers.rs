//! Companion files whose database is no longer beside them.
//!
//! If someone moves a database while it is being written, its `-wal` and `-shm` files stay behind.
//! SQLite would take them for those of the next file at that path: it deletes the log beside an
//! empty file, with acknowledged rows in it, and applies the log to any other file.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::{FileId, FileIds, Files, subject};

/// The number of attempts to lock a folder, and the pause between them. Opening a file takes
/// milliseconds.
const ATTEMPTS: usize = 500;
const PAUSE: Duration = Duration::from_millis(10);

/// A lock on a folder. Processes that open or release files there wait for each other, so that none
/// takes another one's companions for its own. Dropping the value releases the lock.
#[derive(Debug)]
pub(super) struct FolderLock {
    _folder: Option<File>,
}

impl FolderLock {
    /// Takes the lock. Continues without it if the system has no locks on folders, or another
    /// process holds it for too long.
    pub(super) async fn take(folder: &Path) -> Self {
        let Ok(file) = File::open(folder) else { return Self { _folder: None } };
        for _ in 0..ATTEMPTS {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
                _ => break,
            }
        }
        Self { _folder: Some(file) }
    }
}

/// Sets aside the companions of a database that does not exist.
pub(super) fn set_leftovers_aside(files: &Files, _lock: &FolderLock) {
    if has_leftovers(&files.ids()) {
        set_log_aside(files);
        let _ = std::fs::remove_file(&files.shm);
    }
}

fn has_leftovers(ids: &FileIds) -> bool {
    ids.database.is_none() && (ids.wal.is_some() || ids.shm.is_some())
}

/// Removes the companions of a database that is no longer beside them, if they are still the given
/// files. The log is removed only if its contents are in the database.
pub(super) async fn remove(files: &Files, ids: &FileIds, is_log_done: bool) {
    let _lock = FolderLock::take(files.folder()).await;
    let now = files.ids();
    if now.wal.is_some() && now.wal == ids.wal {
        if is_log_done {
            let _ = std::fs::remove_file(&files.wal);
        } else {
            set_log_aside(files);
        }
    }
    if now.shm.is_some() && now.shm == ids.shm {
        let _ = std::fs::remove_file(&files.shm);
    }
    if is_log_done {
        remove_log_set_aside(files, ids.wal);
    }
}

/// Renames the log so that SQLite leaves it alone, and prints a message. An empty log is removed.
fn set_log_aside(files: &Files) {
    let Ok(metadata) = std::fs::metadata(&files.wal) else { return };
    if metadata.len() == 0 {
        let _ = std::fs::remove_file(&files.wal);
        return;
    }
    let aside = names_aside(&files.wal).find(|name| !name.exists());
    let Some(aside) = aside.filter(|aside| std::fs::rename(&files.wal, aside).is_ok()) else { return };
    // What is being written next succeeds, so there is no error to return.
    let _ = writeln!(
        std::io::stderr(),
        "ragtrace: a database was moved away from {} without its log, which is kept as {}: to recover its rows, move \
         it beside that database, rename it to the database's name with `-wal` appended, and open the database with `sqlite3`",
        subject(&files.path),
        subject(&aside)
    );
}

/// Removes a log that another process set aside, after its contents were moved into the database.
fn remove_log_set_aside(files: &Files, log: Option<FileId>) {
    for aside in names_aside(&files.wal) {
        match std::fs::metadata(&aside) {
            Ok(metadata) if Some(FileId::of(&metadata)) == log => {
                let _ = std::fs::remove_file(aside);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            _ => {}
        }
    }
}

/// Returns the number of logs that were set aside.
pub(super) fn logs_set_aside(files: &Files) -> usize {
    names_aside(&files.wal).filter(|name| name.exists()).count()
}

/// Returns the paths of logs that are set aside, in order.
fn names_aside(wal: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let wal = wal.as_os_str().to_owned();
    (1..1_000).map(move |number| {
        let mut name = wal.clone();
        name.push(format!(".kept-{number}"));
        name.into()
    })
}
