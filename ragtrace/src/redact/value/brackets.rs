//! Values in brackets, with or without a word before them: `Some("…")`, `["…", "…"]`, `Password { …
//! }`.

use super::prefix::{skip_prefix, whitespace};
use super::quoted::{self, quote_at};
use super::site::{Lookahead, Reading, Sign, Site};
use super::verdict::{self, Form};
use crate::redact::rules::MARK;
use crate::redact::secret_names::Certainty;

/// The maximum length of a word before a bracket, in bytes.
const MAX_WORD: usize = 96;

/// The maximum number of nested brackets that are removed around a value. Deeper ones are part of
/// the value.
const MAX_DEPTH: usize = 16;

/// Reads a value in brackets, or returns `None` if there is none at `at`.
pub(super) fn read(text: &str, at: usize, site: &Site, lookahead: &mut Lookahead) -> Option<Reading> {
    let bytes = text.as_bytes();
    let word_end = at + word(&bytes[at..], site);
    let open = bracket_after(bytes, at, word_end)?;
    let may_be_braced = site.sign == Sign::Equals && open == at && bytes[open..].first_chunk() != Some(b"{{");
    if may_be_braced
        && bytes[open] == b'{'
        && let Some(end) = braced_end(bytes, open)
    {
        return Some(verdict::reading(text, open + 1..end, site, Form::Quoted));
    }
    let Some(close) = closing(bytes, open) else {
        lookahead.spend(bytes.len() - open);
        let next = whitespace(&bytes[open + 1..]);
        let is_cut = next > 0 && bytes[open + 1] != b' ' || quote_at(bytes, open + 1 + next).is_some();
        return is_cut.then(|| verdict::reading(text, open + 1..text.len(), site, Form::Cut));
    };
    let follows = bytes.get(close + 1).copied();
    // In `{noop}…` and `{SSHA}…`, the name of a hash precedes the value.
    let is_hash = bytes[at] == b'{' && follows.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'$');
    if !is_hash && verdict::is_placeholder(&text[at..=close])
        || bytes[open] == b'{' && verdict::is_schema(&text[open + 1..close])
    {
        return Some(Reading::nothing(close + 1));
    }
    if follows.is_some_and(|byte| !quoted::ends_value(byte) && byte != b'"' && byte != b'\'' && byte != b'`') {
        lookahead.spend(close - open);
        return None;
    }
    let is_call = bytes[open] == b'('
        && bytes[at..open].first().is_some_and(|byte| byte.is_ascii_lowercase() || *byte == b'_')
        && !text[at..open].contains("::");
    let form = if is_call { Form::Call } else { Form::Brackets };
    let mut reading = peeled(text, open + 1, close, site, form);
    reading.read_to = close + 1;
    Some(reading)
}

/// Removes everything else around a value, and returns the innermost one.
fn peeled(text: &str, start: usize, end: usize, site: &Site, form: Form) -> Reading {
    let bytes = text.as_bytes();
    let (mut start, mut end) = (start, end);
    for _ in 0..MAX_DEPTH {
        (start, end) = trimmed(bytes, start, end);
        let inner = skip_prefix(&bytes[..end], start);
        if let Some(quote) = quote_at(&bytes[..end], inner) {
            let closes = quote.close(&bytes[..end]);
            let (content, last) = match closes {
                Some((content_end, after)) if after >= end => (quote.content, content_end),
                // Several values are read as one, from the first to the last.
                Some(_) => (quote.content, last_quote(bytes, &quote, end).unwrap_or(end)),
                None => (quote.content, end),
            };
            let form = if form == Form::Call { Form::Call } else { Form::Quoted };
            return verdict::reading(text, content..last.max(content), site, form);
        }
        let open = bracket_after(bytes, start, start + word(&bytes[start..end], site)).filter(|open| *open < end);
        match open.and_then(|open| Some((open, closing(&bytes[..end], open)?))) {
            Some((open, close)) if close + 1 == end && !text[start..end].starts_with(MARK) => {
                (start, end) = (open + 1, close);
            }
            _ => break,
        }
    }
    verdict::reading(text, start..end, site, form)
}

/// Returns the end of the last of several quoted values, if its quotes are those of the first.
fn last_quote(bytes: &[u8], first: &quoted::Quote, end: usize) -> Option<usize> {
    let opening = &bytes[..first.content];
    let quote = *opening.last()?;
    let escapes = opening[..opening.len() - 1].iter().rev().take_while(|byte| **byte == b'\\').count();
    let at = end.checked_sub(1).filter(|at| bytes[*at] == quote)?;
    Some(at - bytes[first.content..at].iter().rev().take(escapes).take_while(|byte| **byte == b'\\').count())
}

/// Removes spaces, and the comma after the last field.
fn trimmed(bytes: &[u8], start: usize, end: usize) -> (usize, usize) {
    let start = (start + whitespace(&bytes[start..end])).min(end);
    let mut end = end;
    loop {
        let before = &bytes[start..end];
        match before {
            [.., b'\\', b'n' | b'r' | b't'] => {
                let run = before[..before.len() - 1].iter().rev().take_while(|byte| **byte == b'\\').count();
                end -= 1 + run;
            }
            [.., last] if last.is_ascii_whitespace() || *last == b',' => end -= 1,
            _ => return (start, end),
        }
    }
}

/// Returns the length of the word before a bracket, such as `Some` or `secrets::Password<u8>`.
fn word(rest: &[u8], site: &Site) -> usize {
    let is_first = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'<' | b'&');
    if site.certainty == Certainty::Header && site.sign != Sign::Comma
        || !rest.first().is_some_and(|byte| is_first(*byte))
    {
        return 0;
    }
    let is_in_word =
        |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.' | b'<' | b'>' | b'!' | b'&');
    rest.iter().take(MAX_WORD).take_while(is_in_word).count()
}

/// Returns the index of the bracket after a word.
fn bracket_after(bytes: &[u8], start: usize, word_end: usize) -> Option<usize> {
    let is_type = bytes[start..word_end].iter().any(u8::is_ascii_uppercase);
    match bytes.get(word_end..)? {
        [b'(' | b'[' | b'{', ..] => Some(word_end),
        [b' ', b'{' | b'[', ..] if is_type => Some(word_end + 1),
        _ => None,
    }
}

/// Returns the index at which the bracket at `open` is closed. Brackets in strings do not count.
fn closing(bytes: &[u8], open: usize) -> Option<usize> {
    let (mut at, mut depth, mut escapes) = (open, 0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        let before = std::mem::take(&mut escapes);
        match byte {
            b'\\' => escapes = before + 1,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            b'"' => {
                at = quote_at(bytes, at - before)?.close(bytes)?.1;
                continue;
            }
            // An apostrophe does not open a quote.
            b'\'' if b"[({,:= ".contains(&bytes[at.saturating_sub(1)]) => {
                if let Some((_, after)) =
                    quote_at(bytes, at).and_then(|quote| quote.close(&bytes[..bytes.len().min(at + 1024)]))
                {
                    at = after;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Returns the end of a value in braces in a connection string, in which closing braces are
/// doubled: `{a;b}}c}`.
fn braced_end(bytes: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        match bytes.get(at..)? {
            [] | [b'\n' | b'"' | b'\'', ..] => return None,
            [b'}', b'}', ..] => at += 2,
            [b'}', after @ ..] => {
                return after.first().is_none_or(|byte| quoted::ends_value(*byte) || *byte == b'"').then_some(at);
            }
            _ => at += 1,
        }
    }
}
