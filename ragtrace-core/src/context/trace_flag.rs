//! The flags of a `traceparent` header (W3C Trace Context level 2, section 3.2.2). Other flags are
//! reserved and sent as zero.

use crate::TraceId;

/// The caller may have recorded its part of the trace.
pub const SAMPLED: u8 = 1;
/// The lower 56 bits of the trace id are random. Participants in the trace keep this flag as it is.
pub const RANDOM: u8 = 1 << 1;
/// The flags that are sent on, and the flags of a trace that begins here with an id that this crate
/// created.
pub const KNOWN: u8 = SAMPLED | RANDOM;

/// Returns the flags of a trace whose id may not be random.
pub const fn of_sampled(is_sampled: bool) -> u8 {
    if is_sampled { SAMPLED } else { 0 }
}

/// Returns the flags of a trace that begins here with the given id.
///
/// The id counts as random if it is a UUID of version 4 or 7, whose lower 62 bits are random (RFC
/// 9562, sections 5.4 and 5.7).
pub(super) fn of_id(id: TraceId) -> u8 {
    if matches!(id.as_uuid().get_version_num(), 4 | 7) { KNOWN } else { SAMPLED }
}
