//! Finds the name of a secret next to a sign, in the notations that place a value after a name.

use std::ops::Range;

use super::loose_names::{
    PAIRED, after_paired_tag, behind_a_word, encoded_pair, ends_in_letter, foreign_name, is_in_query, putty_key,
    query_value,
};
use super::name_before::{Name, is_name, name_before};
use super::rules::Rules;
use super::secret_names::{Certainty, MAX_NAME};
use super::value::{Lookahead, Quote, Sign, Site, quote_at, secret_value};

/// Finds the secret after a colon or an equals sign at `at`.
pub(super) fn after_sign(text: &str, at: usize, rules: &Rules, lookahead: &mut Lookahead) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut from = at + 1;
    // Two colons are part of a path in code. In LDIF, two colons and a space precede a value in
    // base64.
    if bytes.get(from) == Some(&b':') {
        from += 1;
        if bytes.get(from) != Some(&b' ') || bytes[at] != b':' {
            return None;
        }
    }
    if at > 0 && bytes[at - 1] == b':' {
        return None;
    }
    let Some(name) = name_before(text, at) else {
        return if ends_in_letter(bytes, at) { foreign_name(text, at, at + 1, lookahead) } else { None };
    };
    let sign = if bytes[at] == b':' { Sign::Colon } else { Sign::Equals };
    if let Some(certainty) = rules.names.certainty(name.text) {
        let value = &text[from..];
        if name.text.eq_ignore_ascii_case("pwd") && value.trim_start_matches(' ').starts_with('/') {
            return None;
        }
        // Two words may be part of a sentence.
        let is_spoken = name.text.contains(' ') && !name.is_quoted;
        let certainty = if is_spoken { Certainty::Ambiguous } else { certainty };
        // In OpenSSL's options, `pass:` means that the password itself follows.
        let before = &bytes[..name.start];
        let is_source = name.text == "pass"
            && [&b"-pass "[..], b"-passin ", b"-passout "].iter().any(|option| before.ends_with(option));
        let certainty = if is_source { Certainty::Certain } else { certainty };
        let site = Site { name_start: name.start, from, sign, is_name_quoted: name.is_quoted, certainty };
        return secret_value(text, &site, lookahead);
    }
    match name.text.as_bytes() {
        // `jdbc:oracle:thin:user/password@…`
        [.., b'i', b'n'] if name.text == "thin" => oracle_password(text.as_bytes(), at + 1),
        [.., b'i', b'g'] | [.., b'r' | b'd', b'e'] if is_in_query(bytes, &name) => query_value(text, at + 1, &name),
        [.., b't', b'h'] if name.is_quoted && name.text == "auth" => encoded_pair(text, at + 1),
        [.., b't', b'e'] | [.., b'e', b'd'] | [.., b'i' | b'a' | b's', b's'] | [.., b's', b't']
            if name.text.len() < 10 =>
        {
            behind_a_word(text, at, &name, rules, lookahead)
        }
        [.., b'e', b's'] if name.text == "Private-Lines" => putty_key(text, at),
        // `{"name": "password", "value": "…"}`
        [.., b'm' | b'l' | b'M' | b'p', b'e' | b'E']
        | [.., b'e' | b'E', b'y' | b'Y' | b'r' | b'R']
        | [.., b'd' | b'D' | b'm'] => named_by_value(text, at, &name, rules, lookahead),
        [b'a' | b'o'] if name.start > 0 && !bytes[name.start - 1].is_ascii() => {
            foreign_name(text, at, at + 1, lookahead)
        }
        [b'p', b'a', b's', b's', b'e'] => foreign_name(text, at, at + 1, lookahead),
        _ => None,
    }
}

