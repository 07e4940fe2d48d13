//! Secrets in the middle of texts, by what they look like and by what stands before them.
//!
//! One pass from left to right. What is looked at ahead is either taken, and skipped, or bounded, and a run of word
//! characters is measured once, where it begins; so the time is linear in the length, whatever the text.

use std::ops::Range;

use super::keys::LONGEST;
use super::{MARK, Redactor};

/// How keys begin, and how long such a word is at least.
const PREFIXES: &[(&str, usize)] = &[
    // model providers and what goes with them
    ("sk-", 20),
    ("sk_", 20),
    ("hf_", 20),
    ("gsk_", 20),
    ("pplx-", 20),
    ("lsv2_", 20),
    ("nvapi-", 20),
    ("xai-", 20),
    ("r8_", 20),
    ("pcsk_", 20),
    ("jina_", 20),
    ("tvly-", 20),
    // clouds and services
    ("AIza", 35),
    ("ya29.", 20),
    ("rk_live_", 20),
    ("whsec_", 20),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("xoxa-", 20),
    ("xoxs-", 20),
    ("xapp-", 20),
    ("npm_", 30),
    ("pypi-", 30),
    ("SG.", 30),
    ("dop_v1_", 30),
];

/// Names that stand before a colon in prose, too, so that what follows has to look like a secret.
const PROSE: &[&str] = &["token", "secret", "credentials"];

/// Words between a name and its value.
const SCHEMES: &[&str] = &["bearer", "basic", "digest", "token", "apikey"];

/// The text with a mark in the place of each secret, or `None` if there is none.
pub(super) fn scrub(text: &str, redactor: &Redactor) -> Option<String> {
    let mut scrubbed: Option<String> = None;
    let (mut at, mut copied) = (0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        if redactor.prefixes.is_empty() {
            at = next_beginning(bytes, at);
            if at == bytes.len() {
                break;
            }
        }
        let secret = secret_at(text, at, redactor).filter(|secret| secret.end > secret.start);
        // What was looked through before, such as a reason that becomes a record, has marks already.
        let is_mark =
            |secret: &Range<usize>| text[secret.start..].starts_with(MARK) && secret.end <= secret.start + MARK.len();
        let Some(secret) = secret.filter(|secret| !is_mark(secret)) else {
            at += 1;
            continue;
        };
        let out = scrubbed.get_or_insert_with(|| String::with_capacity(text.len()));
        out.push_str(&text[copied..secret.start]);
        out.push_str(MARK);
        copied = secret.end;
        at = secret.end;
    }
    if let Some(out) = &mut scrubbed {
        out.push_str(&text[copied..]);
    }
    scrubbed
}

/// The next place from `at` on where [`secret_at`] has to look, rules of the user's aside: most bytes are none, and those take
/// a few instructions each.
fn next_beginning(bytes: &[u8], at: usize) -> usize {
    let mut rest = bytes[at..].iter();
    let Some(first) = rest.next() else { return bytes.len() };
    let mut groups = GROUPS.firsts[usize::from(*first)];
    while let Some(second) = rest.next() {
        let second = usize::from(*second);
        if groups & GROUPS.seconds[second] != 0 {
            let here = bytes.len() - rest.len() - 2;
            if is_beginning(bytes, here, groups & GROUPS.seconds[second]) {
                return here;
            }
        }
        groups = GROUPS.firsts[second];
    }
    // Nothing begins with the last byte: a sign has nothing after it there.
    bytes.len()
}

/// Whether what begins at `at` is one of `groups` by its third byte and the one before it, too.
fn is_beginning(bytes: &[u8], at: usize, groups: u32) -> bool {
    let third = bytes.get(at + 2).map_or(SIGN, |third| GROUPS.thirds[usize::from(*third)]);
    let is_in_word = at.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_alphanumeric());
    groups & third & if is_in_word { SIGNS } else { u32::MAX } != 0
}

/// Beginnings of secrets by their first three bytes, in groups with the same first two, a bit each: for each byte the groups
/// that it may be the first, the second and the third of.
struct Groups {
    firsts: [u32; 256],
    seconds: [u32; 256],
    thirds: [u32; 256],
}

/// A colon or an equals sign, whatever comes after it.
const SIGN: u32 = 1;
/// The dashes of a private key.
const DASHES: u32 = 2;
/// These may stand behind a letter or a digit.
const SIGNS: u32 = SIGN | DASHES;

/// Beginnings that [`word`] knows besides those in [`PREFIXES`].
const OTHERS: [&[u8; 3]; 11] = [b"AKI", b"ASI", b"eyJ", b"bea", b"beA", b"bEa", b"bEA", b"Bea", b"BeA", b"BEa", b"BEA"];

