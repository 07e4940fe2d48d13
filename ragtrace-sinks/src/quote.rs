//! Quotes invalid values in errors, unless they may be secrets.

#[cfg(feature = "http")]
use std::path::Path;

/// The longest text, in characters, that is certainly not a secret. The keys that backends issue
/// are longer.
const LONGEST: usize = 24;

/// The longest extension of a file name, in bytes. The parts of a token with full stops are longer.
#[cfg(feature = "http")]
const LONGEST_EXTENSION: usize = 8;

/// Returns a value in quotation marks. If it may be a secret in the wrong setting, because it is
/// long or has characters of URLs and headers, returns only its length.
pub(crate) fn quoted(text: &str) -> String {
    let number = text.chars().count();
    if number <= LONGEST && !text.contains(['@', ':', '=']) {
        return format!("{text:?}");
    }
    format!("a text of {number} characters (not shown: it may be a secret)")
}

/// Returns a path in a form that an error may show. A text that does not look like a path may be
/// the secret that belongs into the file.
#[cfg(feature = "http")]
pub(crate) fn shown_path(path: &Path) -> String {
    let text = path.display().to_string();
    let has_extension = path.extension().is_some_and(|extension| extension.len() <= LONGEST_EXTENSION);
    let is_path = path.is_absolute() || text.starts_with('.') || has_extension;
    if is_path && !text.contains(char::is_control) {
        return text;
    }
    format!("a path of {} characters (not shown: it may be the secret itself)", text.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "http")]
    #[test]
    fn a_path_is_shown_unless_it_may_be_what_should_be_in_the_file() {
        for path in ["/run/secrets/key", "./key", "../secrets/key", "key.txt", "secrets/client.pem"] {
            assert_eq!(shown_path(Path::new(path)), path);
        }
        let token = "eyJhbGciOi.eyJzdWIiOi.SflKxwRJSMeKKF2QT4fwpMeJf36";
        for secret in ["hunter2", "sk-lf-0123-4567", "ab/cd+ef==", token, "-----BEGIN KEY-----\nhunter2.x"] {
            let number = secret.len();
            let shown = format!("a path of {number} characters (not shown: it may be the secret itself)");
            assert_eq!(shown_path(Path::new(secret)), shown);
        }
    }

    #[test]
    fn a_short_word_is_quoted_and_what_may_be_a_secret_is_counted() {
        for (text, shown) in [("zstd", "\"zstd\""), ("", "\"\""), ("99999999999999999999", "\"99999999999999999999\"")]
        {
            assert_eq!(quoted(text), shown);
        }
        for secret in
            ["postgres://u:p@h", "me:p", "key=x", "0123456789abcdef0123456789abcdef", "lsv2_pt_0123456789abcdef01"]
        {
            assert_eq!(
                quoted(secret),
                format!("a text of {} characters (not shown: it may be a secret)", secret.len())
            );
        }
    }
}
