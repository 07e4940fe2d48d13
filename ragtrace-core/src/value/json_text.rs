//! Validation of JSON that the application provides.
//!
//! Such JSON becomes part of a record unchanged, and a file has one record a line. Text that is not
//! JSON, that spans several lines or that readers would reject would damage its surroundings, so it
//! is checked first.

use std::borrow::Cow;

use serde_core::de::IgnoredAny;

use super::Value;

/// The maximum length of a structured value's JSON, in bytes.
pub(super) const LONGEST: usize = 64 << 10;
/// The maximum depth of nested objects and lists. Parsers such as `serde_json` stop at 128 levels,
/// and the value itself is two levels deep in a record.
pub(super) const DEEPEST: usize = 100;

/// Returns the value to record for the text of a [`Value::Json`].
///
/// Lists and objects become JSON without white space between their parts. Numbers, strings and
/// booleans become plain values. Text that is not JSON, or exceeds the limits, becomes a string.
#[cold]
pub(super) fn recordable(json: Cow<'static, str>) -> Value {
    if json.len() > LONGEST {
        return Value::Text(json);
    }
    let mut scan = Scan::default();
    let mut compact = json.to_string();
    compact.retain(|c| scan.keeps(c));
    let is_json = serde_json::from_str::<IgnoredAny>(&json).is_ok() && scan.deepest <= DEEPEST;
    if is_json { of_json(compact) } else { Value::Text(json) }
}

/// Parses JSON without white space between its parts into a value.
///
/// # Errors
///
/// Returns an error if the text is not JSON.
#[cfg(feature = "serde")]
pub(super) fn parsed(json: String) -> Result<Value, serde_json::Error> {
    serde_json::from_str::<IgnoredAny>(&json)?;
    Ok(of_json(json))
}

fn of_json(json: String) -> Value {
    match json.as_bytes().first() {
        Some(b'{' | b'[') => Value::Json(Cow::Owned(json)),
        Some(b'"') => text(serde_json::from_str(&json).unwrap_or(json)),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') | None => Value::Null,
        _ => number(json),
    }
}

/// Returns the value of a number. One that does not fit into 64 bits becomes a string, as in
/// `ToValue`.
fn number(json: String) -> Value {
    if let Ok(number) = json.parse() {
        return Value::U64(number);
    }
    if let Ok(number) = json.parse() {
        return Value::I64(number);
    }
    let is_whole = json.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match json.parse::<f64>() {
        Ok(number) if number.is_finite() && !is_whole => Value::F64(number),
        _ => text(json),
    }
}

/// Creates a string value.
pub(super) fn text(text: String) -> Value {
    Value::Text(Cow::Owned(text))
}

/// The state of a scan through JSON.
#[derive(Clone, Copy, Default)]
pub(super) struct Scan {
    /// The number of objects and lists that are open.
    pub(super) depth: usize,
    /// The highest number that was open at once.
    pub(super) deepest: usize,
    is_in_text: bool,
    is_escaped: bool,
}

impl Scan {
    /// Returns the state inside of `depth` open objects and lists.
    #[cfg(feature = "serde")]
    pub(super) fn at_depth(depth: usize) -> Self {
        Self { depth, deepest: depth, ..Self::default() }
    }

    /// Advances by a character, and returns `false` if it is white space between two parts.
    pub(super) fn keeps(&mut self, c: char) -> bool {
        match c {
            _ if self.is_in_text => {
                self.is_in_text = c != '"' || self.is_escaped;
                self.is_escaped = c == '\\' && !self.is_escaped;
            }
            '"' => self.is_in_text = true,
            '[' | '{' => {
                self.depth += 1;
                self.deepest = self.deepest.max(self.depth);
            }
            ']' | '}' => self.depth = self.depth.saturating_sub(1),
            ' ' | '\n' | '\r' | '\t' => return false,
            _ => {}
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_between_parts_goes_and_that_in_texts_stays() {
        let json = " {\r\n\t\"a b\" : [ 1.50 , \"c\\\" , d\" ] }\n";
        assert_eq!(recordable(json.into()).as_json(), Some(r#"{"a b":[1.50,"c\" , d"]}"#));
    }

    #[test]
    fn what_is_no_json_is_a_text_as_it_was_given() {
        for text in [
            "",
            " ",
            "{",
            "{}}",
            "{},\"a\":1}",
            "[1 2]",
            "[01]",
            "{a:1}",
            "[NaN]",
            "[\"\n\"]",
            "[\"\\x\"]",
            "1 2",
            "tru e",
        ] {
            assert_eq!(recordable(text.into()), Value::from(text), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_list_and_no_object_is_a_value_like_others() {
        let value_of = |json: &'static str| recordable(json.into());
        assert_eq!((value_of(" 7"), value_of("-7"), value_of("0.5")), (7_u8.into(), (-7_i8).into(), 0.5.into()));
        assert_eq!(
            (value_of("\"a\\nb\""), value_of("true\n"), value_of("null")),
            ("a\nb".into(), true.into(), Value::Null)
        );
        assert_eq!((value_of("1e999"), value_of("[1e999]").as_json()), ("1e999".into(), Some("[1e999]")));
    }

    #[test]
    fn what_is_too_long_or_too_deep_is_a_text() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(recordable(nested(DEEPEST).into()).as_json().is_some());
        let deep = nested(DEEPEST + 1);
        assert_eq!(recordable(deep.clone().into()), deep);
        let long = format!("[\"{}\"]", "a".repeat(LONGEST));
        assert_eq!(recordable(long.clone().into()), long);
    }
}
