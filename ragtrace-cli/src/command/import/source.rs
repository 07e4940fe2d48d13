//! The files of an import: plain or compressed, or standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Stdin};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;

use crate::output::Failure;

/// The first bytes of a gzip file (RFC 1952, section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A file, or standard input.
pub(super) enum Source {
    Stdin(Stdin),
    File { file: File, path: PathBuf },
}

impl Source {
    /// Opens the file, or standard input if the path is `-`.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Ok(Self::Stdin(io::stdin()));
        }
        let unreadable =
            |error: &dyn std::fmt::Display| Failure::new(format!("`{}` cannot be read: {error}", path.display()));
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        if file.metadata().is_ok_and(|file| file.is_dir()) {
            return Err(unreadable(&"it is a folder: name the files in it"));
        }
        Ok(Self::File { file, path: path.to_owned() })
    }

    /// Returns the length in bytes, if it is known.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Self::Stdin(_) => None,
            Self::File { file, .. } => file.metadata().ok().filter(std::fs::Metadata::is_file).map(|file| file.len()),
        }
    }

    /// Returns the name for messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Stdin(_) => "standard input".to_owned(),
            Self::File { path, .. } => path.display().to_string(),
        }
    }

    /// Returns a reader of the text, which advances the bar. Compressed text is recognized by its
    /// first bytes.
    pub(super) fn reader(self, bar: &ProgressBar) -> io::Result<Box<dyn BufRead>> {
        let bytes: Box<dyn Read> = match self {
            Self::Stdin(stdin) => Box::new(bar.wrap_read(stdin)),
            Self::File { file, .. } => Box::new(bar.wrap_read(file)),
        };
        let mut reader = BufReader::with_capacity(1 << 16, bytes);
        if reader.fill_buf()?.starts_with(&GZIP) {
            return Ok(Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(reader))));
        }
        Ok(Box::new(reader))
    }
}
