//! Replaces a file by another complete one, so that a process that ends in between leaves one of
//! them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Returns the path of the new file until it is complete.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

/// Removes the incomplete file of a process that ended too early.
pub(super) fn remove_unfinished(path: &Path) -> io::Result<()> {
    match fs::remove_file(beside(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Moves the new file to its final path. It is on disk when this returns, and has the owner of the
/// file that it replaces.
pub(super) fn put_in_place(path: &Path) -> io::Result<()> {
    let beside = beside(path);
    match fs::metadata(path) {
        // A purge may be run by another user than the program that owns the file.
        Ok(replaced) => keep_owner(&beside, &replaced)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    File::options().write(true).open(&beside)?.sync_all()?;
    fs::rename(&beside, path)?;
    // On systems where a folder cannot be synced, it need not be.
    if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
        let _ = folder.sync_all();
    }
    Ok(())
}

#[cfg(unix)]
fn keep_owner(file: &Path, replaced: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, chown};
    let made = fs::metadata(file)?;
    if (made.uid(), made.gid()) != (replaced.uid(), replaced.gid()) {
        chown(file, Some(replaced.uid()), Some(replaced.gid()))?;
    }
    fs::set_permissions(file, replaced.permissions())
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
}
