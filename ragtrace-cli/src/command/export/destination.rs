//! Where an export goes: standard output, or a file that appears once it is complete.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::NamedTempFile;

use crate::output::{Failure, Output, Stdout};

/// The writer of an export.
pub(super) struct Destination {
    writer: Writer,
    /// The file's path, for messages.
    path: Option<PathBuf>,
    /// The number of bytes written so far, before compression.
    pub(super) bytes: u64,
}

enum Writer {
    Stdout(BufWriter<Stdout>),
    Plain(BufWriter<Place>),
    Gzip(Box<GzEncoder<BufWriter<Place>>>),
}

/// An open file.
enum Place {
    /// A file beside its final path, which it moves to when it is complete.
    Beside { file: NamedTempFile, path: PathBuf },
    /// A device or a pipe, which cannot be replaced.
    Direct(File),
}

impl Destination {
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Self { writer: Writer::Stdout(Output::new().writer), path: None, bytes: 0 });
        };
        let place = BufWriter::with_capacity(1 << 16, Place::open(path).map_err(|error| unwritable(path, &error))?);
        let is_gzip = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        let writer = if is_gzip {
            Writer::Gzip(Box::new(GzEncoder::new(place, Compression::default())))
        } else {
            Writer::Plain(place)
        };
        Ok(Self { writer, path: Some(path.to_owned()), bytes: 0 })
    }

    /// Writes `bytes`.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = match &mut self.writer {
            Writer::Stdout(writer) => writer.write_all(bytes),
            Writer::Plain(writer) => writer.write_all(bytes),
            Writer::Gzip(writer) => writer.write_all(bytes),
        };
        self.bytes += bytes.len() as u64;
        written.map_err(|error| self.failure(error))
    }

    /// Writes what is buffered, and moves a file to its final path.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let path = self.path.take();
        let finished = match self.writer {
            Writer::Stdout(mut writer) => return Ok(writer.flush()?),
            Writer::Plain(writer) => writer.into_inner().map_err(io::IntoInnerError::into_error),
            Writer::Gzip(writer) => {
                writer.finish().and_then(|writer| writer.into_inner().map_err(io::IntoInnerError::into_error))
            }
        };
        let placed = finished.and_then(Place::put_in_place);
        placed.map_err(|error| unwritable(path.as_deref().unwrap_or(Path::new("")), &error))
    }

    fn failure(&self, error: io::Error) -> Failure {
        match &self.path {
            Some(path) => unwritable(path, &error),
            None => Failure::from(error),
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("`{}` cannot be written: {error}", path.display()))
}

impl Place {
    fn open(path: &Path) -> io::Result<Self> {
        // A link stays, and its file is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&path) {
            Ok(found) if found.is_dir() => return Err(io::Error::other("it is a folder: name a file in it")),
            Ok(found) if !found.is_file() => return Ok(Self::Direct(OpenOptions::new().write(true).open(&path)?)),
            _ => {}
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut beside = tempfile::Builder::new();
        beside.prefix(".ragtrace-export-");
        #[cfg(unix)]
        beside.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        Ok(Self::Beside { file: beside.tempfile_in(folder)?, path })
    }

    fn put_in_place(self) -> io::Result<()> {
        match self {
            Self::Direct(mut file) => file.flush(),
            Self::Beside { file, path } => {
                file.as_file().sync_all()?;
                file.persist(path).map(drop).map_err(|error| error.error)
            }
        }
    }
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Beside { file, .. } => file.write(bytes),
            Self::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Beside { file, .. } => file.flush(),
            Self::Direct(file) => file.flush(),
        }
    }
}
