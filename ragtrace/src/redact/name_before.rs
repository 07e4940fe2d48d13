//! Reads the name before a sign.

use super::secret_names::MAX_NAME;
use super::value::entity_before;

/// A name before a sign.
pub(super) struct Name<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
    pub(super) is_quoted: bool,
}

/// Returns the name before a sign. Spaces, quotes and the brackets of an index may be between them.
#[inline]
pub(super) fn name_before(text: &str, sign: usize) -> Option<Name<'_>> {
    const MOST_BETWEEN: usize = 8;
    let bytes = text.as_bytes();
    let mut end = sign;
    let mut is_quoted = false;
    if end > 0 && !is_name(bytes[end - 1]) {
        let least = end.saturating_sub(MOST_BETWEEN);
        while end > least && b" \t\"'`\\]*?!+|;m>".contains(&bytes[end - 1]) {
            match bytes[end - 1] {
                b';' => {
                    end -= entity_before(&bytes[..end])?.len() - 1;
                    is_quoted = true;
                }
                byte => is_quoted |= matches!(byte, b'"' | b'\'' | b'`'),
            }
            end -= 1;
            if is_name_end(bytes, end) {
                break;
            }
        }
    }
    end = before_color(bytes, end);
    let length = bytes[..end].iter().rev().take_while(|byte| is_name(**byte)).count();
    let start = end - length;
    let name = Name { text: &text[start..end], start, is_quoted };
    if name.text == "u0022" && bytes[..start].ends_with(b"\\") {
        return Some(before_unicode_quote(text, start));
    }
    if matches!(name.text, "key" | "Key" | "KEY" | "keys") {
        return Some(with_word_before(text, name));
    }
    (length > 0).then_some(name)
}

fn is_name_end(bytes: &[u8], end: usize) -> bool {
    end > 0 && is_name(bytes[end - 1])
}

/// Returns the end of a name that is followed by the escape code of a terminal's color, which ends
/// in `m`.
fn before_color(bytes: &[u8], end: usize) -> usize {
    let mut end = end;
    while bytes[..end].last() == Some(&b'm') {
        let digits =
            bytes[..end - 1].iter().rev().take(16).take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
        match bytes[..end - 1 - digits] {
            [.., 0x1b, b'['] => end -= digits + 3,
            _ => break,
        }
    }
    end
}

/// Returns the name before a quote that is written as `\u0022`, whose backslashes end at `at`.
#[cold]
fn before_unicode_quote(text: &str, at: usize) -> Name<'_> {
    let bytes = text.as_bytes();
    let end = at - bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
    let length = bytes[..end].iter().rev().take_while(|byte| is_name(**byte)).count();
    // The opening quote ends in characters that may be part of a name.
    let name = &text[end - length..end];
    let name = if bytes[..end - length].ends_with(b"\\") { name.strip_prefix("u0022").unwrap_or(name) } else { name };
    Name { text: name, start: end - name.len(), is_quoted: true }
}

/// Includes the word before `key` in a name: `API key`.
#[cold]
fn with_word_before<'a>(text: &'a str, name: Name<'a>) -> Name<'a> {
    let bytes = text.as_bytes();
    let Some(space) = name.start.checked_sub(1).filter(|space| bytes[*space] == b' ') else { return name };
    let length = bytes[..space].iter().rev().take(MAX_NAME).take_while(|byte| is_name(**byte)).count();
    let start = space - length;
    let end = name.start + name.text.len();
    Name { text: &text[start..end], start, is_quoted: name.is_quoted }
}

#[inline]
pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}
