//! The writer of a body, and the finished body.

use std::fmt;
use std::io;
use std::sync::Arc;

use hyper::body::Bytes;

use super::gzip::Gzip;
use super::spare::Spare;
#[cfg(feature = "langsmith")]
use super::zstd::Zstd;

/// The least number of bytes that are compressed at once, since calls of a compressor are expensive
/// for a few bytes.
const PIECE: usize = 64 * 1024;
/// The capacity above which a buffer is freed and not kept for reuse.
const LARGEST_SPARE: usize = 8 * 1024 * 1024;

/// The way that bodies are compressed. Clones share the memory for reuse.
#[derive(Clone)]
pub struct Compression {
    method: Method,
    spare: Arc<SpareParts>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    None,
    Gzip(u8),
    #[cfg(feature = "langsmith")]
    Zstd(i32),
}

struct SpareParts {
    buffers: Spare<Vec<u8>>,
    encoders: Spare<Encoder>,
}

enum Encoder {
    Gzip(Gzip),
    #[cfg(feature = "langsmith")]
    Zstd(Zstd),
}

impl Compression {
    /// A level for [`gzip`](Self::gzip) that takes little time.
    pub const FAST: u8 = 1;

    /// Returns a compression that leaves bodies as they are.
    pub fn none() -> Self {
        Self::new(Method::None)
    }

    /// Returns a compression to gzip, at a level from 1 (fast) to 9 (small).
    pub fn gzip(level: u8) -> Self {
        Self::new(Method::Gzip(level.clamp(1, 9)))
    }

    /// Returns a compression to zstd, at a level from 1 (fast) to 22 (small).
    #[cfg(feature = "langsmith")]
    pub fn zstd(level: i32) -> Self {
        Self::new(Method::Zstd(level.clamp(1, 22)))
    }

    fn new(method: Method) -> Self {
        Self { method, spare: Arc::new(SpareParts { buffers: Spare::new(8), encoders: Spare::new(2) }) }
    }

    /// Begins a body.
    pub fn begin(&self) -> BodyWriter {
        let buffer = || self.spare.buffers.take().unwrap_or_default();
        let output = if self.method == Method::None { Vec::new() } else { buffer() };
        BodyWriter { compression: self.clone(), staged: buffer(), output, encoder: None, compressed: 0, fault: None }
    }

    /// Returns the value of `Content-Encoding`, or `None` without compression.
    pub fn encoding(&self) -> Option<&'static str> {
        match self.method {
            Method::None => None,
            Method::Gzip(_) => Some("gzip"),
            #[cfg(feature = "langsmith")]
            Method::Zstd(_) => Some("zstd"),
        }
    }

    fn encoder(&self) -> Option<Encoder> {
        self.spare.encoders.take().or_else(|| match self.method {
            Method::None => None,
            Method::Gzip(level) => Some(Encoder::Gzip(Gzip::new(level))),
            #[cfg(feature = "langsmith")]
            Method::Zstd(level) => Some(Encoder::Zstd(Zstd::new(level))),
        })
    }
}

impl fmt::Debug for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.method.fmt(f)
    }
}

impl Encoder {
    fn compress(&mut self, input: &[u8], output: &mut Vec<u8>, is_last: bool) -> Result<(), String> {
        match self {
            Self::Gzip(gzip) => gzip.compress(input, output, is_last).map_err(|error| error.as_str().to_owned()),
            #[cfg(feature = "langsmith")]
            Self::Zstd(zstd) => zstd.compress(input, output, is_last).map_err(str::to_owned),
        }
    }

    /// Prepares for another body. Returns `false` if that is not possible.
    fn reset(&mut self) -> bool {
        match self {
            Self::Gzip(gzip) => gzip.reset(),
            #[cfg(feature = "langsmith")]
            Self::Zstd(zstd) => return zstd.reset().is_ok(),
        }
        true
    }
}

