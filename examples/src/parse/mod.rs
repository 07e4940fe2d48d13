//! Reads a file into a [`Document`].
//!
//! The format comes from the file's content, and then from its name ([`format`](crate::format)). The
//! result contains text, or is an error that says why not. A hostile file costs at
//! most its own error: the work runs where it may block, and a parser that panics or does not
//! finish is an error too. A file that unpacks to more than fits into memory is not guarded
//! against.

mod csv;
mod encoding;
mod error;
mod flow;
mod front_matter;
mod html;
mod joining;
mod layout;
mod markdown;
#[cfg(feature = "office")]
mod office;
mod outline;
mod quiet;
mod read;
mod rst;
mod text;

pub mod pdf;

use std::fs;
use std::time::Duration;

pub use encoding::{TextEncoding, UnknownEncoding};
pub use error::ParseError;

use crate::blocking;
use crate::document::Document;
use crate::source::Source;
use read::{Given, read};

/// The settings of reading documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The time limit of reading a file. A book of a thousand pages takes seconds. A file that takes
    /// longer than the default, a minute, was made to: some parsers need time that grows with the
    /// square of the nesting depth.
    pub timeout: Duration,
    /// The encoding of files of text, or `None` to find it out for each.
    pub encoding: Option<TextEncoding>,
}

impl Default for Reading {
    fn default() -> Self {
        Self { timeout: Duration::from_mins(1), encoding: None }
    }
}

/// Reads the file of `source`. Work that exceeds the time limit continues on its own thread, since
/// nothing can stop it.
pub async fn parse(source: impl Into<Source>, reading: &Reading) -> Result<Document, ParseError> {
    let source = source.into();
    let encoding = reading.encoding;
    let work = blocking::run(move || parse_blocking(&source, encoding));
    let limit = reading.timeout;
    tokio::time::timeout(limit, work).await.unwrap_or(Err(ParseError::TooSlow(limit)))
}

fn parse_blocking(source: &Source, encoding: Option<TextEncoding>) -> Result<Document, ParseError> {
    let path = source.path.as_path();
    let metadata = fs::metadata(path).map_err(ParseError::Read)?;
    if metadata.is_dir() {
        // Folders are walked before. A folder that gets here could not be listed, and this returns
        // the reason.
        fs::read_dir(path).map_err(ParseError::Read)?;
    }
    // Reading a pipe or a device might never end.
    if !metadata.is_file() {
        return Err(ParseError::NotAFile);
    }
    let bytes = fs::read(path).map_err(ParseError::Read)?;
    let (format, outline) = read(&bytes, &source.name(), &Given { encoding, pdf: &pdf::outline })?;
    Ok(Document {
        path: source.known_by(&bytes),
        name: source.name(),
        format,
        bytes: bytes.len() as u64,
        text: outline.text,
        headings: outline.headings,
        page_starts: outline.page_starts,
        metadata: outline.metadata,
        losses: outline.losses,
    })
}
