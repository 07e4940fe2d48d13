//! Names that tell that their value is secret.
//!
//! A name is secret by how its words end: `password`, `DB_PASSWORD`, `PGPASSWORD` and
//! `userPassword2` all end in `password`. Words that follow count too: `token_count` is the name of
//! a number.

use super::name_words::{ABOUT, FOREIGN, NEUTRAL, PASSES, QUESTIONS, SHORT_WORDS, STRONG, TOKENS, WEAK};

/// The certainty that the value of a name is secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certainty {
    /// The name has no other meaning: `password`, `aws_secret_access_key`.
    Certain,
    /// The name has other meanings in prose and in code: `token`, `secret`.
    Ambiguous,
    /// A header whose value has several words: `Cookie`, `Authorization`.
    Header,
}

/// The number of letters before `pass` and `pwd` that may be joined to them without a separator.
const RUN_TOGETHER: usize = 2;

/// The length in bytes above which only the end of a name is examined.
pub(super) const MAX_NAME: usize = 128;

/// The maximum number of words of a name that are examined.
const MAX_WORDS: usize = 16;

/// The names that are secret: the built-in ones, and the application's.
#[derive(Clone, Debug, Default)]
pub(super) struct SecretNames {
    /// Normalized names that are secret too, also as segments of longer ones.
    pub(super) added: Vec<String>,
    /// Names that are not secret, whatever their segments are.
    pub(super) kept: Vec<String>,
}

impl SecretNames {
    /// Returns `true` if the value of a field with this name is secret.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.certainty(name).is_some()
    }

    /// Returns how certain it is that the value of this name is secret, or `None` if it is not.
    pub(super) fn certainty(&self, name: &str) -> Option<Certainty> {
        let certainty = if self.added.is_empty() {
            own_certainty(name)
        } else {
            own_certainty(name).or_else(|| is_added(name, &self.added).then_some(Certainty::Certain))
        };
        certainty.filter(|_| !self.kept.iter().any(|kept| kept == name))
    }
}

/// Returns a name in lower case, with its segments joined by dots: `X-Api-Key`, `xApiKey` and
/// `x_api_key` all become `x.api.key`, and `DBPassword` becomes `db.password`.
pub(super) fn normalize(name: &str) -> String {
    let mut normal = String::with_capacity(name.len() + 4);
    let mut chars = name.chars().peekable();
    let (mut was_lower, mut was_upper) = (false, false);
    while let Some(c) = chars.next() {
        if c.is_alphanumeric() {
            let begins_word = was_upper && chars.peek().is_some_and(|next| next.is_lowercase());
            if c.is_uppercase() && (was_lower || begins_word) {
                normal.push('.');
            }
            (was_lower, was_upper) = (!c.is_uppercase(), c.is_uppercase());
            normal.extend(c.to_lowercase());
        } else {
            (was_lower, was_upper) = (false, false);
            if !normal.ends_with('.') {
                normal.push('.');
            }
        }
    }
    normal
}

/// Returns `true` if a name contains one of the application's names as segments.
#[cold]
fn is_added(name: &str, added: &[String]) -> bool {
    let normal = normalize(name);
    added.iter().any(|key| has_segments(&normal, key.trim_matches('.')))
}

/// The last three letters of the endings of names: for the last letter and the one before it, a bit
/// for each letter that may precede them.
static LAST_LETTERS: [[u32; 32]; 32] = {
    let mut letters = [[0; 32]; 32];
    let lists = [STRONG, WEAK, FOREIGN, SHORT_WORDS, &["auth"]];
    let mut list = 0;
    while list < lists.len() {
        let mut at = 0;
        while at < lists[list].len() {
            let word = lists[list][at].as_bytes();
            let (last, before) = (word[word.len() - 1] & 31, word[word.len() - 2] & 31);
            letters[last as usize][before as usize] |=
                if word.len() > 2 { 1 << (word[word.len() - 3] & 31) } else { u32::MAX };
            at += 1;
        }
        list += 1;
    }
    letters
};

/// Returns how certain a name is by the built-in rules. Most names are not secret, which the last
/// letters of their words show.
#[inline]
fn own_certainty(name: &str) -> Option<Certainty> {
    let (mut third, mut second, mut first) = (0_u8, 0_u8, 0_u8);
    let mut last = 0_u8;
    for byte in name.bytes() {
        let ends_word = !byte.is_ascii_alphabetic() || last.is_ascii_lowercase() && byte.is_ascii_uppercase();
        if ends_word && ends_like_secret(first, second, third) {
            return by_words(name);
        }
        last = byte;
        if byte.is_ascii_alphabetic() {
            (first, second, third) = (second, third, byte);
        }
    }
    if ends_like_secret(first, second, third) { by_words(name) } else { None }
}