static GROUPS: Groups = {
    let mut groups = Groups { firsts: [0; 256], seconds: [SIGN; 256], thirds: [SIGN; 256] };
    groups.firsts[b':' as usize] = SIGN;
    groups.firsts[b'=' as usize] = SIGN;
    groups.firsts[b'-' as usize] = DASHES;
    groups.seconds[b'-' as usize] = SIGNS;
    groups.thirds[b'-' as usize] = SIGNS;
    let mut pairs = [[0; 2]; u32::BITS as usize];
    // The lowest bits are the signs'.
    let (mut known, mut at) = (2, 0);
    while at < PREFIXES.len() + OTHERS.len() {
        let beginning = if at < PREFIXES.len() { PREFIXES[at].0.as_bytes() } else { OTHERS[at - PREFIXES.len()] };
        let (first, second, third) = (beginning[0], beginning[1], beginning[2]);
        let mut group = 2;
        while group < known && (pairs[group][0] != first || pairs[group][1] != second) {
            group += 1;
        }
        if group == known {
            assert!(known < pairs.len(), "one bit a group: give `Groups` longer numbers");
            pairs[group] = [first, second];
            known += 1;
        }
        groups.firsts[first as usize] |= 1 << group;
        groups.seconds[second as usize] |= 1 << group;
        groups.thirds[third as usize] |= 1 << group;
        at += 1;
    }
    groups
};

/// The secret that is found when the byte at `at` is looked at. It begins there or later.
fn secret_at(text: &str, at: usize, redactor: &Redactor) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    match bytes[at] {
        b':' if bytes[at..].starts_with(b"://") => credentials(bytes, at + 3),
        b':' | b'=' => named(text, at, redactor),
        b'-' => private_key(text, at),
        byte if byte.is_ascii_alphanumeric() && (at == 0 || !bytes[at - 1].is_ascii_alphanumeric()) => {
            word(bytes, at, redactor)
        }
        _ => own_prefix(bytes, at, redactor),
    }
}

/// `user:password@` after `://`.
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

/// A value after a name that is secret and a colon or an equals sign.
fn named(text: &str, at: usize, redactor: &Redactor) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let (mut name_end, quotes) = (at, b"\"'` \\");
    while name_end > 0 && at - name_end < 3 && quotes.contains(&bytes[name_end - 1]) {
        name_end -= 1;
    }
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let length = bytes[..name_end].iter().rev().take(LONGEST).take_while(|byte| is_name(byte)).count();
    let name = &text[name_end - length..name_end];
    if !redactor.is_secret(name) {
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

/// Where a value begins, whether its quotes are escaped, and the quote that closes it: after spaces, `Some(` and the quote
/// that opens it.
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

/// Where a value ends; a backslash keeps what follows it in the value.
fn value_end(bytes: &[u8], start: usize, is_value: impl Fn(u8) -> bool) -> usize {
    let mut end = start;
    while end < bytes.len() && is_value(bytes[end]) {
        let escapes = bytes[end] == b'\\' && bytes.get(end + 1).is_some_and(u8::is_ascii);
        end += if escapes { 2 } else { 1 };
    }
    end.min(bytes.len())
}

/// A private key in PEM (RFC 7468), from its first line to its last.
fn private_key(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    let label = rest.strip_prefix("-----BEGIN ")?;
    let label_end = label.bytes().take(LONGEST).position(|byte| byte == b'-')?;
    if !label[..label_end].ends_with("PRIVATE KEY") {
        return None;
    }
    let body = "-----BEGIN ".len() + label_end;
    let end = rest[body..].find("-----END").map_or(rest.len(), |end| body + end);
    Some(at..at + end)
}

/// A secret that begins with the word at `at`.
fn word(bytes: &[u8], at: usize, redactor: &Redactor) -> Option<Range<usize>> {
    let rest = &bytes[at..];
    if let Some((_, least)) = PREFIXES.iter().find(|(prefix, _)| rest.starts_with(prefix.as_bytes())) {
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
        _ => own_prefix(bytes, at, redactor),
    }
}

/// A word that begins as a rule of the user's says.
fn own_prefix(bytes: &[u8], at: usize, redactor: &Redactor) -> Option<Range<usize>> {
    let rest = &bytes[at..];
    let prefix = redactor.prefixes.iter().find(|prefix| rest.starts_with(prefix.as_bytes()))?;
    let more = rest[prefix.len()..].iter().take_while(|byte| is_word(**byte)).count();
    Some(at..at + prefix.len() + more)
}

/// An access key id of AWS: twenty capitals and digits.
fn access_key(rest: &[u8]) -> Option<usize> {
    let length = rest.iter().take(21).take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()).count();
    (length == 20).then_some(length)
}

/// A JSON Web Token (RFC 7519): three parts, the first of which is an object in base64.
fn web_token(rest: &[u8]) -> Option<usize> {
    const SHORTEST: usize = 30;
    let length = rest.iter().take_while(|byte| is_word(**byte)).count();
    let parts = rest[..length].split(|byte| *byte == b'.').count();
    (length >= SHORTEST && parts > 2).then_some(length)
}

