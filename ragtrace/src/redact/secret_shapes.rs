//! Secrets that are recognized by their form, with one function for each form.
//!
//! Everything that is read ahead is either part of a secret and skipped, or bounded, and a run of
//! word characters is measured once, where it begins. So the time is linear in the length of any
//! text.

use std::ops::Range;

use super::key_prefixes::key_prefix;
use super::rules::{MARK, Rules};
use super::value::Lookahead;
use super::{command_line, loose_names, named_values, user_info};

/// Returns the secret that is recognized by the byte at `at`.
pub(super) fn secret_at(text: &str, at: usize, rules: &Rules, lookahead: &mut Lookahead) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let rest = &bytes[at..];
    let found = match rest {
        [b':', b'/', b'/', ..] => user_info::password(bytes, at + 3),
        [b':' | b'=', ..] => named_values::after_sign(text, at, rules, lookahead),
        [b'"' | b'\'', b',', ..] => named_values::after_comma(text, at, rules, lookahead),
        [b' ', b'"' | b'\'', ..] => named_values::after_space(text, at, rules, lookahead),
        [b'(', b'"' | b'\'' | b'\\', ..] => named_values::after_bracket(text, at, rules, lookahead),
        [b' ', b'-', b'p' | b'u' | b'a' | b'w', ..] => command_line::after_short_option(text, at),
        [b'-', b'-', b'-', ..] => private_key(text, at),
        [b'-', b'-', b'a'..=b'z', ..] => command_line::after_option(text, at, rules, lookahead),
        [b'<', b'a'..=b'z' | b'A'..=b'Z', ..] => named_values::after_tag(text, at, rules, lookahead),
        [0xef, 0xbc, 0x9a | 0x9d, ..] => loose_names::after_wide_sign(text, at, rules, lookahead),
        [b'%', b'3', b'A' | b'D' | b'a' | b'd', ..] => named_values::after_encoded_sign(text, at, rules),
        [b'@', b't' | b'u', b'c' | b'n', ..] => dsn_password(bytes, at),
        [b'E', b'N', b'V', b' ', ..] | [b'A', b'U', b'T', b'H', b' ', ..] | [b'm', b'a', b'c', b'h', ..]
            if at == 0 || !is_word(bytes[at - 1]) =>
        {
            command_line::after_keyword(text, at)
        }
        [byte, ..] if byte.is_ascii_alphanumeric() && (at == 0 || !bytes[at - 1].is_ascii_alphanumeric()) => {
            key_or_token(bytes, at)
        }
        _ => None,
    };
    if rules.prefixes.is_empty() { found } else { found.or_else(|| added_prefix(bytes, at, rules)) }
}

