//! Masks passwords in output: those in the URLs that came as arguments or in the environment.

use std::borrow::Cow;
use std::sync::OnceLock;

/// The variables that may hold a password.
const VARIABLES: [&str; 4] = ["RAGTRACE_STORE", "DATABASE_URL", "RAGTRACE_SINKS", "PGPASSWORD"];
/// Name endings of parameters whose values are secret.
const SECRET_NAMES: [&str; 6] = ["password", "passwd", "pwd", "passphrase", "secret", "token"];
/// Words that messages contain anyway. They are not masked even if they are somebody's password,
/// since showing them gives nothing away.
const VOCABULARY: &str = "postgresql://user@host/database?schema=NAME sqlite:ragtrace.db password RAGTRACE_STORE";
/// The largest number of bytes of possible passwords that are collected from one text. A text full
/// of `:` and `@` can be read in so many ways that all of them would not fit into memory.
const COLLECTED: usize = 1 << 17;
/// The largest number of separators in a password at which a cut-off form of it is masked.
const ENDS: usize = 16;
/// Passwords shorter than this many characters are masked only as whole words, so that messages
/// stay readable.
const SHORT: usize = 4;
const MASK: &str = "***";

/// Returns the text with the passwords that this process was given masked.
pub(crate) fn mask(text: &str) -> Cow<'_, str> {
    static GIVEN: OnceLock<Vec<String>> = OnceLock::new();
    mask_all(text, GIVEN.get_or_init(given))
}

fn given() -> Vec<String> {
    let mut found = Vec::new();
    for argument in std::env::args_os().skip(1) {
        passwords(&argument.to_string_lossy(), &mut found);
    }
    for name in VARIABLES {
        let Some(value) = std::env::var_os(name) else { continue };
        let value = value.to_string_lossy();
        passwords(&value, &mut found);
        if name == "PGPASSWORD" {
            found.push(value.into_owned());
        }
    }
    forms(found)
}

/// Collects every part of `text` that may be a password, in a URL or in a list of `name=value`. A
/// password may contain separators that should have been percent-encoded, so every way to read the
/// text counts. The scheme may be missing. If there are too many ways, the whole text counts as a
/// password too.
fn passwords(text: &str, found: &mut Vec<String>) {
    let mut left = COLLECTED;
    let mut fits = |password: &str| {
        left = left.saturating_sub(1 + password.len());
        left > 0
    };
    let scheme = text.find("://").map(|at| at + 3);
    let rest = if text.starts_with("sqlite:") { "" } else { &text[scheme.unwrap_or(0)..] };
    for from in rest.match_indices(':').map(|(at, _)| at + 1) {
        let to = rest[from..].match_indices('@').map(|(at, _)| &rest[from..from + at]);
        found.extend(to.take_while(|password| fits(password)).map(str::to_owned));
        if !fits("") {
            break;
        }
        // The URL names no user: what follows a colon is a password unless it looks like a port.
        let is_port = rest[from..].starts_with(|c: char| c.is_ascii_digit() || c == ':' || c == ']');
        if scheme.is_some() && !rest.contains('@') && !is_port && fits(&rest[from..]) {
            found.push(rest[from..].to_owned());
        }
    }
    for (at, _) in text.match_indices('=') {
        let name = text[..at].to_ascii_lowercase();
        if SECRET_NAMES.iter().any(|secret| name.ends_with(secret)) {
            let value = &text[at + 1..];
            let quoted = value.strip_prefix('\'').and_then(|value| value.split('\'').next());
            found.extend(quoted.map(str::to_owned));
            let values = ['&', '#', ' ', ';'].iter().map(|end| value.split(*end).next().unwrap_or(value));
            found.extend(values.take_while(|password| fits(password)).map(str::to_owned));
        }
    }
    if !fits("") {
        found.push(text.to_owned());
    }
}

/// Returns the forms in which messages may show the passwords, longest first, since one may contain
/// another.
fn forms(found: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    // A message may show only the part before a separator, as a path or a name in a list.
    let part = |password: &String| -> Vec<String> {
        let ends = password.match_indices([',', '/', '#', '?', ';']).map(|(at, _)| at);
        ends.take(ENDS).map(|end| password[..end].to_owned()).collect()
    };
    let parts: Vec<String> = found.iter().flat_map(part).collect();
    for password in found.into_iter().chain(parts) {
        let decoded = decode(&password);
        let debug = [&password, &decoded].map(|text| format!("{text:?}"));
        all.extend(debug.iter().map(|text| text[1..text.len() - 1].to_owned()));
        all.extend([encode(&decoded), decoded, password]);
    }
    all.retain(|password| !password.is_empty());
    all.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    all.dedup();
    all
}

