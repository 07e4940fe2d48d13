//! The `traceparent` header (W3C Trace Context level 2, section 3.2).

use http::HeaderMap;
use ragtrace_core::context::Caller;

use super::names::TRACEPARENT;
use super::value;

/// Returns the caller that the header names. Two headers name none, because nobody can tell which
/// one is meant (section 4.2).
pub(super) fn caller(headers: &HeaderMap) -> Option<Caller> {
    read(value::only(headers, &TRACEPARENT)?)
}

fn read(value: &[u8]) -> Option<Caller> {
    Caller::of_traceparent(str::from_utf8(value).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_with_bytes_that_no_header_may_have_names_no_caller() {
        let valid = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(read(valid).is_some());
        for at in [0, 2, 10, 53, 54] {
            for byte in [b'\r', b'\n', 0, b'\t', 0x7f, 0x80, 0xff, b'G'] {
                let mut broken = *valid;
                broken[at] = byte;
                assert_eq!(read(&broken), None, "{byte:#x} at {at}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_read_of_a_value_with_any_byte_is_what_it_says(at in 0..55_usize, byte: u8) {
            let mut value = *b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
            value[at] = byte;
            let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            match read(&value) {
                Some(caller) => {
                    prop_assert_eq!(caller.trace_id.to_hex().into_bytes(), &value[3..35]);
                    let span = caller.parent.map(|span| span.to_string()).unwrap_or_default();
                    prop_assert_eq!(span.as_bytes(), &value[36..52]);
                    prop_assert!(is_digit(byte) || byte == b'-');
                }
                // A header of a later version may have further parts.
                None => prop_assert!(!is_digit(byte) || at < 3 || [35, 52].contains(&at), "{byte:#x} at {at}"),
            }
        }
    }
}
