//! Values of headers as bytes, because hyper accepts values that are not UTF-8.

use http::{HeaderMap, HeaderName};
use ragtrace_core::id;

/// Returns the value of a header that is present exactly once, without the white space around it.
pub(super) fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then(|| trimmed(first.as_bytes()))
}

/// Returns a value without the optional white space around it (RFC 9110, section 5.6.3).
pub(super) fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Returns the members of the list that all lines of a header form together (RFC 9110, sections 5.3
/// and 5.6.1), leaving out empty ones.
pub(super) fn members<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(name).into_iter();
    lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).map(trimmed).filter(|member| !member.is_empty())
}

/// Parses exactly 16 lower-case hex digits.
pub(super) fn hex_64(digits: &[u8]) -> Option<u64> {
    (digits.len() == 16).then(|| id::number_of(digits)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_taken_off_both_ends_and_nothing_else_is() {
        assert_eq!(trimmed(b" \t a b\t "), b"a b");
        assert_eq!(trimmed(b"\r\na\0"), b"\r\na\0");
        assert_eq!(trimmed(b" \t "), b"");
    }

    #[test]
    fn a_number_has_16_lower_case_digits() {
        assert_eq!(hex_64(b"00000000000000ff"), Some(255));
        for other in [&b"ff"[..], b"00000000000000FF", b"+0000000000000ff", b"00000000000000\xff\xff", b""] {
            assert_eq!(hex_64(other), None);
        }
    }
}
