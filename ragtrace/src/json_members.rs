//! The members of a JSON object in the order in which they were written, with exact numbers.
//!
//! `serde_json::Value` sorts members, and parses some numbers inexactly. Its features
//! `preserve_order` and `float_roundtrip` change that, but for every crate of the program, which a
//! library must not do. So `serde_json` only finds where each value begins and ends, and the
//! standard library parses the numbers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::value::RawValue;

/// The members of one object. Names are unique: of several members with the same name, the last
/// counts.
#[derive(Debug)]
pub(crate) struct Members<'a>(Vec<(String, Json<'a>)>);

/// A JSON value. Objects and lists are parsed only when they are read, so deep nesting does not use
/// up the stack.
#[derive(Debug, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Number(Number<'a>),
    Text(String),
    /// The text of an object or a list.
    Nested(&'a str),
}

/// The text of a number that is finite as an `f64`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number<'a>(&'a str);

/// An error in a text that should be JSON.
#[derive(Clone, Debug)]
pub(crate) enum JsonError {
    Malformed(Arc<serde_json::Error>),
    /// The text of a number that is not finite as an `f64`.
    OutOfRange(String),
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(f),
            Self::OutOfRange(number) => write!(f, "the number {number} is out of range"),
        }
    }
}

impl From<JsonError> for String {
    fn from(error: JsonError) -> Self {
        error.to_string()
    }
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed(Arc::new(error))
    }
}

impl<'a> Members<'a> {
    /// Parses an object.
    pub(crate) fn of(text: &'a str) -> Result<Self, JsonError> {
        let raw: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
        let mut raw: Vec<_> = raw.into_iter().map(|(name, value)| (name, value.get())).collect();
        // All values are slices of `text`, so their addresses give their order.
        raw.sort_by_key(|(_, value)| value.as_ptr());
        let members = raw.into_iter().map(|(name, value)| Ok((name, Json::of(value)?)));
        members.collect::<Result<_, JsonError>>().map(Self)
    }

    /// Returns the members in the order in which they were written.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Json<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.iter().find(|(member, _)| *member == name).map(|(_, value)| value)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the text of a member parsed as `T`, or `None` if the member is missing, is not a
    /// text or is malformed.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    pub(crate) fn number(&self, name: &str) -> Option<Number<'a>> {
        match self.get(name)? {
            Json::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn unsigned(&self, name: &str) -> Option<u64> {
        self.number(name)?.as_u64()
    }

    pub(crate) fn float(&self, name: &str) -> Option<f64> {
        self.number(name).map(Number::as_f64)
    }

    /// Returns the members of a nested object, or `None` if the member is not an object.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Members<'a>>, JsonError> {
        match self.get(name) {
            Some(Json::Nested(text)) if text.starts_with('{') => Members::of(text).map(Some),
            _ => Ok(None),
        }
    }

    /// Returns the values of a list, or none if the member is not a list.
    pub(crate) fn list(&self, name: &str) -> Result<Vec<Json<'a>>, JsonError> {
        match self.get(name) {
            Some(Json::Nested(text)) if text.starts_with('[') => {
                let raw: Vec<&RawValue> = serde_json::from_str(text)?;
                raw.into_iter().map(|value| Json::of(value.get())).collect()
            }
            _ => Ok(Vec::new()),
        }
    }
}

impl<'a> Json<'a> {
    /// Parses a text that is known to be exactly one value.
    fn of(text: &'a str) -> Result<Self, JsonError> {
        Ok(match text.as_bytes().first() {
            Some(b'{' | b'[') => Self::Nested(text),
            Some(b'"') => Self::Text(serde_json::from_str(text)?),
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'n') => Self::Null,
            _ if Number(text).as_f64().is_finite() => Self::Number(Number(text)),
            _ => return Err(JsonError::OutOfRange(text.to_owned())),
        })
    }
}

impl Number<'_> {
    /// Returns the number if it is written as a whole number that is not negative.
    pub(crate) fn as_u64(self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// Returns the number if it is written as a negative whole number.
    pub(crate) fn as_negative(self) -> Option<i64> {
        self.0.parse().ok().filter(|number| *number < 0)
    }

    pub(crate) fn as_f64(self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }
}

/// Returns the JSON without white space between its tokens.
pub(crate) fn compact(json: &str) -> String {
    let (mut in_text, mut is_escaped) = (false, false);
    let is_part = |character: &char| {
        let was_in_text = in_text;
        match character {
            '"' if !is_escaped => in_text = !in_text,
            _ => {}
        }
        is_escaped = in_text && !is_escaped && *character == '\\';
        was_in_text || !character.is_ascii_whitespace()
    };
    json.chars().filter(is_part).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn members_stand_in_the_order_in_which_they_were_written() {
        let members = Members::of(r#" {"b": 1, "a":{"z":[],"y":2}, "c":"\"", "b" : null} "#).expect("an object");
        assert_eq!(members.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "c", "b"]);
        assert_eq!((members.text("c"), members.get("b")), (Some("\""), Some(&Json::Null)));
        let nested = members.object("a").expect("valid").expect("an object");
        assert_eq!((nested.unsigned("y"), nested.list("z").expect("valid").len()), (Some(2), 0));
        assert!(members.object("c").expect("valid").is_none());
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let deep = format!("{{\"a\":{}", "[".repeat(200_000));
        for text in ["", "[1]", "{", "{\"a\":1}x", "{\"a\":01}", "{\"a\":1e999}", "{\"a\":\"\\ud800\"}", &deep] {
            assert!(Members::of(text).is_err(), "{text:.40}");
        }
    }

    #[test]
    fn whole_numbers_are_told_from_others() {
        let members = Members::of(r#"{"a":18446744073709551615,"b":-9223372036854775808,"c":-0,"d":1.0}"#);
        let members = members.expect("an object");
        let of = |name: &str| members.number(name).map(|number| (number.as_u64(), number.as_negative()));
        assert_eq!(of("a"), Some((Some(u64::MAX), None)));
        assert_eq!(of("b"), Some((None, Some(i64::MIN))));
        assert_eq!((of("c"), of("d")), (Some((None, None)), Some((None, None))));
    }

    #[test]
    fn white_space_in_texts_is_no_white_space_between_parts() {
        assert_eq!(compact("{ \"a \\\\\" : [ 1,\n2 ], \"\\\" b\": \"\" }"), "{\"a \\\\\":[1,2],\"\\\" b\":\"\"}");
    }

    proptest! {
        #[test]
        fn every_number_is_read_to_the_last_bit(bits in any::<u64>()) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            let text = format!("{{\"number\":{number:?}}}");
            let members = Members::of(&text).expect("an object");
            prop_assert_eq!(members.float("number").map(f64::to_bits), Some(bits));
        }
    }
}
