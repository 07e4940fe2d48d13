//! The shapes of secrets, a function each: by their form, and by the name before them.
//!
//! What is looked at ahead is either taken, and skipped, or bounded, and a run of word characters
//! is measured once, where it begins; so the time is linear in the length, whatever the text.

use std::ops::Range;

use super::key_prefixes::KEY_PREFIXES;
use super::rules::{MARK, Rules};
use super::secret_names::MAX_NAME;

/// Names that stand before a colon in prose, too, so that what follows has to look like a secret.
const PROSE: &[&str] = &["token", "secret", "credentials"];

/// Authentication schemes that stand between a name and its value.
const SCHEMES: &[&str] = &["bearer", "basic", "digest", "token", "apikey"];

/// Returns the secret that is found when the byte at `at` is looked at. It begins there or later.
pub(super) fn secret_at(text: &str, at: usize, rules: &Rules) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    match bytes[at] {
        b':' if bytes[at..].starts_with(b"://") => credentials(bytes, at + 3),
        b':' | b'=' => value_of_secret_name(text, at, rules),
        b'-' => private_key(text, at),
        byte if byte.is_ascii_alphanumeric() && (at == 0 || !bytes[at - 1].is_ascii_alphanumeric()) => {
            key_or_token(bytes, at, rules)
        }
        _ => added_prefix(bytes, at, rules),
    }
}

/// Finds the password in `user:password@` after `://`.
fn credentials(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    /// A user without a password that is as long is a token.
    const TOKEN: usize = 16;
    let ends = |byte: &u8| {
        byte.is_ascii_whitespace() || matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'`' | b',')
    };
    let (mut end, mut last_at) = (from, None);
    while let Some(byte) = bytes.get(end).filter(|byte| !ends(byte)) {
        if *byte == b'@' {
            last_at = Some(end);
        }
        end += 1;
    }
    let user_end = last_at?;
    match bytes[from..user_end].iter().position(|byte| *byte == b':') {
        Some(colon) => Some(from + colon + 1..user_end),
        None => (user_end - from >= TOKEN).then_some(from..user_end),
    }
}

/// Finds a value after a name that is secret and a colon or an equals sign.
fn value_of_secret_name(text: &str, at: usize, rules: &Rules) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let (mut name_end, quotes) = (at, b"\"'` \\");
    while name_end > 0 && at - name_end < 3 && quotes.contains(&bytes[name_end - 1]) {
        name_end -= 1;
    }
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let length = bytes[..name_end].iter().rev().take(MAX_NAME).take_while(|byte| is_name(byte)).count();
    let name = &text[name_end - length..name_end];
    if !rules.names.contains(name) {
        return None;
    }
    let (mut start, is_escaped, close) = opened(bytes, at + 1);
    let lower = name.to_ascii_lowercase();
    let is_header = lower.ends_with("cookie") || lower.ends_with("authorization");
    let is_value = |byte: u8| match close {
        Some(quote) => byte != quote && !(is_escaped && byte == b'\\'),
        None if is_header => !b"\r\n\"'".contains(&byte),
        None => !byte.is_ascii_whitespace() && !b",;&)}]\"'<>|\\".contains(&byte),
    };
    let value_end = |start: usize| value_end(bytes, start, is_value);
    let mut end = value_end(start);
    if SCHEMES.iter().any(|scheme| bytes[start..end].eq_ignore_ascii_case(scheme.as_bytes())) {
        start = (end + 1).min(bytes.len());
        end = value_end(start);
    }
    let value = &text[start..end];
    let is_prose = bytes[at] == b':' && close != Some(b'"') && PROSE.contains(&lower.as_str());
    let looks_secret = value.len() >= 8 && value.bytes().any(|byte| byte.is_ascii_digit());
    let says_nothing = ["", "null", "None", "true", "false", MARK].contains(&value);
    (!says_nothing && (!is_prose || looks_secret)).then_some(start..end)
}