/// Returns `true` if the three letters end the name of a secret, or may do so together with letters
/// before them.
fn ends_like_secret(first: u8, second: u8, third: u8) -> bool {
    LAST_LETTERS[usize::from(third & 31)][usize::from(second & 31)] & (1 << (first & 31)) != 0
}

/// Returns `true` if a word is the name of a secret by itself.
pub(super) fn is_known(name: &str) -> bool {
    own_certainty(name).is_some()
}

/// Returns how certain a name is by its words.
#[cold]
fn by_words(name: &str) -> Option<Certainty> {
    let name = &name[name.ceil_char_boundary(name.len().saturating_sub(MAX_NAME))..];
    let mut buffer = [0; MAX_NAME];
    let mut words = Words { text: &mut buffer, ends: [0; MAX_WORDS], count: 0, starts_with_separator: false };
    if !words.split(name) {
        return None;
    }
    let mut count = words.count;
    while count > 1 && NEUTRAL.contains(&words.word(count - 1)) {
        count -= 1;
    }
    let certainty = certainty_up_to(&words, count).or_else(|| {
        // Other words after a strong word name the owner of the secret, or the time it was set.
        (1..count).any(|count| ends_in(words.up_to(count), STRONG)).then_some(Certainty::Certain)
    })?;
    let is_question = words.count > 1 && QUESTIONS.contains(&words.word(0));
    let is_about = ABOUT.contains(&words.word(words.count - 1)) && !is_session(&words);
    (!is_question && !is_about).then_some(certainty)
}

/// The id of a session grants access, unlike other ids.
fn is_session(words: &Words<'_>) -> bool {
    words.up_to(words.count).ends_with("sessionid")
}

fn certainty_up_to(words: &Words<'_>, count: usize) -> Option<Certainty> {
    let (squeezed, last) = (words.up_to(count), words.word(count - 1));
    let before = if count > 1 { words.word(count - 2) } else { "" };
    if ends_in(squeezed, STRONG) {
        let is_alone = squeezed == "secret" || squeezed == "secrets";
        return Some(if is_alone { Certainty::Ambiguous } else { Certainty::Certain });
    }
    if ends_in(squeezed, WEAK) {
        if last == "token" && TOKENS.contains(&before) {
            return None;
        }
        let is_header = last.starts_with("cookie") || last == "authorization";
        let is_alone = count == 1 && (last == "token" || last.starts_with("cred") || last == "sessid");
        return Some(match (is_header, is_alone) {
            (true, _) => Certainty::Header,
            (_, true) => Certainty::Ambiguous,
            _ => Certainty::Certain,
        });
    }
    if ends_in(squeezed, FOREIGN) {
        return Some(Certainty::Ambiguous);
    }
    if last == "auth" && words.starts_with_separator && count == 1 {
        return Some(Certainty::Certain);
    }
    if SHORT_WORDS.contains(&last) {
        let is_other = last == "pass" && PASSES.contains(&before);
        let certainty = if count > 1 || last == "pwd" { Certainty::Certain } else { Certainty::Ambiguous };
        return (!is_other).then_some(certainty);
    }
    let run_together = last.strip_suffix("pass").or_else(|| last.strip_suffix("pwd"))?;
    (run_together.len() >= RUN_TOGETHER && run_together != "old" && !PASSES.contains(&run_together))
        .then_some(Certainty::Certain)
}

fn ends_in(squeezed: &str, endings: &[&str]) -> bool {
    let last = squeezed.as_bytes().last();
    endings.iter().any(|ending| ending.as_bytes().last() == last && squeezed.ends_with(ending))
}

/// The words of a name in lower case, one after the other without separators.
struct Words<'a> {
    text: &'a mut [u8; MAX_NAME],
    ends: [usize; MAX_WORDS],
    count: usize,
    starts_with_separator: bool,
}