/// Finds the value of a pair whose name is the value of another pair: `name="password" value="…"`.
#[cold]
#[inline(never)]
fn named_by_value(
    text: &str,
    at: usize,
    name: &Name<'_>,
    rules: &Rules,
    lookahead: &mut Lookahead,
) -> Option<Range<usize>> {
    const NAMES: &[&str] = &["name", "key", "type", "header", "field", "param", "parameter", "variable", "id"];
    let bytes = text.as_bytes();
    let last = name.text.rsplit(' ').next().unwrap_or_default();
    if !NAMES.iter().any(|known| last.eq_ignore_ascii_case(known)) {
        return None;
    }
    let start = at + 1 + bytes[at + 1..].iter().take(8).take_while(|byte| **byte == b' ').count();
    let quote = quote_at(bytes, start);
    let start = quote.as_ref().map_or(start, |quote| quote.content);
    let length = bytes[start..].iter().take(MAX_NAME).take_while(|byte| is_name(**byte)).count();
    let certainty = rules.names.certainty(&text[start..start + length])?;
    let end = start + length;
    let between = bytes[end..].iter().take(64).take_while(|byte| b" \t\r\n\"'`,\\;nrt/&quo-".contains(byte)).count();
    let mut next = end + between;
    // In the field of a form, an empty line precedes the value.
    let gap = &bytes[end..next];
    let is_form = gap.starts_with(b"\"\r\n\r\n") || gap.starts_with(b"\"\n\n");
    let sign = if is_form {
        Sign::Element
    } else if bytes.get(next) == Some(&b'>') {
        next += 1;
        Sign::Element
    } else {
        if bytes[next..].starts_with(b"slotSetting") {
            // Azure writes another setting between a name and its value.
            let is_between = |byte: &&u8| byte.is_ascii_alphabetic() || b"\"\\: \t".contains(byte);
            next += bytes[next..].iter().take(32).take_while(is_between).count();
            next += bytes[next..].iter().take(64).take_while(|byte| b" \t\r\n\"\\,".contains(byte)).count();
        }
        let word = bytes[next..].iter().take(16).take_while(|byte| byte.is_ascii_alphabetic()).count();
        let word_text = &text[next..next + word];
        if !["value", "val", "default", "content", "data"].iter().any(|known| word_text.eq_ignore_ascii_case(known)) {
            return None;
        }
        next += word;
        next += bytes[next..].iter().take(8).take_while(|byte| b"\"'`\\ ".contains(byte)).count();
        if bytes[next..].starts_with(b"&quot;") {
            next += 6;
        }
        if !matches!(bytes.get(next), Some(b':' | b'=')) {
            return None;
        }
        next += 1;
        if bytes[next - 1] == b':' { Sign::Colon } else { Sign::Equals }
    };
    let site = Site { name_start: start, from: next, sign, is_name_quoted: true, certainty };
    secret_value(text, &site, lookahead)
}

/// Finds the password in `user/password@host`.
#[cold]
fn oracle_password(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let word = bytes[from..].iter().take(512).take_while(|byte| !byte.is_ascii_whitespace() && **byte != b'"').count();
    let word = &bytes[from..from + word];
    let slash = word.iter().position(|byte| *byte == b'/')?;
    let end = word.iter().rposition(|byte| *byte == b'@')?;
    (slash + 1 < end && slash > 0).then_some(from + slash + 1..from + end)
}

/// Finds the secret in a pair whose name ends with the quote at `at`: `("password", "…")`.
pub(super) fn after_comma(text: &str, at: usize, rules: &Rules, lookahead: &mut Lookahead) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let escapes = bytes[..at].iter().rev().take(64).take_while(|byte| **byte == b'\\').count();
    let end = at - escapes;
    let length = bytes[..end].iter().rev().take_while(|byte| is_name(**byte)).count();
    let start = end - length;
    let certainty = rules.names.certainty(&text[start..end])?;
    let opening = bytes[..start].strip_suffix(&[bytes[at]])?;
    let opening = opening.strip_suffix(&bytes[end..at])?.trim_ascii_end();
    let next = at + 2 + bytes[at + 2..].iter().take(8).take_while(|byte| **byte == b' ').count();
    let is_option = text[start..end].starts_with('-');
    if !is_option && !matches!(opening.last(), Some(b'(' | b'[')) {
        return None;
    }
    if opening.last() == Some(&b'[') && !is_option {
        // The list is a pair only if it has two elements; otherwise it may be a list of names.
        let (_, after) = quote_at(bytes, next)?.close(bytes)?;
        if bytes[after..].trim_ascii_start().first() != Some(&b']') {
            return None;
        }
    }
    let is_pair = quote_at(bytes, next).and_then(|quote| quote.close(bytes)).is_none_or(|(_, after)| {
        bytes[after..].trim_ascii_start().first().is_none_or(|byte| matches!(byte, b')' | b','))
            && !bytes[after..].starts_with(b", ")
    });
    let is_sure = is_option || opening.last() == Some(&b'(') && is_pair;
    let certainty = if is_sure { certainty } else { Certainty::Ambiguous };
    let site = Site { name_start: start, from: at + 2, sign: Sign::Comma, is_name_quoted: true, certainty };
    quote_at(bytes, next).or_else(|| wrapped_quote(bytes, next))?;
    secret_value(text, &site, lookahead)
}

/// Returns the quote in `Some("…")` or `b"…"`.
fn wrapped_quote(bytes: &[u8], from: usize) -> Option<Quote> {
    let word = bytes[from..]
        .iter()
        .take(64)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_:(&#".contains(byte))
        .count();
    quote_at(bytes, from + word)
}

/// Finds the secret in quotes after a space at `at` that follows a name or SQL's `IDENTIFIED BY`.
pub(super) fn after_space(text: &str, at: usize, rules: &Rules, lookahead: &mut Lookahead) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let length = bytes[..at].iter().rev().take_while(|byte| is_name(**byte)).count();
    let start = at - length;
    let name = &text[start..at];
    let certainty = match rules.names.certainty(name) {
        Some(Certainty::Header) => return None,
        Some(certainty) => certainty,
        None if name.eq_ignore_ascii_case("by") && is_identified(bytes, start) => Certainty::Certain,
        None => return None,
    };
    let site = Site { name_start: start, from: at + 1, sign: Sign::Space, is_name_quoted: false, certainty };
    secret_value(text, &site, lookahead)
}

