//! The body of a request, compressed while it is written.
//!
//! An encoder appends to [`BodyWriter::staged`] and calls [`BodyWriter::settle`] after each record.
//! The staged memory is compressed piece by piece, so nothing is in memory twice. Buffers and
//! compressor states, which take some hundred KiB, are reused for the next body.

mod gzip;
mod spare;
mod writer;
#[cfg(feature = "langsmith")]
mod zstd;

pub use writer::{Body, BodyWriter, Compression};
