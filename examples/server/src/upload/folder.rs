//! The folder that contains uploads while they are read.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::TempDir;

/// The start of the folder's name, which no other program uses.
const PREFIX: &str = ".ragtrace-server-uploads-";
/// A file in the folder, which its process locks for as long as it lives.
const LOCK: &str = "lock";

/// A folder of this process alone, which is removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    folder: TempDir,
    _lock: File,
}

impl Folder {
    /// Creates a folder in `data`, and removes those of processes that were killed, since nobody
    /// reads the files in them.
    pub(crate) fn make(data: &Path) -> io::Result<Self> {
        fs::create_dir_all(data)?;
        for entry in fs::read_dir(data)?.filter_map(Result::ok) {
            if entry.file_name().to_string_lossy().starts_with(PREFIX) {
                remove_abandoned(&entry.path());
            }
        }
        loop {
            let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(data)?;
            if let Some(lock) = lock(folder.path())? {
                return Ok(Self { folder, _lock: lock });
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Locks a folder that was just created. Returns `None` if another starting process took it for
/// abandoned and removed it.
fn lock(folder: &Path) -> io::Result<Option<File>> {
    let path = folder.join(LOCK);
    let lock = match File::create_new(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // A process that removes the folder holds the lock until the folder is gone.
    lock.lock()?;
    Ok(path.try_exists()?.then_some(lock))
}

/// Removes a folder if nobody holds its lock. A folder without a lock is just being created.
fn remove_abandoned(folder: &Path) {
    if let Ok(lock) = File::open(folder.join(LOCK))
        && lock.try_lock().is_ok()
    {
        // Another starting process may have removed it first.
        let _ = fs::remove_dir_all(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_that_nobody_has_is_removed() {
        let data = tempfile::tempdir().expect("a folder");
        let alive = Folder::make(data.path()).expect("a folder");
        let abandoned = data.path().join(format!("{PREFIX}abandoned"));
        let begun = data.path().join(format!("{PREFIX}begun"));
        let other = data.path().join("uploads-2025");
        for folder in [&abandoned, &begun, &other] {
            fs::create_dir(folder).expect("a folder");
        }
        for folder in [&abandoned, &other] {
            fs::write(folder.join(LOCK), "").expect("a file");
        }
        fs::write(abandoned.join("upload"), "what somebody sent").expect("a file");

        let second = Folder::make(data.path()).expect("a folder");
        assert!(!abandoned.exists());
        assert!([alive.path(), second.path(), &begun, &other].iter().all(|folder| folder.exists()));
        let path = alive.path().to_owned();
        drop(alive);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_that_another_process_removes_while_it_is_locked_is_not_used() {
        let data = tempfile::tempdir().expect("a folder");
        let folder = data.path().join("folder");
        fs::create_dir(&folder).expect("a folder");
        let waits = std::thread::scope(|scope| {
            // The other process holds the lock of the new file, and removes the folder.
            let path = folder.join(LOCK);
            let made = scope.spawn(|| lock(&folder));
            let others = loop {
                match File::open(&path) {
                    Ok(others) => break others,
                    Err(_) => std::thread::yield_now(),
                }
            };
            if others.try_lock().is_ok() {
                fs::remove_dir_all(&folder).expect("a folder");
            }
            drop(others);
            made.join().expect("no panic")
        });
        let is_used = waits.expect("no error").is_some();
        assert_eq!(is_used, folder.exists());
    }

    #[test]
    fn processes_that_begin_at_once_all_have_a_folder() {
        let data = tempfile::tempdir().expect("a folder");
        let folders: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(|| Folder::make(data.path()))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic").expect("a folder")).collect()
        });
        assert!(folders.iter().all(|folder| folder.path().join(LOCK).exists()));
    }
}
