//! Searches texts for secrets, in one pass from left to right. Three tables with the first three
//! bytes of every beginning tell where a secret may begin.

use std::ops::Range;

use super::key_prefixes::KEY_PREFIXES;
use super::rules::{MARK, Rules};
use super::secret_shapes::secret_at;
use super::value::Lookahead;

/// Returns the text without its secrets, or `None` if it contains none.
pub(super) fn redacted(text: &str, rules: &Rules) -> Option<String> {
    if !rules.is_on {
        return None;
    }
    let mut redacted = with_marks(text, rules);
    if let Some(once) = redacted {
        redacted = Some(settled(once, rules));
    }
    for rule in &rules.custom {
        redacted = rule(redacted.as_deref().unwrap_or(text)).or(redacted);
    }
    redacted
}

/// Redacts a text with marks until no further secret is found, because a mark may be part of a
/// larger value.
#[cold]
fn settled(mut text: String, rules: &Rules) -> String {
    const MOST_ROUNDS: usize = 8;
    for _ in 0..MOST_ROUNDS {
        match with_marks(&text, rules) {
            Some(again) => text = again,
            None => break,
        }
    }
    text
}

/// Returns the text with each secret replaced by a mark, or `None` if there is none.
pub(super) fn with_marks(text: &str, rules: &Rules) -> Option<String> {
    let mut redacted: Option<String> = None;
    let (mut at, mut copied) = (0, 0);
    let bytes = text.as_bytes();
    let mut lookahead = Lookahead::for_text(text);
    while at < bytes.len() {
        if rules.prefixes.is_empty() {
            at = next_candidate(bytes, at);
            if at == bytes.len() {
                break;
            }
        }
        let secret = secret_at(text, at, rules, &mut lookahead)
            .filter(|secret| secret.end > secret.start && secret.start >= copied)
            .map(|secret| text.floor_char_boundary(secret.start)..text.ceil_char_boundary(secret.end));
        // A text that was redacted before, such as a reason that becomes a record, already has
        // marks.
        let is_mark =
            |secret: &Range<usize>| text[secret.start..].starts_with(MARK) && secret.end <= secret.start + MARK.len();
        let Some(secret) = secret.filter(|secret| !is_mark(secret)) else {
            at += 1;
            continue;
        };
        let out = redacted.get_or_insert_with(|| String::with_capacity(text.len()));
        out.push_str(&text[copied..secret.start]);
        out.push_str(MARK);
        copied = secret.end;
        at = secret.end;
    }
    if let Some(out) = &mut redacted {
        out.push_str(&text[copied..]);
    }
    redacted
}

/// Returns the next index from `at` on at which [`secret_at`] has to look for anything but the
/// application's prefixes. Most bytes begin nothing, and cost a few instructions each.
#[inline(never)] // inlined, the loop has too few registers
fn next_candidate(bytes: &[u8], at: usize) -> usize {
    let mut rest = bytes[at..].iter();
    let Some(first) = rest.next() else { return bytes.len() };
    let mut groups = GROUPS.firsts[usize::from(*first)];
    while let Some(second) = rest.next() {
        let second = usize::from(*second);
        if groups & GROUPS.seconds[second] != 0 {
            let here = bytes.len() - rest.len() - 2;
            if is_candidate(bytes, here, groups & GROUPS.seconds[second]) {
                return here;
            }
        }
        groups = GROUPS.firsts[second];
    }
    // Nothing begins with the last byte; a sign there has no value.
    bytes.len()
}

/// Returns `true` if the third byte after `at`, and the byte before it, also match one of `groups`.
fn is_candidate(bytes: &[u8], at: usize, groups: u64) -> bool {
    let third = bytes.get(at + 2).map_or(SIGN, |third| GROUPS.thirds[usize::from(*third)]);
    let is_in_word = at.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_alphanumeric());
    groups & third & if is_in_word { SIGNS } else { u64::MAX } != 0
}

/// The beginnings of secrets by their first three bytes. Beginnings with the same first two bytes
/// form a group, and groups have one bit each: a byte's entry in each table has the groups in which
/// it may be the first, second or third byte.
struct BeginningGroups {
    firsts: [u64; 256],
    seconds: [u64; 256],
    thirds: [u64; 256],
}

