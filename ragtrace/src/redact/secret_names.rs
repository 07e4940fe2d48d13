//! Names that say that their value is secret.

/// Segments that are secret wherever they stand in a name.
const SEGMENTS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "secretkey",
    "authtoken",
    "apitoken",
    "accesstoken",
    "authorization",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "jwt",
    "sessionid",
];

/// Two segments that are secret together.
const SEGMENT_PAIRS: &[(&str, &str)] = &[
    ("api", "key"),
    ("access", "key"),
    ("private", "key"),
    ("signing", "key"),
    ("encryption", "key"),
    ("account", "key"),
    ("master", "key"),
    ("shared", "key"),
    ("session", "id"),
];

/// No name that says something about its value is longer, in bytes.
pub(super) const MAX_NAME: usize = 64;

/// Which names are secret: those above, and the user's.
#[derive(Clone, Debug, Default)]
pub(super) struct SecretNames {
    /// Normalized names that are secret too, also as segments of longer ones.
    pub(super) added: Vec<String>,
    /// Names that are not secret, whatever their segments.
    pub(super) kept: Vec<String>,
}

impl SecretNames {
    /// Returns whether the value of a field of this name is secret.
    pub(super) fn contains(&self, name: &str) -> bool {
        is_secret(name, &self.added) && !self.kept.iter().any(|kept| kept == name)
    }
}

/// Returns a name in lower case, its segments joined by dots: `X-Api-Key`, `xApiKey` and
/// `x_api_key` are all `x.api.key`.
pub(super) fn normalize(name: &str) -> String {
    let mut normal = String::with_capacity(name.len() + 4);
    let mut was_lower = false;
    for c in name.chars() {
        if c.is_alphanumeric() {
            if c.is_uppercase() && was_lower {
                normal.push('.');
            }
            was_lower = !c.is_uppercase();
            normal.extend(c.to_lowercase());
        } else {
            was_lower = false;
            if !normal.ends_with('.') {
                normal.push('.');
            }
        }
    }
    normal
}

/// Returns whether a name is secret, by the segments above or by `added`, which are normalized.
fn is_secret(name: &str, added: &[String]) -> bool {
    let name = &name[..name.floor_char_boundary(MAX_NAME)];
    // Names are ASCII, but for a few, and looking at one of those allocates nothing.
    let mut buffer = [0; 2 * MAX_NAME];
    if let Some(normal) = normalize_ascii(name, &mut buffer) {
        return is_secret_normalized(normal, added);
    }
    is_secret_normalized(&normalize(name), added)
}

fn is_secret_normalized(normal: &str, added: &[String]) -> bool {
    let mut before = "";
    for segment in normal.split('.').filter(|segment| !segment.is_empty()) {
        if SEGMENTS.contains(&segment) || SEGMENT_PAIRS.contains(&(before, segment)) {
            return true;
        }
        before = segment;
    }
    added.iter().any(|key| has_segments(normal, key.trim_matches('.')))
}

/// Does as [`normalize`] in a buffer of twice the name's length, or returns `None` if the name is
/// not ASCII.
fn normalize_ascii<'a>(name: &str, buffer: &'a mut [u8; 2 * MAX_NAME]) -> Option<&'a str> {
    let (mut length, mut was_lower) = (0, false);
    let mut push = |byte| {
        buffer[length] = byte;
        length += 1;
    };
    let mut last = 0;
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' => {
                if was_lower {
                    push(b'.');
                }
                was_lower = false;
                last = byte.to_ascii_lowercase();
                push(last);
            }
            b'a'..=b'z' | b'0'..=b'9' => {
                was_lower = true;
                last = byte;
                push(byte);
            }
            0x80.. => return None,
            _ => {
                was_lower = false;
                if last != b'.' {
                    last = b'.';
                    push(b'.');
                }
            }
        }
    }
    std::str::from_utf8(buffer.get(..length)?).ok()
}

/// Returns whether `key` is a run of whole segments of `normal`.
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
    fn an_ascii_name_is_normalized_in_both_ways_alike() {
        for name in ["X-Api-Key", "xApiKey", "..a__B9c", "HTTPServer", "", "a.b", &"aB".repeat(32)] {
            let mut buffer = [0; 2 * MAX_NAME];
            assert_eq!(normalize_ascii(name, &mut buffer), Some(normalize(name).as_str()));
        }
    }

    #[test]
    fn a_name_is_secret_by_whole_segments() {
        for name in
            ["token", "auth.token", "X-Api-Key", "apiKey", "DB_PASSWORD", "client_secret", "Set-Cookie", "sessionId"]
        {
            assert!(is_secret(name, &[]), "{name}");
        }
        for name in ["input_tokens", "output_tokens", "max_tokens", "tokenizer", "key", "author", "cookiecutter", ""] {
            assert!(!is_secret(name, &[]), "{name}");
        }
        let added = [normalize("account.number"), normalize("ssn")];
        assert!(is_secret("user_account_number", &added) && is_secret("ssn", &added) && !is_secret("lessn", &added));
    }
}
