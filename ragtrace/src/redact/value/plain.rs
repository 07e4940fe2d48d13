//! Values without quotes, whose end depends on their notation.

use super::quoted::{ends_value, entity_at, quote_at};
use super::site::{Reading, Sign, Site};
use super::verdict::{self, Form};
use crate::redact::secret_names::Certainty;

/// The end of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// The next space.
    Word,
    /// The end of the line.
    Line,
    /// The next comma or closing brace, in `{password: …, user: …}`.
    Flow,
    /// The next pair of a query.
    Query,
    /// The next semicolon of a connection string.
    Connection,
}

/// The number of bytes before a name in which an open bracket is searched.
const MAX_BEFORE: usize = 256;

/// Reads a value without quotes.
pub(super) fn read(text: &str, at: usize, site: &Site) -> Reading {
    let bytes = text.as_bytes();
    if bytes[at..].starts_with(b"$(") {
        // The output of a command is not in the text.
        return Reading::nothing(at + 2);
    }
    let extent = extent(bytes, at, site);
    let mut end = end(bytes, at, extent, site);
    if matches!(extent, Extent::Line | Extent::Connection | Extent::Flow) {
        while end > at && (bytes[end - 1].is_ascii_whitespace() || bytes[end - 1] == b',') {
            end -= 1;
        }
    }
    // After an authentication scheme follows the credential.
    if extent == Extent::Word && verdict::is_scheme(&text[at..end]) && bytes.get(end) == Some(&b' ') {
        let start = end + 1;
        let reading = verdict::reading(text, start..self::end(bytes, start, extent, site), site, Form::Plain);
        if reading.secret.is_some() {
            return reading;
        }
    }
    if verdict::is_type(&text[at..end])
        && let Some(reading) = after_type(text, end, site)
    {
        return reading;
    }
    let form = if is_alone(bytes, at, end, site) { Form::Line } else { Form::Plain };
    verdict::reading(text, at..end, site, form)
}

/// Reads the value after a type: `password: &str = "…"`.
fn after_type(text: &str, type_end: usize, site: &Site) -> Option<Reading> {
    let bytes = text.as_bytes();
    let spaces = bytes[type_end..].iter().take_while(|byte| **byte == b' ').count();
    let equals = type_end + spaces;
    let next = equals + 1 + bytes.get(equals + 1..)?.iter().take_while(|byte| **byte == b' ').count();
    if bytes[equals] != b'=' {
        return None;
    }
    let quote = quote_at(bytes, super::prefix::skip_prefix(bytes, next))?;
    Some(super::quoted::read(text, &quote, &Site { sign: Sign::Equals, ..*site }))
}

fn extent(bytes: &[u8], at: usize, site: &Site) -> Extent {
    let before = site.name_start.checked_sub(1).map(|before| bytes[before]);
    let is_spaced = bytes.get(site.from) == Some(&b' ');
    match site.sign {
        Sign::Equals if matches!(before, Some(b'?' | b'&')) => Extent::Query,
        Sign::Equals if before == Some(b';') => Extent::Connection,
        Sign::Colon if site.certainty == Certainty::Header && !site.is_name_quoted => Extent::Line,
        Sign::Colon | Sign::Equals if is_spaced && !site.is_name_quoted && is_first(bytes, site.name_start) => {
            Extent::Line
        }
        Sign::Colon if is_spaced && is_open(&bytes[..site.name_start], b'{') => Extent::Flow,
        Sign::Colon | Sign::Equals if is_spaced && site.is_name_quoted && at > site.from => Extent::Word,
        Sign::Element => Extent::Line,
        _ => Extent::Word,
    }
}

/// Returns `true` if a name is the first of its line, as in YAML, TOML and INI.
pub(super) fn is_first(bytes: &[u8], name_start: usize) -> bool {
    const MAX_INDENT: usize = 256;
    let before = &bytes[..name_start];
    let before = before.strip_suffix(b"export ").unwrap_or(before);
    let indent = before.iter().rev().take(MAX_INDENT).take_while(|byte| b" \t-+".contains(byte)).count();
    match &before[..before.len() - indent] {
        [] | [.., b'\n' | b'\r'] => true,
        // The beginning of a line in an escaped string.
        [.., b'\\', b'n'] => indent > 0,
        _ => false,
    }
}