/// The group of a colon or an equals sign, whatever follows.
const SIGN: u64 = 1;

/// Signs with the bytes that may follow them. They may come directly after a letter or a digit.
const SIGN_SHAPES: [(&[u8], &[u8], &[u8]); 10] = [
    // The dashes of a private key or an option.
    (b"-", b"-", b"-abcdefghijklmnopqrstuvwxyz"),
    // A pair: `("password", "…")`.
    (b"\"'", b",", ANY),
    // A value in quotes: `PASSWORD '…'`.
    (b" ", b"\"'", ANY),
    // Types: `Password("…")`.
    (b"(", b"\"'\\", ANY),
    // Short options.
    (b" ", b"-", b"puaw"),
    // Elements.
    (b"<", LETTERS, ANY),
    // Encoded signs: `%3D`.
    (b"%", b"3", b"ADad"),
    // `user:password@tcp(host)`.
    (b"@", b"t", b"c"),
    (b"@", b"u", b"n"),
    // Full-width signs.
    (b"\xef", b"\xbc", b"\x9a\x9d"),
];

/// The groups of signs, which are the lowest.
const SIGNS: u64 = (1 << (1 + SIGN_SHAPES.len())) - 1;

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Stands for all bytes.
const ANY: &[u8] = b"";

/// Beginnings of known tokens that are not in [`KEY_PREFIXES`], and of commands.
const OTHERS: [&[u8; 3]; 6] = [b"ENV", b"mac", b"AUT", b"AKI", b"ASI", b"eyJ"];

/// The beginning of `Bearer`, in any case.
const BEARER: (&[u8], &[u8], &[u8]) = (b"bB", b"eE", b"aA");