/// The token after `Bearer` (RFC 6750, section 2.1).
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

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubbed(text: &str) -> String {
        scrub(text, &Redactor::new().prefix("acme_")).unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn what_looks_like_a_secret_is_marked() {
        let cases = [
            ("Authorization: Bearer abc.def", "Authorization: [redacted]"),
            ("got Bearer abcdef0123456789", "got Bearer [redacted]"),
            ("Cookie: a=b; c=d\nHost: x", "Cookie: [redacted]\nHost: x"),
            ("postgres://bob:hunter2@db:5432/x", "postgres://bob:[redacted]@db:5432/x"),
            ("https://0123456789abcdef0123@git.example", "https://[redacted]@git.example"),
            ("key sk-proj-0123456789abcdefghij!", "key [redacted]!"),
            ("AKIAIOSFODNN7EXAMPLE", "[redacted]"),
            ("ghp_0123456789abcdef0123456789", "[redacted]"),
            ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl.", "jwt [redacted]"),
            ("password=hunter2 rest", "password=[redacted] rest"),
            (r#"{"api_key": "abc def", "n": 1}"#, r#"{"api_key": "[redacted]", "n": 1}"#),
            (r#"{\"password\": \"x\"}"#, r#"{\"password\": \"[redacted]\"}"#),
            (r#"Config { password: Some("a\"b"), n: 1 }"#, r#"Config { password: Some("[redacted]"), n: 1 }"#),
            ("GET /x?api_key=abc&page=2", "GET /x?api_key=[redacted]&page=2"),
            ("X-Api-Key: abc", "X-Api-Key: [redacted]"),
            ("token: abcdef0123456789", "token: [redacted]"),
            ("an acme_9 here", "an [redacted] here"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----",
                "[redacted]-----END RSA PRIVATE KEY-----",
            ),
            ("pässword=ü password=ü…", "pässword=ü password=[redacted]"),
        ];
        for (text, expected) in cases {
            assert_eq!(scrubbed(text), expected, "{text}");
            assert_eq!(scrubbed(expected), expected, "what was marked is not marked again");
            if !text.contains("acme") {
                assert_eq!(scrub(text, &Redactor::new()).as_deref(), Some(expected), "{text}");
            }
        }
    }

    #[test]
    fn each_kind_of_key_is_found_wherever_it_stands() {
        let prefixes = PREFIXES.iter().map(|(prefix, _)| *prefix);
        for prefix in prefixes {
            let key = format!("{prefix}0123456789abcdefghij0123456789ABCDEFGHIJ");
            for text in [key.clone(), format!("é{key}"), format!("a {key}"), format!("({key})"), format!("x={key}")] {
                assert_eq!(scrub(&text, &Redactor::new()), Some(text.replace(&key, MARK)), "{text}");
            }
            assert_eq!(scrub(&format!("0{key}"), &Redactor::new()), None, "in the middle of a word");
        }
    }

    #[test]
    fn what_only_resembles_one_stays() {
        for text in [
            "unexpected token: '<' at line 3",
            "input_tokens=12 output_tokens: 42",
            "the bearer certificate of the key holder",
            "ssh://git@github.com/x and mail to a@b.c",
            "sk-learn and ghp_x",
            "12:30:01 a::b::c == d",
            "password: null",
            "ünïcode ✓ text",
            "",
        ] {
            assert_eq!(scrubbed(text), text);
        }
    }

    proptest::proptest! {
        /// With a rule of the user's every place is looked at.
        #[test]
        fn no_place_is_passed_over_where_a_secret_begins(text in "(sk-0123456789abcdefghij|AKIAIOSFODNN7EXAMPLE|eyJ0eXAi|\\.eyJh|bEARER |[Bb]earer |://|@|password|-----BEGIN |PRIVATE KEY-----|ghp_|xox|[a-zA-Z0-9:=\" '\\-_.]|ü){0,40}") {
            let rule = Redactor::new().prefix("no text has this");
            proptest::prop_assert_eq!(scrub(&text, &Redactor::new()), scrub(&text, &rule));
        }

        #[test]
        fn any_text_is_scrubbed_without_a_panic_and_again_without_a_change(text in "(sk-|eyJ|://|@|password|[=:\"' a0\\\\ü.]|Bearer |-----BEGIN |PRIVATE KEY|-----END|token){0,40}") {
            if let Some(once) = scrub(&text, &Redactor::new()) {
                let twice = scrub(&once, &Redactor::new());
                proptest::prop_assert!(twice.as_ref().is_none_or(|twice| twice.matches(MARK).count() <= once.matches(MARK).count() + 1));
            }
        }
    }

    /// Texts that make a search which looks at a place more than so often slow: each takes a fraction of a second, and a
    /// thousand times that if the time were quadratic.
    #[test]
    fn hostile_texts_take_no_longer_than_others() {
        for piece in [
            "eyJ",
            "eyJ.",
            "sk-",
            "://",
            "://a@",
            ":",
            "=\"",
            "password=",
            "bearer ",
            "-----BEGIN PRIVATE KEY-----",
            "a.",
            "\\",
        ] {
            let text = piece.repeat(2_000_000 / piece.len());
            let _ = scrub(&text, &Redactor::new());
        }
    }
}
