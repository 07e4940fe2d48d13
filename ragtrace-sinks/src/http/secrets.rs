//! Removes the secrets of a request from texts that are shown.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// The replacement for a secret.
const MASK: &str = "[redacted]";
/// The length below which a text is not treated as a secret, since it would be found in many words.
const SHORTEST: usize = 4;

/// The secrets that one request carried, in every form in which a server may repeat them.
#[derive(Clone, Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// Adds the value of a header: the whole value, its words, and the user and password in it.
    pub(super) fn add(&mut self, value: &str) {
        self.add_one(value);
        for word in value.split_ascii_whitespace() {
            self.add_one(word);
        }
        let encoded = value.strip_prefix("Basic ").unwrap_or_default();
        if let Some(plain) = BASE64_STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
            self.add_one(&plain);
            self.add_one(plain.split_once(':').unwrap_or_default().1);
        }
    }

    fn add_one(&mut self, secret: &str) {
        const SCHEMES: [&str; 4] = ["bearer", "basic", "token", "apikey"];
        if secret.len() < SHORTEST || SCHEMES.contains(&secret.to_ascii_lowercase().as_str()) {
            return;
        }
        self.0.push(secret.to_owned());
        // A server may repeat the secret in JSON.
        let escaped = secret.replace('\\', "\\\\").replace('"', "\\\"");
        if escaped != secret {
            self.0.push(escaped);
        }
        // The longest comes first. Otherwise a part of a secret could be replaced, and the rest
        // shown.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// Returns a text with every secret replaced.
    pub(super) fn mask(&self, text: impl Into<String>) -> String {
        let mut text = text.into();
        for secret in &self.0 {
            if text.contains(secret) {
                text = text.replace(secret, MASK);
            }
        }
        text
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Secrets {
        let mut secrets = Secrets::default();
        secrets.add(value);
        secrets
    }

    #[test]
    fn a_key_is_masked_in_every_form_in_which_a_server_may_repeat_it() {
        assert_eq!(of("abcd1234").mask("no such key: abcd1234!"), "no such key: [redacted]!");
        assert_eq!(of("Bearer abcd1234").mask("token abcd1234, Bearer abcd1234"), "token [redacted], [redacted]");
        let basic = format!("Basic {}", BASE64_STANDARD.encode("pk-1:sk-secret"));
        assert_eq!(of(&basic).mask("sk-secret is wrong for pk-1"), "[redacted] is wrong for pk-1");
        assert_eq!(of("a\"b\\c").mask(r#"{"key":"a\"b\\c"}"#), r#"{"key":"[redacted]"}"#);
    }

    #[test]
    fn a_scheme_and_a_very_short_word_are_no_secrets() {
        assert_eq!(of("Bearer x").mask("a Bearer token was expected"), "a Bearer token was expected");
        assert_eq!(of("Bearer x").mask("Bearer x"), "[redacted]");
    }
}