/// Returns `true` if a bracket is open at the end of the bytes.
fn is_open(before: &[u8], open: u8) -> bool {
    let close = if open == b'(' { b')' } else { open + 2 };
    let mut closed = 0;
    for byte in before.iter().rev().take(MAX_BEFORE) {
        if *byte == close {
            closed += 1;
        } else if *byte == open {
            if closed == 0 {
                return true;
            }
            closed -= 1;
        }
    }
    false
}

/// Returns `true` if a value is alone on its line after its name.
fn is_alone(bytes: &[u8], start: usize, end: usize, site: &Site) -> bool {
    let rest = bytes[end..].iter().find(|byte| !b" \t,".contains(byte));
    rest.is_none_or(|byte| matches!(byte, b'\n' | b'\r' | b'#'))
        && is_first(bytes, site.name_start)
        && bytes[start..end].iter().all(|byte| !byte.is_ascii_whitespace())
}

/// Returns the end of a value.
fn end(bytes: &[u8], start: usize, extent: Extent, site: &Site) -> usize {
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        let rest = &bytes[at + 1..];
        let ends = match byte {
            b'\n' | b'\r' | 0x1b => true,
            b'#' if extent == Extent::Line => bytes[at - 1] == b' ' && at > start,
            b'#' => extent == Extent::Query,
            b' ' | b'\t' | 0x0b | 0x0c => matches!(extent, Extent::Word | Extent::Query),
            b'"' | b'\'' | b'`' => {
                // The quote may open a part of the value, as in `Digest username="…"`.
                let opens = at > start && b"=(: ,".contains(&bytes[at - 1]);
                let part = quote_at(bytes, at).filter(|_| opens).and_then(|quote| quote.close(bytes));
                if let Some((_, after)) = part {
                    at = after;
                    continue;
                }
                next.is_none_or(ends_value) || extent == Extent::Query
            }
            b'\\' => match next {
                Some(b'"' | b'\'' | b'\\') => ends_string(rest),
                Some(b'n' | b'r' | b't') => {
                    rest.len() == 1 || begins_pair(&rest[1..]) || ends_value(rest[1]) || extent == Extent::Line
                }
                _ => false,
            },
            b'&' if extent == Extent::Query || entity_at(&bytes[at..]).is_some() => true,
            b';' if extent == Extent::Connection => true,
            b',' if extent == Extent::Flow => next.is_none_or(|next| next.is_ascii_whitespace()) || begins_pair(rest),
            b',' | b';' | b'&' | b'|' if extent == Extent::Word && at > start => {
                next.is_none_or(|next| ends_value(next) || matches!(next, b'"' | b'\'' | b'`')) || begins_pair(rest)
            }
            b')' | b']' | b'}' if extent != Extent::Line => {
                let open = if *byte == b')' { b'(' } else { *byte - 2 };
                next.is_none_or(|next| ends_value(next) || matches!(next, b'"' | b'\'' | b'`'))
                    && is_open(&bytes[..site.name_start], open)
                    && !is_open(&bytes[start..at], open)
            }
            b'<' => {
                site.sign == Sign::Element
                    || next.is_some_and(|next| next == b'/' || next.is_ascii_alphabetic() && closes_element(rest))
            }
            b'>' => extent != Extent::Line && is_open(&bytes[..site.name_start], b'<') && next.is_none_or(ends_value),
            _ => false,
        };
        if ends {
            break;
        }
        at += 1;
    }
    at.min(bytes.len())
}

/// Returns `true` if backslashes and a quote end a string here.
fn ends_string(rest: &[u8]) -> bool {
    let escapes = rest.iter().take_while(|byte| **byte == b'\\').count();
    match &rest[escapes..] {
        [b'"' | b'\'', after @ ..] => after.first().is_none_or(|byte| ends_value(*byte) || *byte == b'"'),
        [b'n' | b'r' | b't', ..] => true,
        _ => false,
    }
}

/// Returns `true` if a name and a sign follow, as between the pairs of a list.
fn begins_pair(rest: &[u8]) -> bool {
    let name = rest.iter().take(48).take_while(|byte| byte.is_ascii_alphanumeric() || b"_-. ".contains(byte)).count();
    name > 1 && rest[0].is_ascii_alphabetic() && matches!(rest.get(name), Some(b'=' | b':'))
}

fn closes_element(rest: &[u8]) -> bool {
    rest.iter().take(64).any(|byte| *byte == b'>')
}
