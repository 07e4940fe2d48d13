//! What PostgreSQL cannot hold: the character U+0000, in `text` and in `jsonb` alike. It becomes
//! U+FFFD.

use std::borrow::Cow;

/// Returns a text without U+0000.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// Returns a JSON text without an escaped U+0000. A backslash that is escaped itself begins no
/// escape.
pub(crate) fn json(json: String) -> String {
    const ESCAPE: &str = "\\u0000";
    if !json.contains(ESCAPE) {
        return json;
    }
    let mut clean = String::with_capacity(json.len());
    let mut rest = json.as_str();
    while let Some(at) = rest.find('\\') {
        clean.push_str(&rest[..at]);
        let escape = &rest[at..];
        let length = if escape.starts_with(ESCAPE) {
            clean.push('\u{fffd}');
            ESCAPE.len()
        } else {
            // The backslash and what follows it, which is ASCII in JSON.
            let length = 2.min(escape.len());
            clean.push_str(&escape[..length]);
            length
        };
        rest = &escape[length..];
    }
    clean.push_str(rest);
    clean
}

/// Returns a text as it is stored: what PostgreSQL cannot hold is replaced there, and so it is
/// where it is looked for.
pub(super) fn as_stored(text: Option<&str>) -> Option<String> {
    text.map(|given| self::text(given).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_escape_stays_as_it_is() {
        for (given, expected) in [
            (r#"{"a":"b"}"#, r#"{"a":"b"}"#),
            (r#"{"a":"\u0000"}"#, "{\"a\":\"\u{fffd}\"}"),
            (r#"{"a":"\\u0000\u00001"}"#, "{\"a\":\"\\\\u0000\u{fffd}1\"}"),
            (r#"{"\u0000":"\\\u0000\n"}"#, "{\"\u{fffd}\":\"\\\\\u{fffd}\\n\"}"),
        ] {
            assert_eq!(json(given.to_owned()), expected, "{given}");
        }
        assert_eq!(text("a\0b"), "a\u{fffd}b");
    }
}
