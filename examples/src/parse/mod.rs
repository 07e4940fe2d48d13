//! Reads a file into a [`Document`].
//!
//! The format comes from the file's extension, or from the receiver of an upload, and is not
//! guessed. The result contains text, or is an error that says why not. A hostile file costs at
//! most its own error: the work runs where it may block, and a parser that panics or does not
//! finish is an error too. A file that unpacks to more than fits into memory is not guarded
//! against.

mod encoding;
mod error;
mod html;
mod markdown;
mod outline;
mod quiet;
mod text;

pub mod pdf;

use std::fs;
use std::time::Duration;

pub use error::ParseError;

use crate::blocking;
use crate::document::{Document, Format};
use crate::source::Source;
use outline::Outline;

/// The settings of reading documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The time limit of reading a file. A book of a thousand pages takes seconds. A file that takes
    /// longer than the default, a minute, was made to: some parsers need time that grows with the
    /// square of the nesting depth.
    pub timeout: Duration,
}

impl Default for Reading {
    fn default() -> Self {
        Self { timeout: Duration::from_mins(1) }
    }
}

/// Reads the file of `source`. Work that exceeds the time limit continues on its own thread, since
/// nothing can stop it.
pub async fn parse(source: impl Into<Source>, reading: &Reading) -> Result<Document, ParseError> {
    let source = source.into();
    let work = blocking::run(move || parse_blocking(&source));
    let limit = reading.timeout;
    tokio::time::timeout(limit, work).await.unwrap_or(Err(ParseError::TooSlow(limit)))
}

fn parse_blocking(source: &Source) -> Result<Document, ParseError> {
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
    let format = source.format.ok_or(source.media_type.map_or(ParseError::Unsupported, ParseError::OtherFormat))?;
    let bytes = fs::read(path).map_err(ParseError::Read)?;
    let outline = outline_of(&bytes, format)?;
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

fn outline_of(bytes: &[u8], format: Format) -> Result<Outline, ParseError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ParseError::Empty);
    }
    let outline = match format {
        Format::Markdown => quiet::catch(|| Ok(markdown::outline(&encoding::decode(bytes)?)))?,
        Format::Text => text::outline(&encoding::decode(bytes)?),
        Format::Html => quiet::catch(|| Ok(html::outline(&encoding::decode_html(bytes)?)))?,
        Format::Pdf => pdf::outline(bytes, None, pdf::Engine::default(), &mut |_, _| {})?,
    };
    if outline.text.trim().is_empty() {
        return Err(if format == Format::Pdf { ParseError::OnlyPictures } else { ParseError::Empty });
    }
    Ok(outline)
}
