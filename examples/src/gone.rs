//! Finds stored documents whose files are gone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::discover::{Found, Rules};
use crate::document::text_path;

/// Returns the stored documents at or below the named `paths` that are gone from the disk, or that
/// a rule leaves out now. `stored` are paths in the form of
/// [`path_text`](crate::document::path_text), which the result has, too.
///
/// A folder that is missing itself, or that cannot be listed, says nothing about its documents: its
/// disk may not be mounted. So these are kept.
pub fn gone(paths: &[PathBuf], rules: &Rules, found: &Found, stored: &[String]) -> Vec<String> {
    let roots: Vec<PathBuf> = paths.iter().filter_map(|path| absolute(path)).collect();
    let unlisted: Vec<PathBuf> = found.unlisted.iter().filter_map(|path| absolute(path)).collect();
    let is_gone = |path: &Path| {
        let Some(root) = roots.iter().find(|root| path.starts_with(root)) else { return false };
        if unlisted.iter().any(|folder| path.starts_with(folder)) || (path != root && !root.is_dir()) {
            return false;
        }
        let below = path.strip_prefix(root).unwrap_or(path);
        (path != root && rules.exclude(below)) || is_missing(path)
    };
    let mut gone: Vec<String> = stored.iter().filter(|text| is_gone(&text_path(text))).cloned().collect();
    gone.sort_unstable();
    gone
}

/// Returns the path that a document at `path` has in the store, if there is or was one.
fn absolute(path: &Path) -> Option<PathBuf> {
    if let Ok(path) = fs::canonicalize(path) {
        return Some(path);
    }
    let path = std::path::absolute(path).ok()?;
    let folder = fs::canonicalize(path.parent()?).ok()?;
    Some(folder.join(path.file_name()?))
}

/// Returns `true` if there is nothing at `path`, and `false` if that cannot be told.
fn is_missing(path: &Path) -> bool {
    fs::symlink_metadata(path)
        .is_err_and(|error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
}
