//! Finds secrets whose name is separate from them or means little by itself: names in other
//! languages, names followed by another word, members of a query, and adjacent elements.

use std::ops::Range;

use super::name_before::{Name, is_name, name_before};
use super::name_words::FOREIGN_WORDS;
use super::rules::Rules;
use super::secret_names::{Certainty, MAX_NAME};
use super::value::{Lookahead, Sign, Site, quote_at, secret_value};

/// Finds the secret after a full-width colon or equals sign at `at`.
pub(super) fn after_wide_sign(text: &str, at: usize, rules: &Rules, lookahead: &mut Lookahead) -> Option<Range<usize>> {
    const WIDE: usize = 3;
    let found = foreign_name(text, at, at + WIDE, lookahead);
    if found.is_some() {
        return found;
    }
    let name = name_before(text, at)?;
    let certainty = rules.names.certainty(name.text)?;
    let from = at + WIDE;
    let site = Site { name_start: name.start, from, sign: Sign::Colon, is_name_quoted: name.is_quoted, certainty };
    secret_value(text, &site, lookahead)
}

/// Returns `true` if the text before a sign, without spaces and quotes, may end in a word that is
/// not ASCII.
#[inline]
pub(super) fn ends_in_letter(bytes: &[u8], sign: usize) -> bool {
    match bytes[..sign] {
        [.., last, b' ' | b'"' | b'\'' | b'*' | b'`'] | [.., last] => !last.is_ascii(),
        [] => false,
    }
}

/// Finds the secret after a sign from `at` to `from`, if the word before it means password in
/// another language.
#[cold]
pub(super) fn foreign_name(text: &str, at: usize, from: usize, lookahead: &mut Lookahead) -> Option<Range<usize>> {
    const LONGEST: usize = 24;
    let near = &text[text.floor_char_boundary(at.saturating_sub(LONGEST))..at];
    let name = near.trim_end_matches([' ', '"', '\'', '*', '`', '\u{a0}']);
    let is_name = |word: &&&str| {
        let start = name.len().checked_sub(word.len()).filter(|start| name.is_char_boundary(*start));
        start.is_some_and(|start| name[start..].to_lowercase() == ***word)
    };
    let word = FOREIGN_WORDS.iter().find(is_name)?;
    let name_start = at - near.len() + name.len() - word.len();
    let is_name_quoted = name.len() < near.trim_end().len();
    let sign = if text.as_bytes()[at] == b'=' { Sign::Equals } else { Sign::Colon };
    let site = Site { name_start, from, sign, is_name_quoted, certainty: Certainty::Ambiguous };
    secret_value(text, &site, lookahead)
}

/// Finds the secret after a sign if another word follows the name: `the password is: …`, `API key
/// provided: …`, or in PHP the visibility of a member: `[password:private] => …`.
#[cold]
pub(super) fn behind_a_word(
    text: &str,
    at: usize,
    word: &Name<'_>,
    rules: &Rules,
    lookahead: &mut Lookahead,
) -> Option<Range<usize>> {
    const WORDS: &[&str] = &["private", "protected", "is", "was", "provided", "used", "received", "est", "ist"];
    let bytes = text.as_bytes();
    if !WORDS.contains(&word.text) {
        return None;
    }
    let is_visibility = matches!(word.text, "private" | "protected") && bytes[..word.start].ends_with(b":");
    if !is_visibility && !bytes[..word.start].ends_with(b" ") {
        return None;
    }
    let name = name_before(text, word.start - 1)?;
    let certainty = rules.names.certainty(name.text)?;
    let (certainty, is_name_quoted) = if is_visibility { (certainty, true) } else { (Certainty::Ambiguous, false) };
    let sign = if bytes[at] == b':' { Sign::Colon } else { Sign::Equals };
    let site = Site { name_start: name.start, from: at + 1, sign, is_name_quoted, certainty };
    secret_value(text, &site, lookahead)
}

#[inline]
pub(super) fn is_in_query(bytes: &[u8], name: &Name<'_>) -> bool {
    name.start > 0 && matches!(bytes[name.start - 1], b'?' | b'&') && !name.is_quoted
}

