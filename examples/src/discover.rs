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
            } else if Format::of(&path).is_some() {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &Found) -> Vec<String> {
        let name = |path: &PathBuf| path.file_name().expect("a name").to_string_lossy().into_owned();
        found.documents.iter().map(name).collect()
    }

    #[test]
    fn folders_are_walked_and_other_files_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("b/c")).expect("folders");
        fs::create_dir(folder.path().join(".git")).expect("a folder");
        for name in ["z.md", "a.txt", "b/page.HTML", "b/c/x.pdf", "b/photo.jpg", ".git/notes.txt", ".hidden.md"] {
            fs::write(folder.path().join(name), "x").expect("a file");
        }
        let found = discover(&[folder.path().to_owned()]);
        assert_eq!(names(&found), ["a.txt", "z.md", "page.HTML", "x.pdf"]);
        assert_eq!(found.skipped, 1);
    }

    #[test]
    fn a_file_named_twice_is_found_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.md");
        fs::write(&file, "x").expect("a file");
        let found = discover(&[file.clone(), folder.path().to_owned(), file]);
        assert_eq!(found.documents.len(), 1);
    }

    #[test]
    fn what_is_named_is_kept_even_if_it_cannot_be_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let odd = folder.path().join("a.docx");
        fs::write(&odd, "x").expect("a file");
        let found = discover(&[odd, folder.path().join("missing.md")]);
        assert_eq!(names(&found), ["a.docx", "missing.md"]);
        assert_eq!(found.skipped, 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_above_does_not_loop() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a.md"), "x").expect("a file");
        std::os::unix::fs::symlink(folder.path(), folder.path().join("up")).expect("a link");
        assert_eq!(discover(&[folder.path().to_owned()]).documents.len(), 1);
    }
}
