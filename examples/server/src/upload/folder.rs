//! The folder in which uploads lie while they are read.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::TempDir;

const PREFIX: &str = "uploads-";
/// A file in it that its process has locked for as long as it lives.
const LOCK: &str = "lock";

/// A folder of this process alone, which is removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    folder: TempDir,
    _lock: File,
}

impl Folder {
    /// Makes one in `data`, and removes those of processes that were killed: nobody reads what they left.
    pub(crate) fn make(data: &Path) -> io::Result<Self> {
        fs::create_dir_all(data)?;
        for entry in fs::read_dir(data)?.filter_map(Result::ok) {
            let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
            if is_ours && is_abandoned(&entry.path()) {
                // Another process that begins may be faster.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(data)?;
        let lock = File::create_new(folder.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self { folder, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Whether nobody has the lock. A folder without one is being made.
fn is_abandoned(folder: &Path) -> bool {
    File::open(folder.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_that_nobody_has_is_removed() {
        let data = tempfile::tempdir().expect("a folder");
        let alive = Folder::make(data.path()).expect("a folder");
        let abandoned = data.path().join("uploads-abandoned");
        let begun = data.path().join("uploads-begun");
        let other = data.path().join("other");
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
}