/// Finds the password in `user:password@tcp(host)`, at the sign after it.
#[cold]
fn dsn_password(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    const LONGEST: usize = 256;
    if !bytes[at..].starts_with(b"@tcp(") && !bytes[at..].starts_with(b"@unix(") {
        return None;
    }
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`=".contains(byte);
    let word = bytes[..at].iter().rev().take(LONGEST).take_while(|byte| !ends(byte)).count();
    let colon = bytes[at - word..at].iter().position(|byte| *byte == b':')?;
    let (user, password) = bytes[at - word..at].split_at(colon);
    let is_user = !user.is_empty() && user.iter().all(|byte| is_word(*byte)) && user != b"thin";
    let is_other =
        password.contains(&b'@') || password.starts_with(b"://") || password[1..].starts_with(MARK.as_bytes());
    (is_user && !is_other).then_some(at - word + colon + 1..at)
}

/// Finds a private key in PEM (RFC 7468) or PGP armor (RFC 9580, section 6.2), from its first line
/// to its last.
fn private_key(text: &str, at: usize) -> Option<Range<usize>> {
    const LONGEST_LABEL: usize = 64;
    /// The maximum distance between the first and the last line of a key, in bytes.
    const LONGEST_KEY: usize = 32_768;
    let rest = &text[at..];
    let label = rest.strip_prefix("-----BEGIN ").or_else(|| rest.strip_prefix("---- BEGIN "))?;
    let begin = rest.len() - label.len();
    let label_end = label.bytes().take(LONGEST_LABEL).position(|byte| byte == b'-')?;
    if !label[..label_end].contains("PRIVATE KEY") {
        return None;
    }
    let body = begin + label_end;
    let near = &rest.as_bytes()[body..rest.len().min(body + LONGEST_KEY)];
    let next = near.windows(5).position(|window| matches!(window, b" BEGI" | b"-BEGI"));
    let near = &near[..next.unwrap_or(near.len())];
    let end = near.windows(8).position(|window| matches!(window, b"-----END" | b"---- END"));
    let end = body + end.unwrap_or_else(|| key_lines(near));
    (end > body).then_some(at..at + end)
}

/// Returns the length of the lines that may belong to a key without a last line: lines without
/// spaces, or headers with a colon.
fn key_lines(rest: &[u8]) -> usize {
    let dashes = rest.iter().take_while(|byte| matches!(byte, b'-' | b' ')).count();
    let is_key =
        |byte: &u8| byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b"+/=\\-:,;._\"'|".contains(byte);
    let mut end = dashes;
    for line in rest[dashes..].split_inclusive(|byte| *byte == b'\n') {
        let words = line.split(u8::is_ascii_whitespace).filter(|word| word.len() > 1).count();
        if words > 1 && !line.contains(&b':') || !line.iter().all(is_key) {
            // A line in which a key stands in the middle of a text continues after it.
            end += line.iter().take_while(|byte| is_key(byte) && !b" \"'".contains(byte)).count();
            break;
        }
        end += line.len();
    }
    // A first line alone only mentions a key.
    let body = &rest[dashes..end];
    if body.iter().filter(|byte| byte.is_ascii_alphanumeric()).count() < 16 {
        0
    } else {
        dashes + body.trim_ascii_end().len()
    }
}

/// Finds a key or a token that begins with the word at `at`.
fn key_or_token(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = &bytes[at..];
    if let Some((prefix, least)) = key_prefix(rest) {
        /// The number of bytes at the beginning of a word that tell whether it is a key.
        const BEGINNING: usize = 256;
        let length = rest.iter().take(BEGINNING).take_while(|byte| is_word(**byte)).count();
        // A period or a dash at the end belongs to the sentence.
        let length = length - rest[..length].iter().rev().take_while(|byte| matches!(byte, b'.' | b'-')).count();
        if length >= *least && is_random(&rest[prefix.len()..length]) {
            let more = rest[length..].iter().take_while(|byte| is_word(**byte) && length + 2 > BEGINNING).count();
            return Some(at..at + length + more);
        }
    }
    let is_start = at == 0 || !is_word(bytes[at - 1]);
    match rest {
        [b'A', b'K' | b'S', b'I', b'A', ..] => access_key(rest).map(|length| at..at + length),
        [b'e', b'y', b'J', ..] if is_start => web_token(rest).map(|length| at..at + length),
        [b'b' | b'B', ..] if is_start => bearer(rest).map(|range| at + range.start..at + range.end),
        _ => None,
    }
}

/// Returns `true` if the body of a key contains digits and does not consist of words: one of its
/// parts is long and has letters and digits, or several parts often change between letters and
/// digits, or between small letters and capitals.
fn is_random(body: &[u8]) -> bool {
    const LONG: usize = 16;
    const MANY: usize = 4;
    let (mut changes, mut has_digits) = (0, false);
    for part in body.split(|byte| matches!(byte, b'-' | b'_' | b'.')) {
        let digits = part.iter().filter(|byte| byte.is_ascii_digit()).count();
        let letters = part.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
        if digits > 0 && letters > 0 && part.len() >= LONG {
            return true;
        }
        if part.len() > 3 {
            let changes_here = |pair: &&[u8]| {
                pair[0].is_ascii_digit() != pair[1].is_ascii_digit()
                    || pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()
            };
            has_digits |= digits > 0;
            changes += part.windows(2).filter(changes_here).count();
        }
    }
    changes >= MANY && has_digits
}

/// Finds a word that begins with a prefix of the application.
fn added_prefix(bytes: &[u8], at: usize, rules: &Rules) -> Option<Range<usize>> {
    let rest = &bytes[at..];
    let prefix = rules.prefixes.iter().find(|prefix| rest.starts_with(prefix.as_bytes()))?;
    let more = rest[prefix.len()..].iter().take_while(|byte| is_word(**byte)).count();
    Some(at..at + prefix.len() + more)
}

/// Returns the length of an AWS access key id: twenty capitals and digits.
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
    /// The maximum number of bytes between the word and the token.
    const MOST_BETWEEN: usize = 8;
    if !rest.get(..6)?.eq_ignore_ascii_case(b"bearer") {
        return None;
    }
    let mut start = 6;
    while start < 6 + MOST_BETWEEN {
        match &rest[start..] {
            [b' ' | b'\t' | b':' | b'=', ..] => start += 1,
            [b'\\', b'n' | b'r' | b't', ..] => start += 2,
            [b'%', b'2', b'0', ..] => start += 3,
            _ => break,
        }
    }
    let length = rest[start..].iter().take_while(|byte| is_word(**byte) || b"~+/=".contains(byte)).count();
    let token = &rest[start..start + length];
    let looks_secret = length >= 20 || (length >= 8 && token.iter().any(u8::is_ascii_digit));
    (start > 6 && looks_secret).then_some(start..start + length)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}
