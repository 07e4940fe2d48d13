//! From bytes to text.
//!
//! In this order: a byte order mark decides; else bytes without a mark that look like UTF-16 are
//! that; else valid UTF-8 is UTF-8; else, in HTML, the `charset` that the page declares; else
//! `chardetng` (the detector of Firefox) guesses the legacy encoding, Windows-1252 for Western
//! European text, which contains Latin-1. Text in which control characters stand is binary data,
//! whatever it decoded from.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use super::error::ParseError;

/// How far into a page its declared encoding is looked for: the first 1024 bytes (HTML Standard,
/// "determining the character encoding").
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

/// UTF-16 of mostly Western text has a zero in every other byte.
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

/// The encoding named after the first `charset=`, as in `<meta charset="…">`.
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
    // A page that declares UTF-16 in ASCII is lying (the standard reads it as UTF-8, which it is
    // not).
    Encoding::for_label(&label).filter(|encoding| *encoding != UTF_16LE && *encoding != UTF_16BE)
}

/// A NUL, or more than one character in a hundred that no text has: controls, and bytes that did
/// not decode.
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