/// Finds the secret in quotes after a bracket at `at` that follows the name of a type or a
/// function: `Password("…")`.
pub(super) fn after_bracket(text: &str, at: usize, rules: &Rules, lookahead: &mut Lookahead) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let length = bytes[..at].iter().rev().take_while(|byte| is_name(**byte) && **byte != b'.').count();
    let start = at - length;
    let certainty = rules.names.certainty(&text[start..at])?;
    quote_at(bytes, at + 1)?;
    if certainty != Certainty::Certain {
        return None;
    }
    // The argument of a function may be the name that the function looks up.
    let certainty = if bytes[start].is_ascii_uppercase() { certainty } else { Certainty::Ambiguous };
    let site = Site { name_start: start, from: at + 1, sign: Sign::Space, is_name_quoted: false, certainty };
    secret_value(text, &site, lookahead)
}

/// Returns `true` if `IDENTIFIED`, or `IDENTIFIED WITH` and a plugin, ends at an index.
#[cold]
fn is_identified(bytes: &[u8], before: usize) -> bool {
    const LONGEST: usize = 64;
    let line = &bytes[before.saturating_sub(LONGEST)..before];
    line.windows(10).any(|window| window.eq_ignore_ascii_case(b"identified"))
}

/// Finds the text of an XML element that begins at `at` and is named after a secret.
pub(super) fn after_tag(text: &str, at: usize, rules: &Rules, lookahead: &mut Lookahead) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let length = bytes[at + 1..].iter().take_while(|byte| is_name(**byte) || **byte == b':').count();
    let end = at + 1 + length;
    let name = &text[at + 1..end];
    if !matches!(bytes.get(end), Some(b'>' | b' ')) {
        return None;
    }
    if PAIRED.iter().any(|paired| name.eq_ignore_ascii_case(paired)) {
        return after_paired_tag(text, end, rules, lookahead);
    }
    let certainty = rules.names.certainty(name.rsplit(':').next().unwrap_or(name))?;
    let from = end + bytes[end..].iter().take(256).position(|byte| matches!(byte, b'>' | b'<'))?;
    if bytes[from] == b'<' || bytes[from - 1] == b'/' {
        return None;
    }
    // A placeholder in a usage text has the same form, but no closing tag.
    let content = &bytes[from + 1..];
    let content = content
        .iter()
        .take(8192)
        .position(|byte| *byte == b'<')
        .map(|end| &content[..end + 2.min(content.len() - end)]);
    if !content.is_some_and(|content| content.ends_with(b"</") || content.ends_with(b"<!")) {
        return None;
    }
    if bytes[from + 1..].starts_with(b"<![CDATA[") {
        let start = from + 10;
        let length = text[start..].find("]]>")?;
        return (length > 0).then_some(start..start + length);
    }
    let from = from + bytes[from + 1..].iter().take(256).take_while(|byte| byte.is_ascii_whitespace()).count();
    let site = Site { name_start: at + 1, from: from + 1, sign: Sign::Element, is_name_quoted: true, certainty };
    secret_value(text, &site, lookahead)
}

/// Finds the value of a pair whose sign is percent-encoded: `password%3D…`.
pub(super) fn after_encoded_sign(text: &str, at: usize, rules: &Rules) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut end = at;
    while bytes[..end].ends_with(b"%22") || bytes[..end].ends_with(b"%27") {
        end -= 3;
    }
    let length = bytes[..end].iter().rev().take_while(|byte| is_name(**byte)).count();
    // The rest of an escape is not part of the name.
    let name = &text[end - length..end];
    let name = if bytes[..end - length].ends_with(b"%") { name.get(2..).unwrap_or_default() } else { name };
    rules.names.certainty(name)?;
    let mut start = at + 3;
    loop {
        let rest = &bytes[start..];
        let skipped = ["%22", "%27", "%20", "+"].iter().find(|skipped| rest.starts_with(skipped.as_bytes()));
        let Some(skipped) = skipped else { break };
        start += skipped.len();
    }
    let ends = |rest: &[u8]| {
        matches!(rest[0], b'&' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'#')
            || rest[0].is_ascii_whitespace()
            || ["%22", "%26", "%7D", "%7d", "%0A", "%0a"].iter().any(|end| rest.starts_with(end.as_bytes()))
    };
    let length = (start..bytes.len()).take_while(|at| !ends(&bytes[*at..])).count();
    let value = &text[start..start + length];
    let says_nothing = ["null", "true", "false", super::rules::MARK].contains(&value);
    (length > 0 && !says_nothing).then_some(start..start + length)
}
