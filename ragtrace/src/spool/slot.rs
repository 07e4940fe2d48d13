//! Slots: the folders of processes inside of the spool's folder, each held by a lock that ends with
//! its process.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ragtrace_core::Timestamp;

use super::database::{Contents, SpoolError, SpoolFile};
use super::replace;
use crate::warning;

/// The maximum number of processes that may share a folder.
const SLOTS: usize = 4_096;
/// The beginning of the names of damaged files that were set aside.
const SET_ASIDE: &str = "spool.redb.corrupt-";

/// The longest time for which a survey holds a lock, with a margin.
const SURVEYED: Duration = Duration::from_millis(20);

/// A slot that this process holds.
#[derive(Debug)]
pub(super) struct Slot {
    folder: PathBuf,
    /// Unlocked when it is closed, by the drop or by the end of the process.
    lock: File,
    /// The identity of the file that was opened.
    opened: Option<FileIdentity>,
}

/// A damaged file of a spool that was set aside. It may have records that were never delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileSetAside {
    /// The path of the file.
    pub path: PathBuf,
    /// The length of the file in bytes.
    pub bytes: u64,
    /// The time at which the file was set aside, if its name tells.
    pub at: Option<Timestamp>,
}

/// Distinguishes a file from another one at the same path.
type FileIdentity = (u64, u64);

#[cfg(unix)]
fn identity(file: &fs::Metadata) -> FileIdentity {
    use std::os::unix::fs::MetadataExt;
    (file.dev(), file.ino())
}

/// On systems where files have no such numbers, a file at the path counts as the same.
#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> FileIdentity {
    (0, 0)
}

