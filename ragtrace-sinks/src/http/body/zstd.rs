//! Compresses to zstd (RFC 8878) by the C library that servers use too, since the encoders in Rust
//! are either young or slow.

use zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer, ResetDirective, get_error_name};

/// The least space for the output of one step, in bytes.
const STEP: usize = 16 * 1024;

/// A compressor, which is created with the first bytes.
pub(super) struct Zstd {
    level: i32,
    context: Option<CCtx<'static>>,
}

impl Zstd {
    pub(super) fn new(level: i32) -> Self {
        Self { level, context: None }
    }

    /// Compresses all of `input`, and ends the stream if `is_last` is set.
    pub(super) fn compress(&mut self, input: &[u8], output: &mut Vec<u8>, is_last: bool) -> Result<(), &'static str> {
        let context = match &mut self.context {
            Some(context) => context,
            none => none.insert(context(self.level)?),
        };
        let mut input = InBuffer::around(input);
        let end = if is_last { ZSTD_EndDirective::ZSTD_e_end } else { ZSTD_EndDirective::ZSTD_e_continue };
        loop {
            output.reserve(STEP);
            let filled = output.len();
            let mut room = OutBuffer::around_pos(output, filled);
            let left = context.compress_stream2(&mut room, &mut input, end).map_err(get_error_name)?;
            if input.pos() == input.src.len() && (left == 0 || !is_last) {
                return Ok(());
            }
        }
    }

    /// Prepares for another stream.
    pub(super) fn reset(&mut self) -> Result<(), &'static str> {
        match &mut self.context {
            Some(context) => context.reset(ResetDirective::SessionOnly).map(drop).map_err(get_error_name),
            None => Ok(()),
        }
    }
}

fn context(level: i32) -> Result<CCtx<'static>, &'static str> {
    let mut context = CCtx::try_create().ok_or("no memory is left")?;
    context.set_parameter(CParameter::CompressionLevel(level)).map_err(get_error_name)?;
    Ok(context)
}