/// Finds the value of a query parameter whose name means little elsewhere: the signature of a
/// presigned URL, and the code of OAuth 2.0 (RFC 6749, section 4.1.2).
#[cold]
pub(super) fn query_value(text: &str, from: usize, name: &Name<'_>) -> Option<Range<usize>> {
    const SHORTEST: usize = 16;
    if !["sig", "signature", "code"].iter().any(|known| name.text.eq_ignore_ascii_case(known)) {
        return None;
    }
    let is_of_it = |byte: &&u8| byte.is_ascii_alphanumeric() || b"%-_.~+/=".contains(byte);
    let length = text.as_bytes()[from..].iter().take_while(is_of_it).count();
    let value = &text[from..from + length];
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit());
    (length >= SHORTEST && has_digit).then_some(from..from + length)
}

/// Finds a user and a password in base64, as in Docker's configuration: `"auth": "…"`.
#[cold]
pub(super) fn encoded_pair(text: &str, from: usize) -> Option<Range<usize>> {
    const SHORTEST: usize = 12;
    const LONGEST: usize = 4096;
    let bytes = text.as_bytes();
    let bytes = &bytes[..bytes.len().min(from + LONGEST)];
    let quote = quote_at(bytes, from + bytes[from..].iter().take(8).take_while(|byte| **byte == b' ').count())?;
    let (end, _) = quote.close(bytes)?;
    let value = &bytes[quote.content..end];
    let is_base64 = value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte));
    let is_mixed = value.iter().any(u8::is_ascii_uppercase) && value.iter().any(u8::is_ascii_lowercase);
    (value.len() >= SHORTEST && is_base64 && is_mixed).then_some(quote.content..end)
}

/// Finds the lines of a private key of `PuTTY`, after the sign at `at`.
#[cold]
pub(super) fn putty_key(text: &str, at: usize) -> Option<Range<usize>> {
    /// The maximum length of the number of lines, which precedes them.
    const LONGEST_NUMBER: usize = 16;
    let bytes = text.as_bytes();
    let start = at + 1 + bytes[at..].iter().take(LONGEST_NUMBER).position(|byte| *byte == b'\n')?;
    let length =
        bytes[start..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(byte)).count();
    let mut end = start + length;
    if bytes.get(end).is_some() {
        // The last, incomplete line belongs to the next entry.
        end = start + bytes[start..end].iter().rposition(|byte| *byte == b'\n')?;
    }
    (end > start).then_some(start..end)
}

/// Elements whose text may be a name with its value in the next element, as in a property list or a
/// table.
pub(super) const PAIRED: &[&str] = &["key", "name", "string", "dt", "td", "th"];

/// Finds the secret in the element after one whose text is the name of a secret, and whose tag name
/// ends at `end`: `<key>password</key><string>…</string>`.
#[cold]
pub(super) fn after_paired_tag(
    text: &str,
    end: usize,
    rules: &Rules,
    lookahead: &mut Lookahead,
) -> Option<Range<usize>> {
    const MOST_BETWEEN: usize = 256;
    let bytes = text.as_bytes();
    let start = end + 1 + bytes[end..].iter().take(MOST_BETWEEN).position(|byte| *byte == b'>')?;
    let length = bytes[start..].iter().take(MAX_NAME).take_while(|byte| is_name(**byte)).count();
    let certainty = rules.names.certainty(&text[start..start + length])?;
    let mut at = start + length + usize::from(bytes.get(start + length) == Some(&b':'));
    let closing = bytes[at..].strip_prefix(b"</")?;
    at += 3 + closing.iter().take(MAX_NAME).position(|byte| *byte == b'>')?;
    at += bytes[at..].iter().take(MOST_BETWEEN).take_while(|byte| byte.is_ascii_whitespace()).count();
    if bytes.get(at) != Some(&b'<') || !bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic) {
        return None;
    }
    at += 1 + bytes[at..].iter().take(MOST_BETWEEN).position(|byte| *byte == b'>')?;
    at += bytes[at..].iter().take(MOST_BETWEEN).take_while(|byte| byte.is_ascii_whitespace()).count();
    // In a table, the next cell may contain words about the secret.
    let is_table = matches!(bytes[end - 1] | 0x20, b'd' | b'h' | b't');
    let certainty = if is_table { Certainty::Ambiguous } else { certainty };
    let site = Site { name_start: start, from: at, sign: Sign::Element, is_name_quoted: true, certainty };
    secret_value(text, &site, lookahead)
}
