//! Reads a file into a [`Document`].
//!
//! The format comes from the file's content, and then from its name ([`format`](crate::format)).
//! The result contains text, or is an error that says why not. A hostile file costs at most its own
//! error: the size is looked at first, and a format whose parser a file can mislead is read in a
//! [process of its own](child), with limits on its memory, computing and output. The memory is
//! shared with all other documents ([`Memory`]).

pub mod child;
pub mod pdf;

mod csv;
mod encoding;
mod error;
mod flow;
mod front_matter;
mod html;
mod joining;
mod layout;
mod markdown;
mod memory;
#[cfg(feature = "office")]
mod office;
mod outline;
mod quiet;
mod read;
mod reading;
mod rst;
mod text;

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

pub use encoding::{TextEncoding, UnknownEncoding};
pub use error::ParseError;
pub use memory::{Memory, Room};
pub use reading::{OnProgress, Password, Progress, Reader, Reading};

use crate::blocking;
use crate::document::{Document, Format};
use crate::format::{Content, HEAD, recognize};
use crate::source::Source;
use read::read;
use reading::Task;

/// The memory that a document takes from its text to its stored chunks, in bytes for each byte of
/// text and other facts: the text, and its chunks with what is known about them. Vectors are made
/// for a part of the chunks at a time.
const MEMORY_PER_TEXT: u64 = 4;

/// The largest size of a plain text that is read in this process, in bytes. No parser looks at it,
/// and the start of a process would take longer than reading.
const SMALL_TEXT: u64 = 1 << 20;

/// The size of a compressed text before it was compressed, as a multiple of that after it.
const USUAL_PACKING: u64 = 6;

/// Reads the file of `source`.
///
/// If this is dropped, nothing of it goes on, except with [`Reader::InProcess`].
pub async fn parse(source: impl Into<Source>, reading: &Reading) -> Result<Document, ParseError> {
    let source = source.into();
    let (source, File { bytes, content }) = blocking::run(move || look_at(&source).map(|file| (source, file))).await?;
    let format = match content {
        Content::Document(format) => format,
        Content::Gzip | Content::Zip | Content::Other(_) => source.format.unwrap_or(Format::Text),
    };
    let source = source.with_format(format);
    let limit = reading.max_bytes(format);
    if bytes > limit {
        return Err(ParseError::TooLarge { bytes, limit });
    }
    let memory = &reading.memory;
    let is_small = content == Content::Document(Format::Text) && bytes <= SMALL_TEXT;
    let unpacked = if content == Content::Gzip { bytes.saturating_mul(USUAL_PACKING) } else { bytes };
    let mut room = memory.room(usual_memory(format, unpacked)).await;
    let mut outcome = read_in(&room, &source, is_small, reading).await;
    if room.bytes() < memory.bytes() && outcome.as_ref().is_err_and(ParseError::wants_memory) {
        drop(room);
        room = memory.room(memory.bytes()).await;
        outcome = read_in(&room, &source, is_small, reading).await;
    }
    let mut document = outcome?;
    room.shrink(document.size().saturating_mul(MEMORY_PER_TEXT));
    document.room = Some(Arc::new(room));
    Ok(document)
}

/// Returns the memory in bytes that reading a sound file of this size takes, which is more than it
/// does for nearly all.
fn usual_memory(format: Format, bytes: u64) -> u64 {
    let (least, per_byte) = match format {
        Format::Text => (4 << 20, 8),
        Format::Markdown | Format::Csv | Format::Rst => (16 << 20, 16),
        Format::Html => (16 << 20, 24),
        Format::Pdf => (64 << 20, 4),
        Format::Docx | Format::Pptx | Format::Spreadsheet | Format::Epub => (64 << 20, 64),
    };
    bytes.saturating_mul(per_byte).saturating_add(least)
}

/// Reads the file of `source` within `room`, in this process if it is a small text.
async fn read_in(room: &Room, source: &Source, is_small: bool, reading: &Reading) -> Result<Document, ParseError> {
    let limits =
        child::Limits { memory: room.bytes(), computing: reading.timeout, max_text: room.bytes() / MEMORY_PER_TEXT };
    match &reading.reader {
        Reader::Child(program) if !is_small => {
            let request = child::Request { source: source.clone(), reading: reading.clone(), limits };
            child::read(program, &request).await
        }
        _ => here(source.clone(), reading.clone(), limits.max_text).await,
    }
}

/// Reads the file of `source` on a thread of this process.
async fn here(source: Source, reading: Reading, max_text: u64) -> Result<Document, ParseError> {
    let timeout = reading.timeout;
    let work = blocking::run(move || {
        let on_progress = |progress| reading.on_progress.tell(&source, progress);
        read_file(&source, &Task { reading: &reading, on_progress: &on_progress, max_text })
    });
    tokio::time::timeout(timeout, work).await.unwrap_or(Err(ParseError::TooSlow(timeout)))
}

/// A file, as far as its size and its first bytes tell.
struct File {
    bytes: u64,
    content: Content,
}

/// Looks at the size and the first bytes of the file of `source`.
fn look_at(source: &Source) -> Result<File, ParseError> {
    let metadata = fs::metadata(&source.path).map_err(ParseError::Read)?;
    if metadata.is_dir() {
        // Folders are walked before. A folder that gets here could not be listed, and this returns
        // the reason.
        fs::read_dir(&source.path).map_err(ParseError::Read)?;
    }
    // Reading a pipe or a device might never end.
    if !metadata.is_file() {
        return Err(ParseError::NotAFile);
    }
    let head = bytes_of(source, HEAD as u64).map_err(ParseError::Read)?;
    Ok(File { bytes: metadata.len(), content: recognize(&head, Path::new(&source.name())) })
}

/// Reads the file of `source`, which may take any time and memory.
fn read_file(source: &Source, task: &Task<'_>) -> Result<Document, ParseError> {
    let limit = task.reading.max_bytes(source.format.unwrap_or(Format::Text));
    let bytes = bytes_of(source, limit).map_err(ParseError::Read)?;
    let size = bytes.len() as u64;
    if size > limit {
        return Err(ParseError::TooLarge { bytes: size, limit });
    }
    let path = source.known_by(&bytes);
    let (format, outline) = read(&bytes, &source.name(), task)?;
    let document = Document {
        path,
        name: source.name(),
        format,
        bytes: size,
        text: outline.text,
        headings: outline.headings,
        page_starts: outline.page_starts,
        metadata: outline.metadata,
        losses: outline.losses,
        room: None,
    };
    let is_too_large = document.size() > task.max_text;
    if is_too_large { Err(ParseError::TooMuchText(task.max_text)) } else { Ok(document) }
}

/// Reads a little more than `limit` bytes of a file that is longer: it may have grown, or be no
/// file any more.
fn bytes_of(source: &Source, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(&source.path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