fn mask_all<'a>(text: &'a str, passwords: &[String]) -> Cow<'a, str> {
    let mut masked = Cow::Borrowed(text);
    for password in passwords {
        for (before, after) in [(":", "@"), ("=", "")] {
            let given = format!("{before}{password}{after}");
            let is_word = |rest: &str| !after.is_empty() || !rest.starts_with(char::is_alphanumeric);
            if masked.contains(&given) {
                masked = replace(&masked, &given, &format!("{before}{MASK}{after}"), |_, rest| is_word(rest)).into();
            }
        }
        let gives_nothing_away = VOCABULARY.contains(password.as_str()) || password.chars().all(|c| c == '*');
        if !gives_nothing_away && masked.contains(password.as_str()) {
            let is_long = password.chars().count() >= SHORT;
            let is_free = |before: &str, rest: &str| {
                is_long || !(before.ends_with(char::is_alphanumeric) || rest.starts_with(char::is_alphanumeric))
            };
            masked = replace(&masked, password, MASK, is_free).into();
        }
    }
    masked
}

/// Replaces `part` wherever `fits` accepts the text before and after it.
fn replace(text: &str, part: &str, with: &str, fits: impl Fn(&str, &str) -> bool) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in text.match_indices(part) {
        if fits(&text[..at], &text[at + part.len()..]) {
            replaced.extend([&text[from..at], with]);
            from = at + part.len();
        }
    }
    replaced.push_str(&text[from..]);
    replaced
}

/// Decodes percent-encoding (RFC 3986, section 2.1).
fn decode(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| first == b'%');
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encode(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&b);
    let bytes = text.bytes();
    bytes.map(|b| if is_plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(url: &str, text: &str) -> String {
        let mut found = Vec::new();
        passwords(url, &mut found);
        mask_all(text, &forms(found)).into_owned()
    }

    #[test]
    fn a_password_is_masked_however_it_is_written() {
        for (url, password) in [
            ("postgres://u:hunter2@host/db", "hunter2"),
            ("postgres://u:pa/ss#wo?rd1@host/db", "pa/ss#wo?rd1"),
            ("postgres://u:p@ss@host/db?application_name=a@b", "p@ss"),
            ("postgres://u:p%40ss%20word@host", "p@ss word"),
            ("postgres://:hunter2@[::1]:5432/db", "hunter2"),
            ("postgres://host/db?password=hunter2&x=1", "hunter2"),
            ("postgres://host/db?x=1&sslpassword=hunter2#x", "hunter2"),
            ("host=h user=u password='hun ter2' dbname=d", "hun ter2"),
            ("u:hunter2@host/db", "hunter2"),
            ("postgres:/u:hunter2@host", "hunter2"),
            ("postgres://u:hunter2", "hunter2"),
            ("postgres://u:hun\"ter\\2@host", "hun\"ter\\2"),
            ("postgres://u:秘密の言葉@host", "秘密の言葉"),
            ("mysql://u:abc@host", "abc"),
        ] {
            for text in [
                url.to_owned(),
                format!("{url:?}"),
                format!("it is {password}."),
                format!("'{password}'"),
                encode(password),
            ] {
                let shown = masked(url, &text);
                let hidden =
                    [password.to_owned(), encode(password), format!("{password:?}").trim_matches('"').to_owned()];
                assert!(hidden.iter().all(|hidden| !shown.contains(hidden.as_str())), "{url}: {text} became {shown}");
            }
        }
    }

    #[test]
    fn a_text_that_can_be_read_in_very_many_ways_takes_little_room() {
        for signs in [":@", "a:1@", ":", "@", "token=a;", ":/#?@", "://:@", "é:@,"] {
            let text = signs.repeat(8_192 / signs.len());
            let (before, after) = text.split_at(text.len() / 2);
            for text in [text.clone(), format!("{}{}", ":".repeat(after.len()), "@".repeat(before.len()))] {
                let mut found = Vec::new();
                passwords(&text, &mut found);
                let forms = forms(found);
                let bytes: usize = forms.iter().map(String::len).sum();
                assert!(bytes < 8 << 20, "{signs}: {bytes} bytes in {}", forms.len());
                assert!(mask_all("there is no such store", &forms).len() < 100);
            }
        }
        let url = format!("postgres://u:hunter2@host/{}", ":@".repeat(4_000));
        assert!(!masked(&url, &url).contains("hunter2"));
        assert!(!masked(&url, "it is hunter2").contains("hunter2"));
    }

    #[test]
    fn what_is_no_password_stays() {
        let help = "write `sqlite:` and a path, or `postgres://user@host/database`";
        assert_eq!(masked("postgres://postgres:postgres@localhost/postgres", help), help);
        assert_eq!(masked("postgres://u:u@localhost/db", "the user is unknown"), "the user is unknown");
        assert_eq!(masked("sqlite:/var/a:b@c.db", "no file `/var/a:b@c.db`"), "no file `/var/a:b@c.db`");
        assert_eq!(masked("postgres://localhost:5432/db", "port 5432"), "port 5432");
        let url = "postgres://postgres:postgres@localhost/postgres";
        assert_eq!(masked(url, url), "postgres://postgres:***@localhost/postgres");
    }
}
