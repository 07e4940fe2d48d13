//! Finds the documents that a command's arguments name.
//!
//! Folders are walked with all folders in them, in the order of names. In a folder, names that
//! begin with a dot are passed over, and so are links to folders, so that the walk ends; a link to
//! a file is followed. A path that is named itself is taken whatever it is.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use glob::{MatchOptions, Pattern, PatternError};

use crate::format::by_name;
use crate::parse::Reading;
use crate::report::Size;

/// The documents found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Found {
    /// The files to ingest, each once: the named files, and those in the named folders whose format
    /// can be read. A path that does not exist and a folder that cannot be listed are included,
    /// since reading them reports the error.
    pub documents: Vec<PathBuf>,
    /// The size of the documents in bytes.
    pub bytes: u64,
    /// The number of files in folders that are not ingested, by the reason.
    pub skipped: BTreeMap<String, usize>,
    /// The folders that cannot be listed. Nothing is known about what is in them.
    pub unlisted: Vec<PathBuf>,
}

/// The rules by which files in folders are skipped.
#[derive(Debug, Default, Clone)]
pub struct Rules {
    /// The patterns of files and folders to leave out.
    pub exclude: Vec<Exclude>,
    /// The settings with the largest size of a file. Without them, a file may have any size.
    pub reading: Option<Reading>,
}

/// A pattern of files and folders to leave out, in which `*` stands for any part of a name, `?` for
/// a character, and `[a-z]` for one of some characters.
///
/// A pattern without a slash is compared with names, wherever they are; one with a slash with the
/// whole path below the named folder, in which `**` stands for any number of folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclude {
    pattern: Pattern,
    is_path: bool,
}

impl FromStr for Exclude {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let trimmed = text.trim_start_matches("./").trim_end_matches('/');
        let pattern = Pattern::new(trimmed.trim_start_matches('/'))?;
        Ok(Self { pattern, is_path: trimmed.contains('/') })
    }
}

impl Exclude {
    /// Returns `true` if the pattern is that of `path`, a path below a named folder.
    fn matches(&self, path: &Path) -> bool {
        let options =
            MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };
        let compared = if self.is_path { path.as_os_str() } else { path.file_name().unwrap_or_default() };
        self.pattern.matches_with(&compared.to_string_lossy().replace('\\', "/"), options)
    }
}

impl Rules {
    /// Returns `true` if `path` below the named folder, or a folder that it is in, is left out.
    pub fn exclude(&self, path: &Path) -> bool {
        let above = path.ancestors().filter(|part| !part.as_os_str().is_empty());
        above.into_iter().any(|part| self.exclude.iter().any(|exclude| exclude.matches(part)))
    }
}

/// Walks `paths` without any rules.
pub fn discover(paths: &[PathBuf]) -> Found {
    discover_by(&Rules::default(), paths)
}

/// Walks `paths`.
pub fn discover_by(rules: &Rules, paths: &[PathBuf]) -> Found {
    let mut walk = Walk { rules, found: Found::default(), seen: HashSet::new() };
    for path in paths {
        if path.is_dir() {
            walk.folder(path);
        } else {
            let bytes = fs::metadata(path).map_or(0, |metadata| metadata.len());
            walk.add(path.clone(), bytes);
        }
    }
    walk.found
}

/// A walk over several paths.
struct Walk<'a> {
    rules: &'a Rules,
    found: Found,
    /// The files found, by the paths that they have whichever way they are reached.
    seen: HashSet<PathBuf>,
}

impl Walk<'_> {
    fn folder(&mut self, root: &Path) {
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(&folder) else {
                self.found.unlisted.push(folder.clone());
                self.add(folder, 0);
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
                let excluded = |exclude: &Exclude| path.strip_prefix(root).is_ok_and(|path| exclude.matches(path));
                if self.rules.exclude.iter().any(excluded) {
                    self.skip("excluded");
                } else if kind.is_dir() {
                    below.push(path);
                } else {
                    self.file(path);
                }
            }
            folders.extend(below.into_iter().rev());
        }
    }

    /// Adds a file of a folder, unless a rule is against it.
    fn file(&mut self, path: PathBuf) {
        let format = match by_name(&path) {
            Ok(format) => format,
            Err(no_reader) => return self.skip(&no_reader.to_string()),
        };
        if let Some(feature) = format.missing_feature() {
            return self.skip(&format!("no reader for {} without the feature {feature}", format.name()));
        }
        let bytes = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        match self.rules.reading.as_ref().map(|reading| reading.max_bytes(format)) {
            Some(limit) if bytes > limit => self.skip(&format!("larger than {}", Size(limit))),
            _ => self.add(path, bytes),
        }
    }

    fn skip(&mut self, reason: &str) {
        *self.found.skipped.entry(reason.to_owned()).or_default() += 1;
    }

    fn add(&mut self, path: PathBuf, bytes: u64) {
        if self.seen.insert(fs::canonicalize(&path).unwrap_or_else(|_| path.clone())) {
            self.found.documents.push(path);
            self.found.bytes += bytes;
        }
    }
}
