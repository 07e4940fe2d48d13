//! B3, the headers of Zipkin (`openzipkin/b3-propagation`): the single header `b3`, which takes
//! precedence, or `X-B3-TraceId`, `X-B3-SpanId`, `X-B3-Sampled` and `X-B3-Flags`.

use http::HeaderMap;
use ragtrace_core::context::{Caller, trace_flag};

use super::names::{B3, B3_FLAGS, B3_SAMPLED, B3_SPAN_ID, B3_TRACE_ID};
use super::value;
use crate::{SpanId, TraceId};

/// Returns the caller that the headers name.
pub(super) fn caller(headers: &HeaderMap) -> Option<Caller> {
    value::only(headers, &B3).and_then(of_single).or_else(|| {
        let (trace_id, span_id) = (value::only(headers, &B3_TRACE_ID)?, value::only(headers, &B3_SPAN_ID)?);
        of_ids(trace_id, span_id, verdict_of_several(headers))
    })
}

/// Returns the sampling decision in the headers, which may be there without a trace (`b3: 0`).
pub(super) fn verdict(headers: &HeaderMap) -> Option<bool> {
    value::only(headers, &B3).and_then(sampled).or_else(|| verdict_of_several(headers))
}

/// Parses `{trace}-{span}`, optionally followed by `-{sampled}` and `-{parent}`.
fn of_single(value: &[u8]) -> Option<Caller> {
    let mut parts = value.split(|byte| *byte == b'-');
    let (trace_id, span_id) = (parts.next()?, parts.next()?);
    let verdict = parts.next().map(sampled);
    let parent = parts.next().map(value::hex_64);
    let is_whole = verdict != Some(None) && parent != Some(None) && parts.next().is_none();
    of_ids(trace_id, span_id, verdict.flatten()).filter(|_| is_whole)
}

fn of_ids(trace_id: &[u8], span_id: &[u8], verdict: Option<bool>) -> Option<Caller> {
    let (upper, lower) = match trace_id.len() {
        // A 64-bit id is the lower half of a 128-bit id.
        16 => (0, value::hex_64(trace_id)?),
        32 => (value::hex_64(&trace_id[..16])?, value::hex_64(&trace_id[16..])?),
        _ => return None,
    };
    Some(Caller {
        trace_id: TraceId::from_u128(u128::from(upper) << 64 | u128::from(lower))?,
        parent: Some(SpanId::from_u64(value::hex_64(span_id)?)?),
        flags: trace_flag::of_sampled(verdict.unwrap_or(true)),
    })
}

fn verdict_of_several(headers: &HeaderMap) -> Option<bool> {
    let is_debug = value::only(headers, &B3_FLAGS) == Some(b"1");
    if is_debug { Some(true) } else { value::only(headers, &B3_SAMPLED).and_then(sampled) }
}

/// Parses a sampling decision. The debug flag implies sampling; `true` and `false` are sent by
/// older tracers and have to be accepted.
fn sampled(verdict: &[u8]) -> Option<bool> {
    match verdict {
        b"1" | b"d" | b"true" => Some(true),
        b"0" | b"false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
    const SPAN: &str = "e457b5a2e4d86bd1";

    #[test]
    fn a_single_header_has_two_to_four_parts() {
        let of = |text: String| of_single(text.as_bytes()).map(|caller| (caller.trace_id.to_hex(), caller.flags));
        let sampled = Some((TRACE.to_owned(), 1));
        let not_sampled = Some((TRACE.to_owned(), 0));
        assert_eq!(of(format!("{TRACE}-{SPAN}")), sampled);
        assert_eq!(of(format!("{TRACE}-{SPAN}-1")), sampled);
        assert_eq!(of(format!("{TRACE}-{SPAN}-d")), sampled);
        assert_eq!(of(format!("{TRACE}-{SPAN}-0")), not_sampled);
        assert_eq!(of(format!("{TRACE}-{SPAN}-0-05e3ac9a4f6e3b90")), not_sampled);
        let padded = format!("{}{}", "0".repeat(16), &TRACE[16..]);
        assert_eq!(of(format!("{}-{SPAN}-1", &TRACE[16..])), Some((padded, 1)));
        for malformed in [
            String::new(),
            "0".to_owned(),
            TRACE.to_owned(),
            format!("{TRACE}-"),
            format!("{TRACE}-{SPAN}-"),
            format!("{TRACE}-{SPAN}-2"),
            format!("{TRACE}-{SPAN}-1-"),
            format!("{TRACE}-{SPAN}-1-05e3ac9a4f6e3b90-"),
            format!("{TRACE}-{SPAN}-1-05e3"),
            format!("{}-{SPAN}-1", "0".repeat(32)),
            format!("{TRACE}-{}-1", "0".repeat(16)),
            format!("{}-{SPAN}-1", &TRACE[1..]),
            format!("{}-{SPAN}-1", TRACE.to_uppercase()),
        ] {
            assert_eq!(of(malformed.clone()), None, "{malformed:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_of_a_value_with_any_byte_is_what_it_says(at in 0..51_usize, byte: u8) {
            let mut value = format!("{TRACE}-{SPAN}-1").into_bytes();
            value[at] = byte;
            let is_digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            match of_single(&value) {
                Some(caller) => {
                    prop_assert_eq!(caller.trace_id.to_hex().into_bytes(), &value[..32]);
                    let span = caller.parent.map(|span| span.to_string()).unwrap_or_default();
                    prop_assert_eq!(span.as_bytes(), &value[33..49]);
                    prop_assert!(is_digit || byte == b'-');
                }
                None => prop_assert!(!is_digit || at >= 49 || at == 32, "{byte:#x} at {at}"),
            }
        }
    }
}
