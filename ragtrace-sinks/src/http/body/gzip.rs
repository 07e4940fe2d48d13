//! Compresses to gzip (RFC 1952).

use zlib_rs::{Deflate, DeflateConfig, DeflateError, DeflateFlush, Status};

/// 16 selects gzip's header and checksum, and 15 the largest window, 32 KiB (zlib, `deflateInit2`).
const WINDOW_BITS: i32 = 16 + 15;
/// The least space for the output of one step, in bytes.
const STEP: usize = 16 * 1024;

/// A compressor, and the filled length of its output.
pub(super) struct Gzip {
    deflate: Deflate,
    filled: usize,
}

impl Gzip {
    pub(super) fn new(level: u8) -> Self {
        let config = DeflateConfig { level: level.into(), window_bits: WINDOW_BITS, ..DeflateConfig::default() };
        Self { deflate: Deflate::new_with_config(config), filled: 0 }
    }

    /// Compresses all of `input`, and ends the stream if `is_last` is set. Until then `output` has
    /// spare bytes at its end; afterwards it has exactly the stream's length.
    pub(super) fn compress(
        &mut self,
        mut input: &[u8],
        output: &mut Vec<u8>,
        is_last: bool,
    ) -> Result<(), DeflateError> {
        let flush = if is_last { DeflateFlush::Finish } else { DeflateFlush::NoFlush };
        while is_last || !input.is_empty() {
            if output.len() - self.filled < STEP {
                output.resize(self.filled + 4 * STEP, 0);
            }
            let (read, written) = (self.deflate.total_in(), self.deflate.total_out());
            let status = self.deflate.compress(input, &mut output[self.filled..], flush)?;
            input = &input[usize::try_from(self.deflate.total_in() - read).unwrap_or(input.len())..];
            self.filled += usize::try_from(self.deflate.total_out() - written).unwrap_or_default();
            if status == Status::StreamEnd {
                output.truncate(self.filled);
                break;
            }
        }
        Ok(())
    }

    /// Prepares for another stream.
    pub(super) fn reset(&mut self) {
        self.deflate.reset();
        self.filled = 0;
    }
}
