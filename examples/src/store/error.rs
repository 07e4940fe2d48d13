//! The reasons why the database could not be used.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

/// The reason why the database could not be used. The message says what to do about it.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The file does not exist.
    Missing(PathBuf),
    /// The file cannot be opened as a database.
    Open(PathBuf, sqlx::Error),
    /// The file is another program's database.
    NotOurs(PathBuf),
    /// The file was written by a newer version of the programs.
    Newer {
        /// The path of the file.
        path: PathBuf,
        /// The version of its tables.
        version: i64,
    },
    /// The file contains the vectors of another model.
    OtherModel {
        /// The path of the file.
        path: PathBuf,
        /// The model of its vectors.
        model: String,
    },
    /// A document could not be stored. Its earlier version is still there.
    Write(sqlx::Error),
    /// A search failed.
    Read(sqlx::Error),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => {
                write!(
                    f,
                    "there is no database at {}; run the ingest example first, or name one with --db",
                    path.display()
                )
            }
            Self::Open(path, _) => {
                write!(f, "{} cannot be opened as a database; check the path and its permissions", path.display())
            }
            Self::NotOurs(path) => {
                write!(f, "{} is the database of another program; name another file with --db", path.display())
            }
            Self::Newer { path, version } => {
                write!(
                    f,
                    "{} was written by a newer version of this program (its tables have version {version}); update \
                     the program, or name another file with --db",
                    path.display()
                )
            }
            Self::OtherModel { path, model } => {
                write!(
                    f,
                    "{} holds vectors of {model}; delete it and ingest anew, or name another file with --db",
                    path.display()
                )
            }
            Self::Write(_) => {
                f.write_str("the document could not be stored; check that the disk has room and try again")
            }
            Self::Read(_) => f.write_str("the database could not be searched; delete it and ingest anew if this stays"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Open(_, cause) | Self::Write(cause) | Self::Read(cause) => Some(cause),
            Self::Missing(_) | Self::NotOurs(_) | Self::Newer { .. } | Self::OtherModel { .. } => None,
        }
    }
}