/// Returns where a value begins, whether its quotes are escaped, and the quote that closes it:
/// after spaces, `Some(` and the quote that opens it.
fn opened(bytes: &[u8], from: usize) -> (usize, bool, Option<u8>) {
    let spaces = |from: usize| from + bytes[from..].iter().take(8).take_while(|byte| **byte == b' ').count();
    let mut start = spaces(from);
    if bytes[start..].starts_with(b"Some(") {
        start += 5;
    }
    let is_escaped = bytes.get(start) == Some(&b'\\');
    start += usize::from(is_escaped);
    match bytes.get(start) {
        Some(quote @ (b'"' | b'\'' | b'`')) => (start + 1, is_escaped, Some(*quote)),
        _ => (start, false, None),
    }
}

/// Returns where a value ends; a backslash keeps what follows it in the value.
fn value_end(bytes: &[u8], start: usize, is_value: impl Fn(u8) -> bool) -> usize {
    let mut end = start;
    while end < bytes.len() && is_value(bytes[end]) {
        let escapes = bytes[end] == b'\\' && bytes.get(end + 1).is_some_and(u8::is_ascii);
        end += if escapes { 2 } else { 1 };
    }
    end.min(bytes.len())
}

/// Finds a private key in PEM (RFC 7468), from its first line to its last.
fn private_key(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    let label = rest.strip_prefix("-----BEGIN ")?;
    let label_end = label.bytes().take(MAX_NAME).position(|byte| byte == b'-')?;
    if !label[..label_end].ends_with("PRIVATE KEY") {
        return None;
    }
    let body = "-----BEGIN ".len() + label_end;
    let end = rest[body..].find("-----END").map_or(rest.len(), |end| body + end);
    Some(at..at + end)
}

/// Finds a key or a token that begins with the word at `at`.
fn key_or_token(bytes: &[u8], at: usize, rules: &Rules) -> Option<Range<usize>> {
    let rest = &bytes[at..];
    if let Some((_, least)) = KEY_PREFIXES.iter().find(|(prefix, _)| rest.starts_with(prefix.as_bytes())) {
        // One that is too short is shorter than that, so it costs no more to look at.
        let length = rest.iter().take_while(|byte| is_word(**byte)).count();
        if length >= *least {
            return Some(at..at + length);
        }
    }
    let is_start = at == 0 || !is_word(bytes[at - 1]);
    match rest {
        [b'A', b'K' | b'S', b'I', b'A', ..] => access_key(rest).map(|length| at..at + length),
        [b'e', b'y', b'J', ..] if is_start => web_token(rest).map(|length| at..at + length),
        [b'b' | b'B', ..] if is_start => bearer(rest).map(|range| at + range.start..at + range.end),
        _ => added_prefix(bytes, at, rules),
    }
}

/// Finds a word that begins as a rule of the user's says.
fn added_prefix(bytes: &[u8], at: usize, rules: &Rules) -> Option<Range<usize>> {
    let rest = &bytes[at..];
    let prefix = rules.prefixes.iter().find(|prefix| rest.starts_with(prefix.as_bytes()))?;
    let more = rest[prefix.len()..].iter().take_while(|byte| is_word(**byte)).count();
    Some(at..at + prefix.len() + more)
}

/// Returns the length of an access key id of AWS: twenty capitals and digits.
fn access_key(rest: &[u8]) -> Option<usize> {
    let length = rest.iter().take(21).take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()).count();
    (length == 20).then_some(length)
}

/// Returns the length of a JSON Web Token (RFC 7519): three parts, the first of which is an object
/// in base64.
fn web_token(rest: &[u8]) -> Option<usize> {
    const SHORTEST: usize = 30;
    let length = rest.iter().take_while(|byte| is_word(**byte)).count();
    let parts = rest[..length].split(|byte| *byte == b'.').count();
    (length >= SHORTEST && parts > 2).then_some(length)
}

/// Finds the token after `Bearer` (RFC 6750, section 2.1).
fn bearer(rest: &[u8]) -> Option<Range<usize>> {
    let word = rest.get(..7)?;
    if !word.eq_ignore_ascii_case(b"bearer ") {
        return None;
    }
    let length = rest[7..].iter().take_while(|byte| is_word(**byte) || b"~+/=".contains(byte)).count();
    let token = &rest[7..7 + length];
    let looks_secret = length >= 20 || (length >= 8 && token.iter().any(u8::is_ascii_digit));
    looks_secret.then_some(7..7 + length)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}
