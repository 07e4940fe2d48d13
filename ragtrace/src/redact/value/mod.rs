//! The values that follow the name of a secret, in any notation, read by a small grammar.
//!
//! A value is a quoted string, with any number of levels of escaping; brackets with values in them,
//! with or without a word before them, such as `Some(…)` and `Password { … }`; an indented block;
//! or plain text, whose end depends on the notation of the name. A function for each form returns
//! where the secret is; the text around it stays, so the text keeps its form.
//!
//! Reading is linear in the length of a text: bytes that are part of a value are skipped, and bytes
//! that are read without result are charged to [`Lookahead`]. When that is used up, the rest of the
//! text counts as secret.

mod block;
mod brackets;
mod plain;
mod prefix;
mod quoted;
mod site;
mod verdict;

use std::ops::Range;

use super::rules::MARK;

use prefix::skip_prefix;
pub(super) use quoted::{Quote, entity_before, quote_at};
use site::Reading;
pub(super) use site::{Lookahead, Sign, Site};
pub(super) use verdict::is_placeholder;

/// Finds the secret that follows the name of a secret.
#[cold]
#[inline(never)]
pub(super) fn secret_value(text: &str, site: &Site, lookahead: &mut Lookahead) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let at = skip_decoration(bytes, site.from);
    if text[at..].starts_with(MARK) {
        return None;
    }
    if at == site.from && bytes.get(at) == Some(&b'`') && opens_code_span(bytes, site.name_start) {
        return None;
    }
    if lookahead.left == 0 {
        return Some(at..text.len());
    }
    let reading = read(text, at, site, lookahead);
    let secret = reading.secret.filter(|secret| text.get(secret.clone()) != Some(MARK));
    if secret.is_none() {
        lookahead.spend(reading.read_to.saturating_sub(site.from));
    }
    secret
}

/// Returns `true` if a grave accent precedes the word with the name, as in the code span
/// `` `--password=` `` of Markdown. A grave accent after the sign then closes the span and opens no
/// value.
fn opens_code_span(bytes: &[u8], name_start: usize) -> bool {
    const LONGEST_WORD: usize = 64;
    let before = bytes[..name_start].iter().rev().take(LONGEST_WORD);
    let mut before = before.skip_while(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte));
    before.next() == Some(&b'`')
}

fn read(text: &str, at: usize, site: &Site, lookahead: &mut Lookahead) -> Reading {
    let bytes = text.as_bytes();
    let at = skip_prefix(bytes, at);
    if let Some(reading) = block::read(text, at, site) {
        return reading;
    }
    if let Some(quote) = quote_at(bytes, at) {
        return quoted::read(text, &quote, site);
    }
    if let Some(reading) = brackets::read(text, at, site, lookahead) {
        return reading;
    }
    plain::read(text, at, site)
}

/// Returns the length of the text between `=>` and a quoted value: in PHP a type on a line of its
/// own, and in Erlang the brackets of a binary.
fn behind_arrow(rest: &[u8]) -> usize {
    let spaces = rest.iter().take(256).take_while(|byte| byte.is_ascii_whitespace()).count();
    let rest = &rest[spaces..];
    if rest.starts_with(b"<<\"") {
        return spaces + 2;
    }
    let Some(length) = rest.strip_prefix(b"string(") else { return 0 };
    let digits = length.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length[digits..].starts_with(b") \"") { spaces + 7 + digits + 2 } else { 0 }
}

/// Returns the length of an HTML tag that highlights its content, after its opening angle bracket.
fn inline_tag(rest: &[u8]) -> Option<usize> {
    const TAGS: [&[u8]; 8] = [b"b>", b"/b>", b"code>", b"strong>", b"/strong>", b"em>", b"tt>", b"kbd>"];
    TAGS.iter().find(|tag| rest.starts_with(tag)).map(|tag| tag.len())
}

/// Returns the beginning of a value after its sign: after the rest of the sign, such as the angle
/// bracket of `=>`, spaces, emphasis and terminal colors.
fn skip_decoration(bytes: &[u8], from: usize) -> usize {
    const MOST_SPACES: usize = 64;
    let mut at = from;
    while at - from < 2 && matches!(bytes.get(at), Some(b'=' | b'>' | b'~')) && bytes[at - 1] != b'>' {
        at += 1;
    }
    if at > from && bytes[at - 1] == b'>' {
        at += behind_arrow(&bytes[at..]);
    }
    let mut spaces = 0;
    loop {
        let next = bytes.get(at..).unwrap_or_default();
        if let [b'<', tag @ ..] = next
            && let Some(length) = inline_tag(tag)
        {
            at += 1 + length;
            continue;
        }
        match next {
            [b' ' | b'\t', ..] if spaces < MOST_SPACES => (at, spaces) = (at + 1, spaces + 1),
            [b'*', b'*', ..] => at += 2,
            [0x1b, b'[', rest @ ..] => {
                let color = rest.iter().take(16).take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
                at += 2 + color + 1;
            }
            _ => return at.min(bytes.len()),
        }
    }
}