static GROUPS: BeginningGroups = {
    let mut groups = BeginningGroups { firsts: [0; 256], seconds: [SIGN; 256], thirds: [SIGN; 256] };
    groups.firsts[b':' as usize] = SIGN;
    groups.firsts[b'=' as usize] = SIGN;
    let mut known = 1;
    while known <= SIGN_SHAPES.len() {
        let (firsts, seconds, thirds) = SIGN_SHAPES[known - 1];
        groups.firsts = with_group(groups.firsts, firsts, known);
        groups.seconds = with_group(groups.seconds, seconds, known);
        groups.thirds = with_group(groups.thirds, thirds, known);
        known += 1;
    }
    groups.firsts = with_group(groups.firsts, BEARER.0, known);
    groups.seconds = with_group(groups.seconds, BEARER.1, known);
    groups.thirds = with_group(groups.thirds, BEARER.2, known);
    known += 1;
    let signs = known;
    let mut pairs = [[0; 2]; u64::BITS as usize];
    let mut at = 0;
    while at < KEY_PREFIXES.len() + OTHERS.len() {
        let beginning =
            if at < KEY_PREFIXES.len() { KEY_PREFIXES[at].0.as_bytes() } else { OTHERS[at - KEY_PREFIXES.len()] };
        let (first, second, third) = (beginning[0], beginning[1], beginning[2]);
        let mut group = signs;
        while group < known && (pairs[group][0] != first || pairs[group][1] != second) {
            group += 1;
        }
        if group == known {
            assert!(known < pairs.len(), "one bit a group: give `BeginningGroups` longer numbers");
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

/// Adds a group to a table, for each of the given bytes.
const fn with_group(mut table: [u64; 256], bytes: &[u8], group: usize) -> [u64; 256] {
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] |= 1 << group;
        at += 1;
    }
    while bytes.is_empty() && at < table.len() {
        table[at] |= 1 << group;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns rules with a prefix of the application. With one, the search looks at every byte.
    fn with_prefix(prefix: &str) -> Rules {
        Rules { prefixes: vec![prefix.to_owned()], ..Rules::default() }
    }

    fn redacted_or_same(text: &str) -> String {
        redacted(text, &with_prefix("acme_")).unwrap_or_else(|| text.to_owned())
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
            assert_eq!(redacted_or_same(text), expected, "{text}");
            assert_eq!(redacted_or_same(expected), expected, "what was marked is not marked again");
            if !text.contains("acme") {
                assert_eq!(redacted(text, &Rules::default()).as_deref(), Some(expected), "{text}");
            }
        }
    }

    #[test]
    fn each_kind_of_key_is_found_wherever_it_stands() {
        let prefixes = KEY_PREFIXES.iter().map(|(prefix, _)| *prefix);
        for prefix in prefixes {
            let key = format!("{prefix}0123456789abcdefghij0123456789ABCDEFGHIJ");
            for text in [key.clone(), format!("é{key}"), format!("a {key}"), format!("({key})"), format!("x={key}")] {
                assert_eq!(redacted(&text, &Rules::default()), Some(text.replace(&key, MARK)), "{text}");
            }
            assert_eq!(redacted(&format!("0{key}"), &Rules::default()), None, "in the middle of a word");
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
            "sk-hynix-annual-report-2024.pdf and npm_package_dependencies_typescript",
            "ünïcode ✓ text",
            "",
        ] {
            assert_eq!(redacted_or_same(text), text);
        }
    }

    proptest::proptest! {
        /// With a rule of the application, the search looks at every byte.
        #[test]
        fn no_byte_is_passed_over_where_a_secret_begins(text in "(sk-0123456789abcdefghij|AKIAIOSFODNN7EXAMPLE|eyJ0eXAi|\\.eyJh|bEARER |[Bb]earer |://|@|password|-----BEGIN |PRIVATE KEY-----|ghp_|xox|[a-zA-Z0-9:=\" '\\-_.]|ü){0,40}") {
            let rules = with_prefix("no text has this");
            proptest::prop_assert_eq!(redacted(&text, &Rules::default()), redacted(&text, &rules));
        }

        #[test]
        fn any_text_is_redacted_without_a_panic_and_again_without_a_change(text in "(sk-|eyJ|://|@|password|[=:\"' a0\\\\ü.,;&?(){}<>\n\\[\\]|`#%*-]|Some\\(|--pass|hunter2|: |\\[redacted\\]|Bearer |-----BEGIN |PRIVATE KEY|-----END|token){0,40}") {
            if let Some(once) = redacted(&text, &Rules::default()) {
                let twice = redacted(&once, &Rules::default());
                proptest::prop_assert!(twice.is_none(), "{:?}\n{:?}\n{:?}", text, once, twice);
            }
        }

        #[test]
        fn text_of_any_sort_is_redacted_without_a_panic(text in "\\PC{0,200}") {
            let _ = redacted(&format!("password={text}"), &Rules::default());
            let _ = redacted(&format!("{{\"token\": {text}"), &Rules::default());
            let _ = redacted(&format!("a://{text}"), &Rules::default());
            let _ = redacted(&text, &with_prefix("a"));
        }
    }

    /// Texts that would slow down a search that looks at a byte more than a bounded number of
    /// times: each takes a fraction of a second, and would take a thousand times that if the time
    /// were quadratic.
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
            "{",
            "password={",
            "password={ ",
            "token: {",
            "token: (",
            "token: Some(\n",
            "password: Some(",
            "token:",
            "token=a)",
            "password: 'a ",
            "password: \"",
            "password=\\\"",
            "\\\"password\\\":",
            "password: |\n",
            "token:\n a\n",
            "- token:\n",
            "<password>",
            "<token> </",
            "('password', 'x'",
            "name=\"token\" ",
            "--token a ",
            "mysql -p ",
            "password%3D",
            "a:b@tcp(",
            "cookie: a ",
            "token \"",
            "\u{1b}[0m",
            "sk-0a1-",
            "\\u0022password\\u0022:\\u0022",
            "\\u0022token\\u0022:\\\\u0022",
            "&#34;password&#34;:",
            "<td>Password</td>",
            "<name>token</name><value>",
            "Private-Lines: ",
            "Private-Lines: 1\nA\n",
            "&sig=a",
            "?code=",
            "\"auth\": \"",
            "密码：",
            "密码: ",
            "ENV PASSWORD ",
            "machine ",
            "machine a login b ",
            "bearer=",
            "Bearer%20",
            "password=>",
            "[password:private] => ",
            "the password is: ",
            "password: {\"type\": ",
            "password: []a{",
            "https://hooks.slack.com/services/",
        ] {
            let text = piece.repeat(250_000 / piece.len());
            let _ = redacted(&text, &Rules::default());
        }
    }
}
