//! Companions whose database is no longer beside them.
//!
//! Whoever moves a database that is being written leaves its `-wal` and `-shm` behind. SQLite would
//! take them for those of the next file of that name: it deletes the log beside an empty file, with
//! rows in it that were acknowledged, and applies it to any other.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::{FileId, FileIds, Files, subject};

/// How often a lock on a folder is tried to be taken, and what lies between. To open a file takes
/// milliseconds.
const ATTEMPTS: usize = 500;
const PAUSE: Duration = Duration::from_millis(10);

/// A lock on a folder: processes that open or let go of files there wait for each other, so that
/// none takes another's companions for its own. It goes with the value.
#[derive(Debug)]
pub(super) struct FolderLock {
    _folder: Option<File>,
}

impl FolderLock {
    /// Takes the lock, where the system has such a thing as a lock on a folder, and nobody holds it
    /// for ever.
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

/// Sets aside what lies beside a database that is not there.
pub(super) fn set_leftovers_aside(files: &Files, _lock: &FolderLock) {
    if has_leftovers(&files.ids()) {
        set_log_aside(files);
        let _ = std::fs::remove_file(&files.shm);
    }
}

fn has_leftovers(ids: &FileIds) -> bool {
    ids.database.is_none() && (ids.wal.is_some() || ids.shm.is_some())
}

/// Removes the companions of a database that is no longer beside them, if they are still these. The
/// log goes if all that it holds is in its database.
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

/// Gives the log a name under which SQLite leaves it alone, and says so. An empty one goes.
fn set_log_aside(files: &Files) {
    let Ok(metadata) = std::fs::metadata(&files.wal) else { return };
    if metadata.len() == 0 {
        let _ = std::fs::remove_file(&files.wal);
        return;
    }
    let aside = names_aside(&files.wal).find(|name| !name.exists());
    let Some(aside) = aside.filter(|aside| std::fs::rename(&files.wal, aside).is_ok()) else { return };
    // There is nobody to hand it to: what is being written next is well.
    let _ = writeln!(
        std::io::stderr(),
        "ragtrace: a database was moved away from {} without its log, which is kept as {}: to have the rows in it, move \
         it beside that database, under that name with `-wal` at its end, and open the database with `sqlite3`",
        subject(&files.path),
        subject(&aside)
    );
}

/// Removes a log that another process set aside, now that all of it is in its database.
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

/// Returns how many logs were set aside there.
pub(super) fn logs_set_aside(files: &Files) -> usize {
    names_aside(&files.wal).filter(|name| name.exists()).count()
}

/// The names of logs that were set aside, in their order.
fn names_aside(wal: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let wal = wal.as_os_str().to_owned();
    (1..1_000).map(move |number| {
        let mut name = wal.clone();
        name.push(format!(".kept-{number}"));
        name.into()
    })
}
