//! Datadog's headers: `x-datadog-trace-id`, `x-datadog-parent-id`, `x-datadog-sampling-priority`
//! and `x-datadog-tags` ("Trace Context Propagation" in the documentation of its tracers).

use http::HeaderMap;
use ragtrace_core::context::{Caller, trace_flag};

use super::names::{DATADOG_PARENT_ID, DATADOG_SAMPLING_PRIORITY, DATADOG_TAGS, DATADOG_TRACE_ID};
use super::value;
use crate::{SpanId, TraceId};

/// The tag with the upper 64 bits of the trace id, as 16 hex digits.
pub(crate) const UPPER_BITS: &str = "_dd.p.tid";
/// The maximum length of all tags in bytes (`DD_TRACE_X_DATADOG_TAGS_MAX_LENGTH`).
const MOST_OF_TAGS: usize = 512;

/// Returns the caller that the headers name: a trace, and a span in it unless that is missing or 0.
pub(super) fn caller(headers: &HeaderMap) -> Option<Caller> {
    let lower = value::only(headers, &DATADOG_TRACE_ID).and_then(decimal).filter(|lower| *lower != 0)?;
    let upper = value::only(headers, &DATADOG_TAGS).and_then(upper_bits).unwrap_or(0);
    let parent = value::only(headers, &DATADOG_PARENT_ID).and_then(decimal).and_then(SpanId::from_u64);
    let priority = value::only(headers, &DATADOG_SAMPLING_PRIORITY);
    Some(Caller {
        trace_id: TraceId::from_u128(u128::from(upper) << 64 | u128::from(lower))?,
        parent,
        flags: trace_flag::of_sampled(!matches!(priority, Some(b"0" | b"-1"))),
    })
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

fn upper_bits(tags: &[u8]) -> Option<u64> {
    let tags = Some(tags).filter(|tags| tags.len() <= MOST_OF_TAGS)?;
    let mut tags = tags.split(|byte| *byte == b',').map(value::trimmed);
    tags.find_map(|tag| tag.strip_prefix(UPPER_BITS.as_bytes())?.strip_prefix(b"=")).and_then(value::hex_64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_decimal_digits_of_64_bits() {
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(decimal(b"007"), Some(7));
        for other in [
            &b""[..],
            b"18446744073709551616",
            b"+1",
            b"-1",
            b"1f",
            b"1 ",
            b"1\r",
            b"1\0",
            b"\xff",
            &b"9".repeat(40_000),
        ] {
            assert_eq!(decimal(other), None);
        }
    }

    #[test]
    fn upper_bits_are_one_tag_of_several() {
        let of = |tags: &str| upper_bits(tags.as_bytes());
        assert_eq!(of("_dd.p.dm=-1, _dd.p.tid=640cfd8d00000000"), Some(0x640c_fd8d_0000_0000));
        assert_eq!(of("_dd.p.tidy=640cfd8d00000000"), None);
        assert_eq!(of("_dd.p.tid=640CFD8D00000000"), None);
        assert_eq!(of("_dd.p.tid=1"), None);
        assert_eq!(of(&format!("a={},_dd.p.tid=640cfd8d00000000", "b".repeat(500))), None);
    }

    proptest! {
        #[test]
        fn a_number_is_the_one_that_its_digits_are(text in "[0-9]{1,21}|[0-9+ -]{0,12}") {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            prop_assert_eq!(decimal(text.as_bytes()), text.parse().ok().filter(|_| is_number));
        }

        #[test]
        fn upper_bits_of_a_tag_with_any_byte_are_those_that_it_says(at in 0..38_usize, byte: u8) {
            let mut tags = *b"_dd.p.dm=-1,_dd.p.tid=640cfd8d00000000";
            tags[at] = byte;
            match upper_bits(&tags) {
                Some(bits) => prop_assert_eq!(format!("{bits:016x}").into_bytes(), &tags[22..]),
                None => prop_assert!(at >= 11, "{byte:#x} at {at}"),
            }
        }
    }
}
