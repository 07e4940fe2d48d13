//! Values in quotes.

use super::site::{Reading, Site};
use super::verdict::{self, Form};
use crate::redact::secret_names::Certainty;

/// A quote that opens a value.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Quote {
    byte: u8,
    /// The entity that the quote is written as, if any.
    entity: Option<&'static str>,
    /// The number of backslashes before the quote: one in a string, three in a string inside of a
    /// string.
    escapes: usize,
    /// The number of quotes in a row: three open a text of several lines in TOML; two occur in a
    /// quoted CSV field.
    row: usize,
    /// The number of number signs before the quote, as in a raw string of Rust.
    hashes: usize,
    /// The index at which the content begins.
    pub(in super::super) content: usize,
}

/// The entities of a quote in HTML, and its escape in JSON that is safe to embed in HTML, after its
/// backslashes.
const ENTITIES: &[&str] = &["&quot;", "&#34;", "&#x22;", "&#39;", "&#x27;", "&apos;", UNICODE_QUOTE];
const UNICODE_QUOTE: &str = "u0022";

/// Returns the entity of a quote that the bytes begin with.
pub(in super::super) fn entity_at(bytes: &[u8]) -> Option<&'static str> {
    let starts = |entity: &&&str| bytes.starts_with(entity.as_bytes());
    if bytes.first() == Some(&b'&') { ENTITIES.iter().find(starts).copied() } else { None }
}

/// Returns the entity of a quote that the bytes end with; all entities end in a semicolon or a
/// digit.
pub(in super::super) fn entity_before(bytes: &[u8]) -> Option<&'static str> {
    ENTITIES.iter().find(|entity| bytes.ends_with(entity.as_bytes())).copied()
}

/// Returns the quote at `at`, with the backslashes that escape it.
pub(in super::super) fn quote_at(bytes: &[u8], at: usize) -> Option<Quote> {
    const MOST_ESCAPES: usize = 64;
    let rest = bytes.get(at..)?;
    if let Some(entity) = entity_at(rest) {
        let content = at + entity.len();
        return Some(Quote { byte: b'&', entity: Some(entity), escapes: 0, row: 1, hashes: 0, content });
    }
    let escapes = rest.iter().take(MOST_ESCAPES).take_while(|byte| **byte == b'\\').count();
    if escapes > 0 && rest[escapes..].starts_with(UNICODE_QUOTE.as_bytes()) {
        let content = at + escapes + UNICODE_QUOTE.len();
        return Some(Quote { byte: b'&', entity: Some(UNICODE_QUOTE), escapes, row: 1, hashes: 0, content });
    }
    let byte = *rest.get(escapes).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))?;
    let mut row = rest[escapes..].iter().take(3).take_while(|next| **next == byte).count();
    if escapes > 0 || row == 2 && rest.get(2).is_none_or(|next| ends_value(*next)) {
        row = 1;
    }
    let hashes = bytes[..at].iter().rev().take(8).take_while(|byte| **byte == b'#').count();
    let hashes = if byte == b'"' && bytes[..at - hashes].ends_with(b"r") { hashes } else { 0 };
    Some(Quote { byte, entity: None, escapes, row, hashes, content: at + escapes + row })
}

/// Returns `true` if this byte shows that a value in quotes or brackets has ended before it.
pub(super) fn ends_value(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b",;:)]}>|&+\\<.?".contains(&byte)
}

impl Quote {
    /// Returns the end of the content, and the index after the closing quote.
    pub(in super::super) fn close(&self, bytes: &[u8]) -> Option<(usize, usize)> {
        if let Some(entity) = self.entity {
            return self.close_entity(bytes, entity.as_bytes());
        }
        if self.byte == b'"' || self.row > 2 {
            return self.close_in(bytes, true);
        }
        // Some notations have no escapes in single quotes, so the second try ignores them.
        self.close_in(bytes, true).or_else(|| self.close_in(bytes, false))
    }

    fn close_entity(&self, bytes: &[u8], entity: &[u8]) -> Option<(usize, usize)> {
        let mut from = self.content;
        loop {
            let at = from + bytes[from..].windows(entity.len()).position(|window| window == entity)?;
            let escapes = bytes[self.content..at].iter().rev().take_while(|byte| **byte == b'\\').count();
            if escapes == self.escapes || escapes < self.escapes && escapes > 0 {
                return Some((at - escapes, at + entity.len()));
            }
            if self.escapes == 0 {
                return Some((at, at + entity.len()));
            }
            from = at + entity.len();
        }
    }

    fn close_in(&self, bytes: &[u8], has_escapes: bool) -> Option<(usize, usize)> {
        let (mut at, mut escapes) = (self.content, 0);
        while let Some(byte) = bytes.get(at) {
            // Apostrophes enclose a value only within one line.
            if *byte == b'\n' && !self.is_double() && self.row < 3 {
                return None;
            }
            if *byte == b'\\' {
                escapes += 1;
            } else if *byte == self.byte && (!has_escapes || self.is_closed_after(escapes)) {
                let rest = &bytes[at..];
                let row = rest.iter().take(self.row + 1).take_while(|byte| **byte == self.byte).count();
                let hashes = rest[1..].iter().take(self.hashes).take_while(|byte| **byte == b'#').count();
                match self.row {
                    // YAML, SQL and connection strings escape a quote by doubling it.
                    1 if row == 2 && self.escapes == 0 && self.hashes == 0 => {
                        at += 2;
                        escapes = 0;
                        continue;
                    }
                    _ if row >= self.row && hashes == self.hashes => {
                        let own = escapes.min(self.escapes);
                        return Some((at - own, at + self.row + self.hashes));
                    }
                    _ => escapes = 0,
                }
            } else {
                escapes = 0;
            }
            at += 1;
        }
        None
    }

