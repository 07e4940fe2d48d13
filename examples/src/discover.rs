//! Finds the documents that a command's arguments name.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::document::Format;

/// The documents found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Found {
    /// The files to ingest, each once: the named files, and those in the named folders whose format
    /// can be read. A path that does not exist and a folder that cannot be listed are included,
    /// since reading them reports the error.
    pub documents: Vec<PathBuf>,
    /// The number of files in folders whose extension is not supported.
    pub skipped: usize,
}

/// Walks `paths`: folders with all folders in them, in the order of names. Names that begin with a
/// dot and links to folders are skipped, so that the walk ends.
pub fn discover(paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    let mut seen = HashSet::new();
    for path in paths {
        if path.is_dir() {
            walk(path, &mut seen, &mut found);
        } else {
            add(path.clone(), &mut seen, &mut found);
        }
    }
    found
}

fn walk(folder: &Path, seen: &mut HashSet<PathBuf>, found: &mut Found) {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            add(folder, seen, found);
            continue;
        };
        let mut entries: Vec<_> = entries.filter_map(Result::ok).collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        let mut below = Vec::new();
        for entry in entries {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else { continue };
            if entry.file_name().as_encoded_bytes().starts_with(b".") || (kind.is_symlink() && path.is_dir()) {
                continue;
            }
            if kind.is_dir() {
                below.push(path);
            } else if Format::of(&path).is_some_and(|format| format.missing_feature().is_none()) {
                add(path, seen, found);
            } else {
                found.skipped += 1;
            }
        }
        folders.extend(below.into_iter().rev());
    }
}

fn add(path: PathBuf, seen: &mut HashSet<PathBuf>, found: &mut Found) {
    if seen.insert(fs::canonicalize(&path).unwrap_or_else(|_| path.clone())) {
        found.documents.push(path);
    }
}
