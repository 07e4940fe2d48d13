//! Replaces characters and numbers that PostgreSQL cannot store.
//!
//! The character U+0000, which neither `text` nor `jsonb` can hold, becomes U+FFFD. Some more that
//! JSON allows is replaced in `jsonb`.

use std::borrow::Cow;

/// Returns the text with U+0000 replaced by U+FFFD.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// Returns a JSON text that `jsonb` accepts. Escapes of U+0000 and of unpaired surrogates become
/// U+FFFD, and numbers too large for `numeric` become strings. JSON allows all of these, so a
/// program's own JSON may contain them, and any of them would cost the whole record.
pub(crate) fn json(json: String) -> String {
    if !json.contains("\\u") && !may_have_large_number(&json) {
        return json;
    }
    let mut clean = String::with_capacity(json.len());
    let (mut rest, mut in_text) = (json.as_str(), false);
    let is_next = |sign: char, in_text: bool| match sign {
        '"' => true,
        '\\' => in_text,
        _ => !in_text && (sign == '-' || sign.is_ascii_digit()),
    };
    while let Some(at) = rest.find(|sign| is_next(sign, in_text)) {
        let (before, found) = rest.split_at(at);
        clean.push_str(before);
        let length = match found.as_bytes()[0] {
            b'"' => {
                in_text = !in_text;
                clean.push('"');
                1
            }
            b'\\' => push_escape(&mut clean, found),
            _ => push_number(&mut clean, found),
        };
        rest = &found[length..];
    }
    clean.push_str(rest);
    clean
}

/// Appends the escape sequence that `text` begins with, and returns its length. An escaped
/// backslash begins no other escape.
fn push_escape(clean: &mut String, text: &str) -> usize {
    let length = match code_unit(text) {
        // What follows a backslash is ASCII in JSON.
        None => text.get(..2).map_or(1, str::len),
        Some(0xd800..=0xdbff) if matches!(text.get(6..).and_then(code_unit), Some(0xdc00..=0xdfff)) => 12,
        Some(0 | 0xd800..=0xdfff) => {
            clean.push('\u{fffd}');
            return 6;
        }
        Some(_) => 6,
    };
    clean.push_str(&text[..length]);
    length
}

/// Returns the UTF-16 code unit that `text` begins with as an escape (`\uXXXX`).
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let is_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_hexadecimal { u16::from_str_radix(digits, 16).ok() } else { None }
}

/// The most digits that `numeric` holds before and after the decimal point (PostgreSQL's manual,
/// table 8.2).
const MOST_DIGITS: (i64, i64) = (131_072, 16_383);

/// Returns `false` if no number in the JSON text can be too large for `numeric`: such a number has
/// an exponent or many digits.
fn may_have_large_number(json: &str) -> bool {
    let is_exponent = |pair: &[u8]| pair[0].is_ascii_digit() && pair[1].eq_ignore_ascii_case(&b'e');
    json.len() > 16_383 || json.as_bytes().windows(2).any(is_exponent)
}

/// Appends the number that `text` begins with, as a string if it is too large for `numeric`, and
/// returns its length.
fn push_number(clean: &mut String, text: &str) -> usize {
    let is_over = |sign: char| !sign.is_ascii_digit() && !matches!(sign, '-' | '+' | '.' | 'e' | 'E');
    let number = &text[..text.find(is_over).unwrap_or(text.len())];
    if has_room(number) {
        clean.push_str(number);
    } else {
        clean.extend(["\"", number, "\""]);
    }
    number.len()
}

fn has_room(number: &str) -> bool {
    let digits = |digits: &str| i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let Ok(exponent) = exponent.parse::<i64>() else { return false };
    digits(whole.trim_start_matches('-')).saturating_add(exponent) <= MOST_DIGITS.0
        && digits(fraction).saturating_sub(exponent) <= MOST_DIGITS.1
}

/// Returns a text as it is stored. A filter has to replace the same characters as the writer did.
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
            (
                r#"["\ud83d\ude00","\uD83D\uDE00","\\ud800","\u00e9"]"#,
                r#"["\ud83d\ude00","\uD83D\uDE00","\\ud800","\u00e9"]"#,
            ),
            (r#"{"\uD800":"\ud800\ud83d\ude00\udfff"}"#, "{\"\u{fffd}\":\"\u{fffd}\\ud83d\\ude00\u{fffd}\"}"),
            (r#"["\ud83d\n\ude00","\ud83d\\ude00"]"#, "[\"\u{fffd}\\n\u{fffd}\",\"\u{fffd}\\\\ude00\"]"),
            (r#"["\u00é","\é"]"#, r#"["\u00é","\é"]"#),
            ("[1e131071,-1E-16383,0.5,1e+5]", "[1e131071,-1E-16383,0.5,1e+5]"),
            (
                r#"[1e131072,-1.5E-16383,{"1e999999":"1e999999"}]"#,
                r#"["1e131072","-1.5E-16383",{"1e999999":"1e999999"}]"#,
            ),
            ("[1e99999999999999999999]", r#"["1e99999999999999999999"]"#),
        ] {
            assert_eq!(json(given.to_owned()), expected, "{given}");
        }
        assert_eq!(text("a\0b"), "a\u{fffd}b");
    }
}
