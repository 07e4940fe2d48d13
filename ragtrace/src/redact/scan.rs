//! Looks for secrets in the middle of texts, in one pass from left to right.

use std::ops::Range;

use super::candidates::next_candidate;
use super::secret_shapes::secret_at;
use super::text_rules::{MARK, TextRules};

/// Returns the text with a mark in the place of each secret, or `None` if there is none.
pub(super) fn redacted(text: &str, rules: &TextRules) -> Option<String> {
    let mut redacted: Option<String> = None;
    let (mut at, mut copied) = (0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        if rules.prefixes.is_empty() {
            at = next_candidate(bytes, at);
            if at == bytes.len() {
                break;
            }
        }
        let secret = secret_at(text, at, rules).filter(|secret| secret.end > secret.start);
        // What was looked through before, such as a reason that becomes a record, has marks already.
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

#[cfg(test)]
mod tests {
    use super::super::key_prefixes::KEY_PREFIXES;
    use super::*;

    /// Rules with a prefix of the user's. With one, every byte is looked at.
    fn with_prefix(prefix: &str) -> TextRules {
        TextRules { prefixes: vec![prefix.to_owned()], ..TextRules::default() }
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
                assert_eq!(redacted(text, &TextRules::default()).as_deref(), Some(expected), "{text}");
            }
        }
    }

    #[test]
    fn each_kind_of_key_is_found_wherever_it_stands() {
        let prefixes = KEY_PREFIXES.iter().map(|(prefix, _)| *prefix);
        for prefix in prefixes {
            let key = format!("{prefix}0123456789abcdefghij0123456789ABCDEFGHIJ");
            for text in [key.clone(), format!("é{key}"), format!("a {key}"), format!("({key})"), format!("x={key}")] {
                assert_eq!(redacted(&text, &TextRules::default()), Some(text.replace(&key, MARK)), "{text}");
            }
            assert_eq!(redacted(&format!("0{key}"), &TextRules::default()), None, "in the middle of a word");
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
            assert_eq!(redacted_or_same(text), text);
        }
    }

    proptest::proptest! {
        /// With a rule of the user's every place is looked at.
        #[test]
        fn no_place_is_passed_over_where_a_secret_begins(text in "(sk-0123456789abcdefghij|AKIAIOSFODNN7EXAMPLE|eyJ0eXAi|\\.eyJh|bEARER |[Bb]earer |://|@|password|-----BEGIN |PRIVATE KEY-----|ghp_|xox|[a-zA-Z0-9:=\" '\\-_.]|ü){0,40}") {
            let rules = with_prefix("no text has this");
            proptest::prop_assert_eq!(redacted(&text, &TextRules::default()), redacted(&text, &rules));
        }

        #[test]
        fn any_text_is_redacted_without_a_panic_and_again_without_a_change(text in "(sk-|eyJ|://|@|password|[=:\"' a0\\\\ü.]|Bearer |-----BEGIN |PRIVATE KEY|-----END|token){0,40}") {
            if let Some(once) = redacted(&text, &TextRules::default()) {
                let twice = redacted(&once, &TextRules::default());
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
            let _ = redacted(&text, &TextRules::default());
        }
    }
}
