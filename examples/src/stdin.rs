//! Keeps standard input in a file, since documents are read from files.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ragtrace::uuid::Uuid;

use crate::blocking;

/// A file with the bytes of standard input, removed when this is dropped.
#[derive(Debug)]
pub struct StandardInput {
    path: PathBuf,
}

impl StandardInput {
    /// Reads standard input to its end, or until it is larger than `limit` bytes, which the reader
    /// of the document reports.
    pub async fn keep(limit: u64) -> io::Result<Self> {
        blocking::run(move || Self::keep_blocking(limit)).await
    }

    fn keep_blocking(limit: u64) -> io::Result<Self> {
        let kept = Self { path: std::env::temp_dir().join(format!("ragtrace-{}", Uuid::new_v4())) };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // It is its user's business alone.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&kept.path)?;
        io::copy(&mut io::stdin().lock().take(limit.saturating_add(1)), &mut file)?;
        Ok(kept)
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for StandardInput {
    fn drop(&mut self) {
        // The system removes what is left over.
        let _ = fs::remove_file(&self.path);
    }
}
