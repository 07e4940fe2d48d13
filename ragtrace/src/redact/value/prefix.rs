//! Skips prefixes of values: spaces, YAML tags, and the letters of a string literal.

use super::quoted::quote_at;

/// Skips the prefix directly before a string, such as `b` of a byte string or `!!str` of YAML.
pub(super) fn skip_prefix(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    // A tag or an anchor of YAML.
    while matches!(bytes.get(at), Some(b'!' | b'&')) {
        let word =
            bytes[at + 1..].iter().take(64).take_while(|byte| byte.is_ascii_alphanumeric() || b"!/:_-.".contains(byte));
        let end = at + 1 + word.count();
        if bytes.get(end) == Some(&b' ') && end > at + 1 && bytes.get(end + 1) != Some(&b'=') {
            at = end + 1;
        } else if quote_at(bytes, at + 1).is_some() {
            return at + 1;
        } else {
            break;
        }
    }
    // The type of a list in Go: `[]string{`.
    if let Some(rest) = bytes[at..].strip_prefix(b"[]") {
        let word =
            rest.iter().take(64).take_while(|byte| byte.is_ascii_alphanumeric() || b"*._".contains(byte)).count();
        if word > 0 && matches!(rest.get(word), Some(b'{' | b'(')) {
            return at + 2 + word;
        }
    }
    let letters =
        bytes[at..].iter().take(3).take_while(|byte| b"brfuNLc@$".contains(&byte.to_ascii_lowercase())).count();
    let hashes = bytes[at + letters..].iter().take(8).take_while(|byte| **byte == b'#').count();
    let quote = at + letters + hashes;
    if letters > 0 && matches!(bytes.get(quote), Some(b'"' | b'\'' | b'\\')) && quote_at(bytes, quote).is_some() {
        return quote;
    }
    at
}

/// Returns the length of the whitespace at the beginning of the bytes, which may be escaped as in a
/// string, any number of times.
pub(super) fn whitespace(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match bytes.get(at) {
            Some(byte) if byte.is_ascii_whitespace() => at += 1,
            Some(b'\\') => {
                let run = bytes[at..].iter().take_while(|byte| **byte == b'\\').count();
                if !matches!(bytes.get(at + run), Some(b'n' | b'r' | b't')) {
                    return at;
                }
                at += run + 1;
            }
            _ => return at,
        }
    }
}
