//! The body of a request, compressed while it is written.
//!
//! An encoder appends to [`BodyWriter::staged`] and calls [`BodyWriter::settle`] after each record:
//! it writes into memory that is compressed in pieces, and nothing is ever there twice. Buffers and
//! the compressors' states, which are some hundred KiB, are used again for the next body.

mod gzip;
mod spare;
mod writer;
#[cfg(feature = "langsmith")]
mod zstd;

pub use writer::{Body, BodyWriter, Compression};
