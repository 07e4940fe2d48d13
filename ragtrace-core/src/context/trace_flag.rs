//! The flags of a `traceparent` (W3C Trace Context level 2, section 3.2.2). The others are
//! reserved, and sent as zero.

use crate::TraceId;

/// The caller may have recorded its part of the trace.
pub const SAMPLED: u8 = 1;
/// The lower 56 bits of the trace's id are random. Whoever goes on with a trace leaves it as it is.
pub const RANDOM: u8 = 1 << 1;
/// The flags that are sent on; and those of a trace that begins here, under an id of ours.
pub const KNOWN: u8 = SAMPLED | RANDOM;

/// Returns the flags of a trace of whose id nothing is known.
pub const fn of_sampled(is_sampled: bool) -> u8 {
    if is_sampled { SAMPLED } else { 0 }
}

/// Returns the flags of a trace that begins here. An id is known to be random if it is a UUID of a
/// version that is: the lower 62 bits of versions 4 and 7 are (RFC 9562, sections 5.4 and 5.7).
pub(super) fn of_id(id: TraceId) -> u8 {
    if matches!(id.as_uuid().get_version_num(), 4 | 7) { KNOWN } else { SAMPLED }
}