/// A body that is being written.
pub struct BodyWriter {
    compression: Compression,
    staged: Vec<u8>,
    output: Vec<u8>,
    encoder: Option<Encoder>,
    /// The number of written bytes that are compressed into `output` already.
    compressed: usize,
    fault: Option<String>,
}

impl BodyWriter {
    /// Returns the buffer to append to. What was appended since the last [`settle`](Self::settle)
    /// may be changed or removed. Bytes before that may still be in the buffer, and have to stay.
    pub fn staged(&mut self) -> &mut Vec<u8> {
        &mut self.staged
    }

    /// Ends a part of the body, and compresses the staged bytes if there are enough.
    pub fn settle(&mut self) {
        if self.staged.len() >= PIECE && self.compression.method != Method::None {
            self.compress(false);
        }
    }

    /// Returns the number of bytes written, before compression.
    pub fn uncompressed_len(&self) -> usize {
        self.compressed + self.staged.len()
    }

    fn compress(&mut self, is_last: bool) {
        if self.fault.is_none()
            && let Err(why) = self.try_to_compress(is_last)
        {
            self.fault = Some(why);
        }
        self.compressed += self.staged.len();
        self.staged.clear();
    }

    fn try_to_compress(&mut self, is_last: bool) -> Result<(), String> {
        if self.encoder.is_none() {
            self.encoder = self.compression.encoder();
        }
        match &mut self.encoder {
            Some(encoder) => encoder.compress(&self.staged, &mut self.output, is_last),
            None => Ok(()),
        }
    }

    /// Ends the body.
    ///
    /// # Errors
    ///
    /// Returns an error if the body could not be compressed, for example for lack of memory.
    pub fn finish(mut self) -> io::Result<Body> {
        let spare = Arc::clone(&self.compression.spare);
        let uncompressed_len = self.uncompressed_len();
        let output = if self.compression.method == Method::None {
            self.staged
        } else {
            self.compress(true);
            if let Some(why) = self.fault {
                return Err(io::Error::other(format!("cannot compress a request: {why}")));
            }
            if let Some(mut encoder) = self.encoder
                && encoder.reset()
            {
                spare.encoders.give(encoder);
            }
            give_back(&spare, self.staged);
            self.output
        };
        let bytes = Bytes::from_owner(Lent { buffer: output, spare });
        Ok(Body { bytes, uncompressed_len, encoding: self.compression.encoding() })
    }
}

impl io::Write for BodyWriter {
    /// Appends bytes, and settles them.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.staged.extend_from_slice(bytes);
        self.settle();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for BodyWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("BodyWriter");
        shown.field("compression", &self.compression).field("uncompressed_len", &self.uncompressed_len());
        shown.finish_non_exhaustive()
    }
}

fn give_back(spare: &SpareParts, mut buffer: Vec<u8>) {
    if buffer.capacity() > 0 && buffer.capacity() <= LARGEST_SPARE {
        buffer.clear();
        spare.buffers.give(buffer);
    }
}

/// A buffer that returns to the spare ones when it is dropped.
struct Lent {
    buffer: Vec<u8>,
    spare: Arc<SpareParts>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        give_back(&self.spare, std::mem::take(&mut self.buffer));
    }
}

/// A finished body. Clones share its bytes.
#[derive(Clone, Debug, Default)]
pub struct Body {
    bytes: Bytes,
    uncompressed_len: usize,
    encoding: Option<&'static str>,
}

impl Body {
    /// Creates a body from bytes that are sent as they are.
    pub fn plain(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = Bytes::from(bytes.into());
        Self { uncompressed_len: bytes.len(), bytes, encoding: None }
    }

    /// Returns the bytes to send.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Returns the number of bytes written, before compression.
    pub fn uncompressed_len(&self) -> usize {
        self.uncompressed_len
    }

    /// Returns the value of `Content-Encoding`, or `None` without compression.
    pub fn encoding(&self) -> Option<&'static str> {
        self.encoding
    }
}
