//! The files of a database: the database itself, its write-ahead log and its shared memory, by
//! their paths and in their present state.
//!
//! Nothing here opens any of them. When a process closes any descriptor of a file, it loses all of
//! its locks on that file (`fcntl`, POSIX.1), including those of SQLite's connections.

use std::ffi::OsString;
use std::fmt::Write;
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::fault::{Cause, Fault};

/// The longest chain of symbolic links that is followed, as on Linux.
#[cfg(unix)]
const LINKS: usize = 40;

/// The paths of a database's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Files {
    /// The path as it was given.
    pub(super) path: PathBuf,
    /// The path of the database after following every symbolic link. Its companions lie beside the
    /// database, and not beside a link.
    pub(super) database: PathBuf,
    pub(super) wal: PathBuf,
    pub(super) shm: PathBuf,
    journal: PathBuf,
}

impl Files {
    /// Returns the files of the database at `path`, which need not exist.
    pub(super) fn of(path: &Path) -> Result<Self, Fault> {
        let path = without_slash_before_drive(path);
        if let Some(reason) = names_no_file(path) {
            let advice = "give the path of a file (`./` before it, if that is its name)";
            return Err(Fault::new(Cause::Url, format!("{:?} {reason}: {advice}", path.display().to_string())));
        }
        let database = resolve(path).map_err(|error| unreachable_at(path, error))?;
        let beside = |suffix: &str| {
            let mut name = OsString::from(&database);
            name.push(suffix);
            PathBuf::from(name)
        };
        Ok(Self {
            path: path.to_owned(),
            wal: beside("-wal"),
            shm: beside("-shm"),
            journal: beside("-journal"),
            database,
        })
    }

    /// Returns the files of a database, which has to exist.
    pub(super) fn existing(path: &Path) -> Result<Self, Fault> {
        let files = Self::of(path)?;
        match std::fs::metadata(&files.database) {
            Ok(_) => Ok(files),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Err(missing(path)),
            Err(error) => Err(unreachable_at(path, error)),
        }
    }

    /// Returns the URI with which SQLite opens the database. A plain path would not do: SQLite
    /// gives some paths a special meaning, and sqlx accepts only UTF-8.
    pub(super) fn uri(&self, parameters: &str) -> String {
        // Without an authority, since a path on Windows need not begin with a slash.
        let authority = if cfg!(unix) { "//" } else { "" };
        format!("file:{authority}{}?{parameters}", percent_encoded(&self.database))
    }

    /// Returns the folder of the database.
    pub(super) fn folder(&self) -> &Path {
        self.database.parent().unwrap_or(Path::new("/"))
    }

    /// Returns the identities of the files at these paths. The database is looked up by the given
    /// path, since a link may lead elsewhere by now.
    pub(super) fn ids(&self) -> FileIds {
        let of = |path: &Path| std::fs::metadata(path).ok();
        FileIds {
            database: of(&self.path).filter(|metadata| metadata.len() > 0).map(|metadata| FileId::of(&metadata)),
            wal: of(&self.wal).map(|metadata| FileId::of(&metadata)),
            shm: of(&self.shm).map(|metadata| FileId::of(&metadata)),
        }
    }

    /// Returns the present state of the files.
    pub(super) fn states(&self) -> FileStates {
        let of = |path: &Path| std::fs::metadata(path).ok().map(|metadata| FileState::of(&metadata));
        FileStates { database: of(&self.path), wal: of(&self.wal), shm: of(&self.shm), journal: of(&self.journal) }
    }
}

/// Returns the path of a file for use in a message.
pub(super) fn subject(path: &Path) -> String {
    format!("`{}`", path.display())
}

/// Returns the fault of a file that should exist and does not.
fn missing(path: &Path) -> Fault {
    let advice = "run your program with a SQLite sink first, or give the path it writes to";
    Fault::new(Cause::Missing, format!("there is no file {}: {advice}", subject(path)))
}

/// Returns the fault of a path that cannot be examined.
fn unreachable_at(path: &Path, error: io::Error) -> Fault {
    let advice = match error.kind() {
        ErrorKind::PermissionDenied => "check the permissions of the folders that lead to it",
        _ => "give another path",
    };
    Fault::new(Cause::Operator, format!("{} cannot be reached: {advice}", subject(path))).with_source(error.into())
}

/// Returns the path made absolute, since a program may change its working folder before the first
/// batch.
pub(super) fn absolute(path: &Path) -> PathBuf {
    match names_no_file(path) {
        Some(_) => path.to_owned(),
        None => std::path::absolute(without_slash_before_drive(path)).unwrap_or_else(|_| path.to_owned()),
    }
}

