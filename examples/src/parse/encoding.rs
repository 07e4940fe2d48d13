//! Decodes bytes to text.
//!
//! The encoding is, in this order: the one of a byte order mark; UTF-16 if the bytes look like it
//! without a mark; UTF-8 if they are valid; in HTML, the `charset` that the page declares; else the
//! legacy encoding that `chardetng` (Firefox's detector) guesses, which is Windows-1252, a superset
//! of Latin-1, for Western European text. Text that contains control characters is binary data,
//! whatever it was decoded from.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use super::error::ParseError;

/// The length of the part of a page in which its declared encoding is looked for: the first 1024
/// bytes (HTML Standard, "determining the character encoding").
const HTML_PRESCAN_BYTES: usize = 1024;

/// Decodes plain text.
pub(super) fn decode(bytes: &[u8]) -> Result<String, ParseError> {
    decode_with(bytes, |_| None)
}

/// Decodes a web page, which may declare its encoding.
pub(super) fn decode_html(bytes: &[u8]) -> Result<String, ParseError> {
    decode_with(bytes, declared_in_html)
}

fn decode_with(bytes: &[u8], declared: impl Fn(&[u8]) -> Option<&'static Encoding>) -> Result<String, ParseError> {
    let text = if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        encoding.decode_without_bom_handling(&bytes[mark..]).0
    } else if let Some(encoding) = utf16_without_mark(bytes) {
        encoding.decode_without_bom_handling(bytes).0
    } else if let Ok(text) = std::str::from_utf8(bytes) {
        text.into()
    } else {
        let encoding = declared(bytes).unwrap_or_else(|| guess(bytes));
        encoding.decode_without_bom_handling(bytes).0
    };
    if is_binary(&text) { Err(ParseError::Binary) } else { Ok(text.into_owned()) }
}

/// Returns UTF-16's variant if every other byte is often zero, as in mostly Western text.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    let zeros = |first: usize| bytes.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let (high, low) = (zeros(0), zeros(1));
    let many = bytes.len() / 2 * 7 / 10;
    match (high, low) {
        (0, low) if low > 0 && low >= many => Some(UTF_16LE),
        (high, 0) if high > 0 && high >= many => Some(UTF_16BE),
        _ => None,
    }
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// Returns the encoding that follows the first `charset=`, as in `<meta charset="…">`.
fn declared_in_html(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes[..bytes.len().min(HTML_PRESCAN_BYTES)].to_ascii_lowercase();
    let key = b"charset=";
    let at = head.windows(key.len()).position(|window| window == key)? + key.len();
    let label: Vec<u8> = head[at..]
        .iter()
        .copied()
        .skip_while(|byte| matches!(byte, b'"' | b'\'' | b' '))
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':'))
        .collect();
    // If a page declares UTF-16 in ASCII bytes, the declaration is wrong. The standard would read
    // it as UTF-8, which it is not.
    Encoding::for_label(&label).filter(|encoding| *encoding != UTF_16LE && *encoding != UTF_16BE)
}

/// Returns `true` if the text contains a NUL, or more than one in a hundred characters that no text
/// has: controls, and bytes that could not be decoded.
fn is_binary(text: &str) -> bool {
    let mut strange = 0_usize;
    let mut total = 0_usize;
    for character in text.chars() {
        total += 1;
        match character {
            '\0' => return true,
            '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1a}' | '\u{1b}' | '\u{85}' => {}
            '\u{fffd}' => strange += 1,
            character if character.is_control() => strange += 1,
            _ => {}
        }
    }
    strange * 100 > total
}
