//! The values that stand behind a secret's name, in whatever notation: one small grammar.
//!
//! A value is a quoted string, escaped as often as may be; brackets with values in them, with or
//! without a word before them, as `Some(…)` and `Password { … }`; an indented block; or plain text,
//! whose end depends on what its name stands in. Each is read by a function of its own, which says
//! where the secret is; wrapping stays, so that a text keeps its form.
//!
//! Reading is linear in the length of a text: what is taken is skipped, and what is looked at in
//! vain is charged to [`Lookahead`], beyond which the rest of a text counts as secret.

mod block;
mod brackets;
mod plain;
mod quoted;
mod verdict;

use std::ops::Range;

use super::rules::MARK;
use super::secret_names::Certainty;

pub(super) use quoted::{Quote, quote_at};
pub(super) use verdict::is_placeholder;

/// What stands between a name and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// `password: …`
    Colon,
    /// `password=…`
    Equals,
    /// `("password", …)`
    Comma,
    /// `--password …`, `PASSWORD '…'`
    Space,
    /// `<password>…`
    Element,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    /// Where the name begins.
    pub(super) name_start: usize,
    /// Where the sign ends.
    pub(super) from: usize,
    pub(super) sign: Sign,
    pub(super) is_name_quoted: bool,
    pub(super) certainty: Certainty,
}

/// How many bytes of a text may be looked at in vain.
#[derive(Debug)]
pub(super) struct Lookahead {
    left: usize,
}

impl Lookahead {
    pub(super) fn for_text(text: &str) -> Self {
        Self { left: 16 * text.len() + 65_536 }
    }

    fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }
}

/// A value, and how far it was read.
struct Reading {
    /// The secret, or `None` if the value says none.
    secret: Option<Range<usize>>,
    read_to: usize,
}

impl Reading {
    fn nothing(read_to: usize) -> Self {
        Self { secret: None, read_to }
    }
}

/// Finds the secret behind a secret's name.
#[cold]
#[inline(never)]
pub(super) fn secret_value(text: &str, site: &Site, lookahead: &mut Lookahead) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let at = skip_decoration(bytes, site.from);
    if text[at..].starts_with(MARK) {
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

/// Returns where a value begins after the sign before it: behind the rest of the sign, such as the
/// angle of `=>`, spaces, emphasis and the colors of a terminal.
fn skip_decoration(bytes: &[u8], from: usize) -> usize {
    const MOST_SPACES: usize = 64;
    let mut at = from;
    while at - from < 2 && matches!(bytes.get(at), Some(b'=' | b'>' | b'~')) && bytes[at - 1] != b'>' {
        at += 1;
    }
    let mut spaces = 0;
    loop {
        match bytes.get(at..).unwrap_or_default() {
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

/// Skips what stands directly before a string: `b` of a byte string, `!!str` of YAML.
fn skip_prefix(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    // A tag or an anchor of YAML.
    while matches!(bytes.get(at), Some(b'!' | b'&')) {
        let word =
            bytes[at + 1..].iter().take(64).take_while(|byte| byte.is_ascii_alphanumeric() || b"!/:_-.".contains(byte));
        let end = at + 1 + word.count();
        if bytes.get(end) == Some(&b' ') && end > at + 1 && bytes.get(end + 1) != Some(&b'=') {
            at = end + 1;
        } else if quote_at(bytes, at + 1).is_some() {
            return at + 1;
        } else {
            break;
        }
    }
    let letters =
        bytes[at..].iter().take(3).take_while(|byte| b"brfuNLc@$".contains(&byte.to_ascii_lowercase())).count();
    let hashes = bytes[at + letters..].iter().take(8).take_while(|byte| **byte == b'#').count();
    let quote = at + letters + hashes;
    if letters > 0 && matches!(bytes.get(quote), Some(b'"' | b'\'' | b'\\')) && quote_at(bytes, quote).is_some() {
        return quote;
    }
    at
}

/// Returns the length of the whitespace at the beginning of some bytes, which may be escaped as a
/// string has it, as often as may be.
fn whitespace(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match bytes.get(at) {
            Some(byte) if byte.is_ascii_whitespace() => at += 1,
            Some(b'\\') => {
                let run = bytes[at..].iter().take_while(|byte| **byte == b'\\').count();
                if !matches!(bytes.get(at + run), Some(b'n' | b'r' | b't')) {
                    return at;
                }
                at += run + 1;
            }
            _ => return at,
        }
    }
}