/// Returns `C:/file.db` of `/C:/file.db`, which is what `sqlite:///C:/file.db` leaves of a path on
/// Windows, and elsewhere the path.
fn without_slash_before_drive(path: &Path) -> &Path {
    let rest = path.to_str().filter(|_| cfg!(windows)).and_then(|text| text.strip_prefix('/'));
    match rest.map(str::as_bytes) {
        Some([drive, b':', ..]) if drive.is_ascii_alphabetic() => rest.map_or(path, Path::new),
        _ => path,
    }
}

/// Returns the reason why a path cannot name a database file.
fn names_no_file(path: &Path) -> Option<&'static str> {
    let text = path.to_string_lossy();
    if text.is_empty() {
        Some("is empty")
    } else if text == ":memory:" {
        Some("would be a database in memory, which is gone with its connection")
    } else if text.starts_with("file:") || text.starts_with("sqlite:") {
        Some("is a URL")
    } else if cfg!(windows) && path.to_str().is_none() {
        // SQLite takes UTF-8 there, and the next best name may be another file's.
        Some("is not Unicode")
    } else if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        Some("is a device or a pipe")
    } else {
        None
    }
}

/// Follows symbolic links, including one to a file that does not exist yet.
#[cfg(unix)]
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = std::path::absolute(path)?;
    for _ in 0..LINKS {
        match std::fs::canonicalize(&path) {
            Ok(found) => return Ok(found),
            Err(error) if error.kind() == ErrorKind::NotADirectory => return Ok(path),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Err(_) => {}
        }
        let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
        match (std::fs::read_link(&path), path.file_name()) {
            (Ok(target), _) => path = folder.join(target),
            (Err(_), Some(name)) => return Ok(std::fs::canonicalize(&folder).unwrap_or(folder).join(name)),
            (Err(_), None) => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links lead from one to the next"))
}

#[cfg(not(unix))]
fn resolve(path: &Path) -> io::Result<PathBuf> {
    std::path::absolute(path)
}

/// Returns an absolute path in percent-encoding, for a URI (RFC 3986, section 2.1). Backslashes of
/// Windows stay: in a path that begins with `\\?\` they cannot be replaced by slashes.
fn percent_encoded(path: &Path) -> String {
    #[cfg(unix)]
    let bytes = std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_owned();
    #[cfg(not(unix))]
    let bytes = path.to_string_lossy().into_owned().into_bytes();
    let mut encoded = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"/-._~:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The identity of a file, whatever its name. On systems that do not tell it, all files are the
/// same, since an open file cannot be replaced there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl FileId {
    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    #[cfg(not(unix))]
    pub(super) fn of(_: &Metadata) -> Self {
        Self { device: 0, inode: 0 }
    }
}

/// The identities of a database's files. An empty database file counts as missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileIds {
    pub(super) database: Option<FileId>,
    pub(super) wal: Option<FileId>,
    pub(super) shm: Option<FileId>,
}

/// The present state of a file, which changes with every write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileState {
    pub(super) id: FileId,
    pub(super) len: u64,
    modified: Option<SystemTime>,
}

impl FileState {
    fn of(metadata: &Metadata) -> Self {
        Self { id: FileId::of(metadata), len: metadata.len(), modified: metadata.modified().ok() }
    }
}

/// The present state of a database's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileStates {
    pub(super) database: Option<FileState>,
    pub(super) wal: Option<FileState>,
    pub(super) shm: Option<FileState>,
    /// The rollback journal, which SQLite writes in place of a log if the file was taken out of WAL
    /// mode.
    pub(super) journal: Option<FileState>,
}

impl FileStates {
    /// Returns `true` if the last write is so long ago that the next one will change a time stamp.
    /// Clocks of file systems advance in steps of some milliseconds.
    pub(super) fn are_quiet(&self) -> bool {
        const STEP: Duration = Duration::from_millis(50);
        let now = SystemTime::now();
        let is_recent = |state: FileState| {
            let ago = state.modified.and_then(|modified| now.duration_since(modified).ok());
            ago.is_some_and(|ago| ago < STEP)
        };
        ![self.database, self.wal, self.journal].into_iter().flatten().any(is_recent)
    }

    /// Returns the identities of the files.
    pub(super) fn ids(&self) -> FileIds {
        FileIds {
            database: self.database.filter(|state| state.len > 0).map(|state| state.id),
            wal: self.wal.map(|state| state.id),
            shm: self.shm.map(|state| state.id),
        }
    }
}