impl Words<'_> {
    /// Splits a name into words, and returns `true` if there are any. Digits that number a word are
    /// left out.
    fn split(&mut self, name: &str) -> bool {
        let bytes = name.as_bytes();
        self.starts_with_separator = bytes.first().is_some_and(|byte| matches!(byte, b'_' | b'-'));
        let (mut length, mut begun) = (0, 0);
        for (at, byte) in bytes.iter().enumerate() {
            let next_is_lower = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            let before = at.checked_sub(1).map(|before| bytes[before]);
            let begins_word = byte.is_ascii_uppercase()
                && before.is_some_and(|before| {
                    before.is_ascii_lowercase()
                        || before.is_ascii_digit()
                        || before.is_ascii_uppercase() && next_is_lower
                });
            if begins_word {
                self.end_word(&mut begun, &mut length);
            }
            if byte.is_ascii_alphanumeric() || *byte >= 0x80 {
                self.text[length] = byte.to_ascii_lowercase();
                length += 1;
            } else {
                self.end_word(&mut begun, &mut length);
            }
        }
        self.end_word(&mut begun, &mut length);
        self.count > 0
    }

    fn end_word(&mut self, begun: &mut usize, length: &mut usize) {
        let word = &self.text[*begun..*length];
        if !NEUTRAL.iter().any(|neutral| neutral.as_bytes() == word) {
            *length -= word.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            // A version, such as `v2`, is not a word.
            if self.text[*begun..*length] == *b"v" && self.count > 0 {
                *length = *begun;
            }
        }
        if *length == *begun {
            return;
        }
        if self.count == MAX_WORDS {
            // The last words tell what the value is, so the first one is dropped.
            self.ends.copy_within(1.., 0);
            self.count -= 1;
        }
        self.ends[self.count] = *length;
        self.count += 1;
        *begun = *length;
    }

    fn word(&self, at: usize) -> &str {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        std::str::from_utf8(&self.text[start..self.ends[at]]).unwrap_or_default()
    }

    fn up_to(&self, count: usize) -> &str {
        std::str::from_utf8(&self.text[..self.ends[count - 1]]).unwrap_or_default()
    }
}

/// Returns `true` if `key` is a run of whole segments of `normal`.
fn has_segments(normal: &str, key: &str) -> bool {
    let bytes = normal.as_bytes();
    let is_edge = |at: Option<&u8>| at.is_none_or(|byte| *byte == b'.');
    let stands_alone = |(at, _): (usize, &str)| {
        is_edge(at.checked_sub(1).and_then(|before| bytes.get(before))) && is_edge(bytes.get(at + key.len()))
    };
    !key.is_empty() && normal.match_indices(key).any(stands_alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_secret_by_how_its_words_end() {
        for name in [
            "token",
            "auth.token",
            "X-Api-Key",
            "apiKey",
            "APIKey",
            "DB_PASSWORD",
            "PGPASSWORD",
            "DBPassword",
            "dbPassword",
            "db_pass",
            "dbpass",
            "smtpPass",
            "AWSSecretKey",
            "aws_secret_access_key",
            "AccountKey",
            "X-Amz-Signature",
            "X-Amz-Security-Token",
            "X-Hub-Signature-256",
            "SharedAccessSignature",
            "client_secret",
            "clientSecretV2",
            "Set-Cookie",
            "sessionId",
            "PHPSESSID",
            "_authToken",
            "_auth",
            "password1",
            "password_2",
            "password_value",
            "API_KEY_PROD",
            "passwordForBilling",
            "secret_key_base",
            "MYSQL_PWD",
            "user_pw",
            "id_token",
            "GITHUB_TOKEN",
            "a-password",
            "Ocp-Apim-Subscription-Key",
            "proxy-authorization",
            "größe_password",
        ] {
            assert!(own_certainty(name).is_some(), "{name}");
        }
        let long = format!("{}_password", "a_rather_long_name_of_a_setting".repeat(8));
        assert_eq!(own_certainty(&long), Some(Certainty::Certain));
    }

    #[test]
    fn what_is_about_a_secret_is_none() {
        for name in [
            "input_tokens",
            "output_tokens",
            "max_tokens",
            "promptTokenCount",
            "token_limit",
            "prompt_token_count",
            "token_id",
            "token_ids",
            "password_length",
            "secretType",
            "token_type",
            "tokenEndpoint",
            "secret_name",
            "AWSAccessKeyId",
            "has_password",
            "requiresToken",
            "tokenizer",
            "tokenization",
            "key",
            "public_key",
            "primary_key",
            "cache_key",
            "monkey",
            "author",
            "authority",
            "passenger",
            "passage",
            "compass",
            "bypass",
            "encompass",
            "low_pass",
            "lowpass",
            "secretary",
            "cookiecutter",
            "time_to_first_token",
            "ms_per_token",
            "eos_token",
            "pad_token",
            "OLDPWD",
            "token_usage",
            "",
            "a",
            "1",
            "_",
            "…",
        ] {
            assert_eq!(own_certainty(name), None, "{name}");
        }
    }

    #[test]
    fn names_of_the_user_count_by_whole_segments() {
        let added = vec![normalize("account.number"), normalize("ssn"), normalize("größe")];
        let names = SecretNames { added, kept: vec!["next_token".to_owned()] };
        let long = format!("ssn_{}", "x".repeat(200));
        for name in ["user_account_number", "ssn", "SSN", "eineGröße", &long] {
            assert!(names.contains(name), "{name}");
        }
        assert!(!names.contains("lessn") && !names.contains("next_token") && names.contains("nextToken"));
    }
}