impl Slot {
    /// Takes the first slot that is not locked.
    pub(super) fn claim(root: &Path) -> io::Result<Self> {
        for number in 0..SLOTS {
            let folder = root.join(format!("slot-{number}"));
            match fs::create_dir_all(&folder) {
                // Something that is not a folder has this name.
                Err(_) if folder.symlink_metadata().is_ok() => continue,
                made => made?,
            }
            match Self::lock(folder) {
                Ok(Some(slot)) if slot.is_usable() => return Ok(slot),
                Ok(_) => {}
                // The slot belongs to another user's process, or its lock is a folder.
                Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::IsADirectory) => {
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other(format!("{SLOTS} processes already use this folder")))
    }

    /// Returns the slots that have a file but whose process has ended.
    pub(super) fn orphans(root: &Path) -> io::Result<Vec<Self>> {
        // The slot of another user's process can only be adopted by that user.
        let lock = |folder: &PathBuf| Self::lock(folder.clone()).ok().flatten();
        let (mut orphans, mut locked) = (Vec::new(), Vec::new());
        for folder in folders_with_a_file(root)? {
            match lock(&folder) {
                Some(slot) => orphans.push(slot),
                None => locked.push(folder),
            }
        }
        if !locked.is_empty() {
            // A survey holds the lock for a moment.
            std::thread::sleep(SURVEYED);
            orphans.extend(locked.iter().filter_map(lock));
        }
        Ok(orphans)
    }

    /// Returns the number of slots with a file, locked or not.
    pub(super) fn with_a_file(root: &Path) -> io::Result<usize> {
        Ok(folders_with_a_file(root)?.len())
    }

    /// Returns the number of damaged files that were set aside.
    pub(super) fn files_set_aside(root: &Path) -> io::Result<usize> {
        Ok(folders(root)?.iter().map(|folder| set_aside_in(folder).len()).sum())
    }

    fn lock(folder: PathBuf) -> io::Result<Option<Self>> {
        let lock = File::options().create(true).truncate(false).write(true).open(lock_of(&folder))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { folder, lock, opened: None })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Returns `true` if the slot has no file, or one that this process may write.
    fn is_usable(&self) -> bool {
        let path = database_of(&self.folder);
        match fs::metadata(&path) {
            Ok(found) => found.is_file() && File::options().read(true).write(true).open(&path).is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Opens the slot's file. A damaged file is set aside, and a new one is created.
    pub(super) fn open(&mut self) -> Result<(SpoolFile, Contents), SpoolError> {
        let path = database_of(&self.folder);
        // An incomplete file is useless, and may contain what a purge was to remove.
        replace::remove_unfinished(&path).map_err(|error| SpoolError::Disk(error.to_string()))?;
        let opened = match SpoolFile::open(&path) {
            Err(SpoolError::Corrupt(why)) => {
                self.set_aside(&why)?;
                SpoolFile::open(&path)
            }
            opened => opened,
        }?;
        self.opened = fs::metadata(&path).ok().map(|file| identity(&file));
        Ok(opened)
    }

    /// Returns `true` if the opened file is still at its path.
    pub(super) fn is_in_place(&self) -> bool {
        let found = fs::metadata(database_of(&self.folder)).ok().map(|file| identity(&file));
        self.opened.is_some() && found == self.opened
    }

    /// Returns `true` if the lock is still at its path. Otherwise another process may hold the
    /// slot.
    pub(super) fn is_locked_in_place(&self) -> bool {
        let ours = self.lock.metadata().ok().map(|file| identity(&file));
        let found = fs::metadata(lock_of(&self.folder)).ok().map(|file| identity(&file));
        ours.is_some() && found == ours
    }

    /// Sets a damaged file aside, so that somebody can examine it.
    pub(super) fn set_aside(&self, why: &str) -> Result<(), SpoolError> {
        let path = database_of(&self.folder);
        let aside = self.folder.join(format!("{SET_ASIDE}{}", Timestamp::now().as_micros()));
        fs::rename(&path, &aside).map_err(|error| SpoolError::Disk(error.to_string()))?;
        let (path, aside) = (path.display(), aside.display());
        warning::print(&format!(
            "the spool file {path} cannot be read ({why}): it is kept as {aside}, and a new one is created"
        ));
        Ok(())
    }

    /// Replaces the slot's file by a new one that `fill` fills. The old file has to be closed when
    /// `fill` returns.
    pub(super) fn rewrite(&self, fill: impl FnOnce(&SpoolFile) -> Result<(), SpoolError>) -> Result<(), SpoolError> {
        SpoolFile::replace(&database_of(&self.folder), fill)
    }

    /// Returns `true` if the slot has a file.
    pub(super) fn has_file(&self) -> bool {
        database_of(&self.folder).exists()
    }

    /// Returns the length of the slot's file in bytes.
    pub(super) fn bytes(&self) -> u64 {
        fs::metadata(database_of(&self.folder)).map_or(0, |file| file.len())
    }

    /// Returns the slot's folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes the slot's file, once its contents have been moved.
    pub(super) fn clear(&self) -> io::Result<()> {
        fs::remove_file(database_of(&self.folder))
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.folder.display().fmt(f)
    }
}

fn folders_with_a_file(root: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(folders(root)?.into_iter().filter(|folder| database_of(folder).exists()).collect())
}

/// Returns `true` if a running process has the slot. Its lock is held for a moment to find out, for
/// which a process that starts just then waits.
pub(super) fn is_locked(folder: &Path) -> bool {
    // The lock of another user's process may not be readable.
    let Ok(lock) = File::options().read(true).open(lock_of(folder)) else { return lock_of(folder).exists() };
    matches!(lock.try_lock(), Err(TryLockError::WouldBlock))
}

/// Returns the damaged files of a slot that were set aside, the oldest first.
pub(super) fn set_aside_in(folder: &Path) -> Vec<FileSetAside> {
    // The folder of another user can only be read by that user.
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let file = |entry: fs::DirEntry| {
        let name = entry.file_name();
        let micros = name.to_str()?.strip_prefix(SET_ASIDE)?;
        Some(FileSetAside {
            path: entry.path(),
            bytes: entry.metadata().map_or(0, |file| file.len()),
            at: micros.parse().ok().map(Timestamp::from_micros),
        })
    };
    let mut files: Vec<_> = entries.filter_map(file).collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// Returns the folders of all slots.
pub(super) fn folders(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(root)? {
        let folder = entry?.path();
        let is_slot = folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("slot-"));
        if is_slot && folder.is_dir() {
            folders.push(folder);
        }
    }
    Ok(folders)
}

fn lock_of(folder: &Path) -> PathBuf {
    folder.join("lock")
}

pub(super) fn database_of(folder: &Path) -> PathBuf {
    folder.join("spool.redb")
}
