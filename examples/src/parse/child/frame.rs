//! Frames between the two processes: a byte for the kind, four for the length (little endian), and
//! the content.
//!
//! A process sends any number of [`PROGRESS`], and then either [`TEXT`] and [`DOCUMENT`], or
//! [`ERROR`]. The text is apart from the rest of its document because it is large and needs no
//! encoding.

use std::io::{self, Read, Write};

use tokio::io::{AsyncRead, AsyncReadExt};

/// A [`Request`](super::Request) as JSON.
pub(super) const REQUEST: u8 = b'r';
/// A [`Progress`](crate::parse::Progress) as JSON.
pub(super) const PROGRESS: u8 = b'p';
/// The text of a document.
pub(super) const TEXT: u8 = b't';
/// A document without its text, as JSON.
pub(super) const DOCUMENT: u8 = b'd';
/// A [`ParseError`](crate::parse::ParseError) as JSON.
pub(super) const ERROR: u8 = b'e';

/// The length of a frame's head.
const HEAD: usize = 5;

/// Returns the head of a frame.
pub(super) fn head(kind: u8, length: usize) -> io::Result<[u8; HEAD]> {
    let length = u32::try_from(length).map_err(|_| io::Error::other("more than 4 GiB at once"))?;
    let [a, b, c, d] = length.to_le_bytes();
    Ok([kind, a, b, c, d])
}

/// Returns the kind and the length of a frame.
fn parts([kind, length @ ..]: [u8; HEAD]) -> (u8, u32) {
    (kind, u32::from_le_bytes(length))
}

/// Writes a frame.
pub(super) fn write(out: &mut impl Write, kind: u8, content: &[u8]) -> io::Result<()> {
    out.write_all(&head(kind, content.len())?)?;
    out.write_all(content)?;
    out.flush()
}

/// Reads a frame, and returns its kind and content.
pub(super) fn read(input: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; HEAD];
    input.read_exact(&mut head)?;
    let (kind, length) = parts(head);
    let mut content = Vec::new();
    input.take(length.into()).read_to_end(&mut content)?;
    Ok((kind, content))
}

/// The reason why there is no further frame.
pub(super) enum End {
    /// The process has closed its output, or died.
    Closed,
    /// The frame is longer than the limit.
    TooLong,
}

/// Reads a frame of at most `limit` bytes, and returns its kind and content.
pub(super) async fn receive(input: &mut (impl AsyncRead + Unpin), limit: u64) -> Result<(u8, Vec<u8>), End> {
    let mut head = [0; HEAD];
    input.read_exact(&mut head).await.map_err(|_| End::Closed)?;
    let (kind, length) = parts(head);
    if u64::from(length) > limit {
        return Err(End::TooLong);
    }
    // A vector that grows would take up to twice the memory. What is announced and never comes
    // takes only addresses.
    let mut content = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    input.take(length.into()).read_to_end(&mut content).await.map_err(|_| End::Closed)?;
    if content.len() as u64 == u64::from(length) { Ok((kind, content)) } else { Err(End::Closed) }
}
