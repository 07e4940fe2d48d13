//! Finds secrets in the arguments of commands: after long options named after a secret, and after
//! the short options of some commands.

use std::ops::Range;

use super::name_before::is_name;
use super::rules::Rules;
use super::secret_names::{self, Certainty};
use super::value::{self, Lookahead, Sign, Site, quote_at, secret_value};

/// Finds the secret after the long option that begins at `at`.
pub(super) fn after_option(text: &str, at: usize, rules: &Rules, lookahead: &mut Lookahead) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let is_start = at == 0 || b" \t\n\r\"'`=[(".contains(&bytes[at - 1]);
    let length = bytes[at..].iter().take_while(|byte| is_name(**byte)).count();
    let end = at + length;
    if !is_start || bytes.get(end) != Some(&b' ') {
        return None;
    }
    let name = &text[at + 2..end];
    let next = end + bytes[end..].iter().take(64).take_while(|byte| **byte == b' ').count();
    let Some(certainty) = rules.names.certainty(name) else {
        return (name == "user" || name == "proxy-user").then(|| user_and_password(text, next)).flatten();
    };
    if matches!(bytes.get(next), None | Some(b'-' | b'<' | b'[' | b'|' | b'\n' | b'\r')) {
        return None;
    }
    // In prose about an option, other words follow.
    let word = bytes[next..].iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
    let after = bytes[next + word..].trim_ascii_start();
    let is_argument = after.is_empty()
        || bytes[next + word..].starts_with(b"\n")
        || after.starts_with(b"http://")
        || after.starts_with(b"https://")
        || matches!(after[0], b'-' | b'"' | b'\'' | b'|' | b'&' | b'>' | b'/' | b'$' | b'\\');
    let certainty = if certainty == Certainty::Header { Certainty::Certain } else { certainty };
    let sign = if is_argument || quote_at(bytes, next).is_some() { Sign::Equals } else { Sign::Space };
    let site = Site { name_start: at, from: end, sign, is_name_quoted: false, certainty };
    secret_value(text, &site, lookahead)
}

/// Commands with short options for passwords, which follow the option directly or after a space.
const COMMANDS: &[(&str, &str)] = &[
    ("mysql", "-p"),
    ("mysqldump", "-p"),
    ("mysqladmin", "-p"),
    ("mariadb", "-p"),
    ("mariadb-dump", "-p"),
    ("sshpass", "-p "),
    ("docker login", "-p "),
    ("podman login", "-p "),
    ("redis-cli", "-a "),
    ("ldapsearch", "-w "),
];

/// Finds the password after a short option of a command, at the space before the option.
pub(super) fn after_short_option(text: &str, at: usize) -> Option<Range<usize>> {
    const LONGEST: usize = 256;
    let bytes = text.as_bytes();
    let rest = &text[at + 1..];
    let before = &bytes[at.saturating_sub(LONGEST)..at];
    let line = before.iter().rposition(|byte| *byte == b'\n').map_or(before, |end| &before[end + 1..]);
    let has_command = |command: &str| {
        let is_whole = |end: usize| line.get(end).is_none_or(|byte| *byte == b' ');
        line.windows(command.len())
            .enumerate()
            .any(|(at, window)| window == command.as_bytes() && is_whole(at + command.len()))
    };
    let value_end = |start: usize| {
        start + bytes[start..].iter().take_while(|byte| !byte.is_ascii_whitespace() && !b"\"'`".contains(byte)).count()
    };
    if rest.starts_with("-u") && has_command("curl") {
        let spaces = bytes[at + 3..].iter().take(8).take_while(|byte| **byte == b' ').count();
        return user_and_password(text, at + 3 + spaces);
    }
    let (_, option) = COMMANDS.iter().find(|(command, option)| rest.starts_with(option) && has_command(command))?;
    let start = at + 1 + option.len();
    if let Some(quote) = quote_at(bytes, start) {
        let (end, _) = quote.close(bytes)?;
        return Some(quote.content..end);
    }
    let end = value_end(start);
    (end > start && bytes[start] != b'-' && !value::is_placeholder(&text[start..end])).then_some(start..end)
}

/// Finds the secret after the word at `at` that begins a line in some files and protocols: `ENV` in
/// the build file of a container, `machine` in `.netrc`, and `AUTH` in SMTP (RFC 4954).
pub(super) fn after_keyword(text: &str, at: usize) -> Option<Range<usize>> {
    const LONGEST: usize = 512;
    let bytes = text.as_bytes();
    let rest = &bytes[at..bytes.len().min(at + LONGEST)];
    let words = |from: usize| {
        let spaces = rest[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let start = from + spaces;
        start..start + rest[start..].iter().take_while(|byte| !byte.is_ascii_whitespace()).count()
    };
    let value = if rest.starts_with(b"ENV ") {
        let name = words(4);
        let is_secret = std::str::from_utf8(&rest[name.clone()]).is_ok_and(secret_names::is_known);
        is_secret.then(|| words(name.end))?
    } else if rest.starts_with(b"AUTH PLAIN ") {
        let value = words(11);
        let is_base64 = rest[value.clone()].iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte));
        (value.len() > 7 && is_base64).then_some(value)?
    } else if rest.starts_with(b"machine ") {
        let mut word = words(words(8).end);
        let is_pair = |word: &Range<usize>| matches!(&rest[word.clone()], b"login" | b"account" | b"port");
        while is_pair(&word) {
            word = words(words(word.end).end);
        }
        (rest[word.clone()] == *b"password").then(|| words(word.end))?
    } else {
        return None;
    };
    let secret = at + value.start..at + value.end;
    (!value.is_empty() && !text.get(secret.clone()).is_none_or(value::is_placeholder)).then_some(secret)
}

/// Finds the password in `user:password`, the argument of a command.
#[cold]
fn user_and_password(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let quote = quote_at(bytes, from);
    let (start, end) = match quote.as_ref().map(|quote| (quote.content, quote.close(bytes))) {
        Some((start, Some((end, _)))) => (start, end),
        Some(_) => return None,
        None => (
            from,
            from + bytes[from..]
                .iter()
                .take_while(|byte| !byte.is_ascii_whitespace() && !b"\"'`".contains(byte))
                .count(),
        ),
    };
    let colon = start + bytes[start..end].iter().position(|byte| *byte == b':')?;
    let password = &text[colon + 1..end];
    let is_group =
        password.bytes().all(|byte| byte.is_ascii_digit()) && bytes[start..colon].iter().all(u8::is_ascii_digit);
    (!password.is_empty() && !is_group && !value::is_placeholder(password)).then_some(colon + 1..end)
}