    /// Returns `true` if a quote after this many backslashes closes this one. At depth `n` of
    /// nested strings, a quote has `2^n - 1` backslashes, and a quote in the value has `2^n` more.
    /// A quote with fewer ends the surrounding string.
    fn is_closed_after(&self, escapes: usize) -> bool {
        if self.hashes > 0 || escapes < self.escapes {
            return true;
        }
        let unit = (self.escapes + 1).next_power_of_two();
        ((escapes - self.escapes) / unit).is_multiple_of(2)
    }

    /// Returns `true` if this quote closes a string that contains the name, as in `input("Password:
    /// ")`, instead of opening a value.
    fn ends_literal(&self, bytes: &[u8], site: &Site) -> bool {
        const MAX_BEFORE: usize = 256;
        let is_closed = matches!(
            bytes.get(self.content..).unwrap_or_default(),
            [] | [b')' | b'\n' | b'\r' | b';' | b']' | b'}', ..] | [b',', b' ' | b'"' | b'\'', ..]
        );
        if !is_closed || site.is_name_quoted || self.row > 1 || self.entity.is_some() || self.byte == b'`' {
            return false;
        }
        let before = bytes[..site.name_start].iter().rev().take(MAX_BEFORE).take_while(|byte| **byte != b'\n');
        before.filter(|byte| **byte == self.byte).count() % 2 == 1
    }

    pub(super) fn is_double(&self) -> bool {
        self.byte != b'\'' && self.byte != b'`'
    }
}

/// Reads a value in quotes. A value without a closing quote was cut, and reaches to the end.
pub(super) fn read(text: &str, quote: &Quote, site: &Site) -> Reading {
    let bytes = text.as_bytes();
    if quote.ends_literal(bytes, site) {
        return Reading::nothing(quote.content);
    }
    let Some((mut end, after)) = quote.close(bytes) else {
        let rest = &bytes[quote.content..];
        let line_end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
        let end = if quote.is_double() { bytes.len() } else { quote.content + line_end };
        return verdict::reading(text, quote.content..end, site, Form::Cut);
    };
    if site.certainty == Certainty::Ambiguous && is_of_tokenizer(&bytes[after..]) {
        return Reading::nothing(after);
    }
    let mut read_to = after;
    if quote.escapes == 0 && quote.row == 1 && quote.entity.is_none() {
        let joined = joined_end(bytes, after);
        if joined > after {
            (end, read_to) = (joined, joined);
            if bytes[end - 1] == quote.byte && end > quote.content {
                end -= 1;
            }
        }
    }
    let form = if quote.is_double() { Form::Quoted } else { Form::SingleQuoted };
    let mut reading = verdict::reading(text, quote.content..end, site, form);
    reading.read_to = read_to;
    reading
}

/// Returns `true` if the text after a quoted value shows that it is the output of a tokenizer or a
/// model, where a token is a piece of text: `{"token": " the", "logprob": -0.3}`.
fn is_of_tokenizer(after: &[u8]) -> bool {
    const NAMES: &[&[u8]] = &[b"logprob", b"bytes", b"id", b"token_id", b"special", b"top_logprobs", b"pos", b"lemma"];
    let Some(b',') = after.first() else { return false };
    let signs = after.iter().take(32).take_while(|byte| byte.is_ascii_whitespace() || b",\"'\\".contains(byte)).count();
    let name = after[signs..].iter().take(16).take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'_').count();
    let value = after[signs + name..].iter().take(16).find(|byte| !b"\"'\\: ".contains(byte));
    let is_measure =
        value.is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'[' | b'f' | b't' | b'n'));
    is_measure && NAMES.contains(&&after[signs..signs + name])
}

/// Returns the end of a value that continues directly after a closing quote, as in a shell:
/// `'it'\''s'`.
fn joined_end(bytes: &[u8], after: usize) -> usize {
    let mut at = after;
    while let Some(byte) = bytes.get(at) {
        let escapes_quote = *byte == b'\\' && matches!(bytes.get(at + 1), Some(b'"' | b'\''));
        if escapes_quote {
            // If a quote follows, it ends the surrounding string.
            if !matches!(bytes.get(at + 2), Some(b'"' | b'\'')) {
                break;
            }
            at += 2;
        } else if let Some(quote) = quote_at(bytes, at).filter(|quote| quote.entity.is_none() && *byte != b'\\') {
            let Some((_, next)) = quote.close(bytes) else { break };
            at = next;
        } else if byte.is_ascii_alphanumeric() && at > 0 {
            at += 1;
        } else {
            break;
        }
    }
    at
}
