//! Writes the application's values in JSON that LangSmith accepts.
//!
//! LangSmith answers 422 to a whole request because of a single number beyond 64 bits, and its
//! parser gives up at some depth. An application's JSON may contain both. Such a number is written
//! as a string of its digits, and a value that is too deep as a string of its JSON.

use ragtrace::__json::{write_float, write_text, write_whole};
use ragtrace::Value;

/// The deepest nesting that is sent unchanged. The server's parser, `orjson`, accepts 1,024 levels.
const DEEPEST: usize = 256;
/// The length up to which a number certainly fits: 18 digits and a sign.
const SHORT: usize = 18;

/// Writes a value.
pub(super) fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::U64(number) => write_whole(out, *number),
        Value::I64(number) => write_whole(out, *number),
        Value::F64(number) => write_float(out, *number),
        Value::Text(text) => write_text(out, text),
        Value::Json(json) => write_json(out, json),
        _ => out.extend_from_slice(b"null"),
    }
}

/// Writes JSON.
pub(super) fn write_json(out: &mut Vec<u8>, json: &str) {
    let start = out.len();
    let (mut depth, mut at, mut copied) = (0_usize, 0, 0);
    let bytes = json.as_bytes();
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_text(bytes, at),
            b'[' | b'{' => {
                depth += 1;
                if depth > DEEPEST {
                    out.truncate(start);
                    return write_text(out, json);
                }
                at += 1;
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let end = end_of_number(bytes, at);
                if !is_in_range(&json[at..end]) {
                    out.extend_from_slice(&bytes[copied..at]);
                    write_text(out, &json[at..end]);
                    copied = end;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    out.extend_from_slice(&bytes[copied..]);
}

/// Returns the index after the string that begins at `start`.
fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn end_of_number(bytes: &[u8], start: usize) -> usize {
    let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    bytes[start..].iter().position(|byte| !is_part(byte)).map_or(bytes.len(), |length| start + length)
}

fn is_in_range(number: &str) -> bool {
    let is_whole = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if is_whole {
        number.len() <= SHORT || number.parse::<u64>().is_ok() || number.parse::<i64>().is_ok()
    } else {
        number.parse::<f64>().is_ok_and(f64::is_finite)
    }
}

/// Returns the members of a JSON object without its braces, or `None` if it is not an object or has
/// a member with one of these names.
pub(super) fn members_without<'a>(value: &'a Value, names: &[&str]) -> Option<&'a str> {
    let json = value.as_json()?.trim();
    let members = json.strip_prefix('{')?.strip_suffix('}')?;
    // A name at a deeper level, or in a text, is found too. Such an object is merely written in
    // another way.
    let has = |name: &&str| members.contains(&format!("\"{name}\""));
    (!names.iter().any(has)).then_some(members)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(json: &str) -> String {
        let mut out = b"[".to_vec();
        write_json(&mut out, json);
        String::from_utf8(out).expect("UTF-8").split_off(1)
    }

    #[test]
    fn numbers_of_64_bits_stay_and_larger_ones_become_texts() {
        for json in ["18446744073709551615", "-9223372036854775808", "[1.5e300,-0,12]", r#"{"a":123456789012345678}"#] {
            assert_eq!(written(json), json);
        }
        assert_eq!(written("18446744073709551616"), "\"18446744073709551616\"");
        assert_eq!(written("[-9223372036854775809,1]"), "[\"-9223372036854775809\",1]");
        assert_eq!(written("{\"a\":1e400,\"b\":2}"), "{\"a\":\"1e400\",\"b\":2}");
        let text = r#"{"99999999999999999999 \" 99999999999999999999":"1e400"}"#;
        assert_eq!(written(text), text, "digits in texts are none of these");
    }

    #[test]
    fn what_is_nested_too_deeply_becomes_a_text() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(written(&nested(DEEPEST)), nested(DEEPEST));
        assert_eq!(written(&nested(DEEPEST + 1)), format!("\"{}\"", nested(DEEPEST + 1)));
        let wide = format!("[{}]", "[1],".repeat(2 * DEEPEST) + "2");
        assert_eq!(written(&wide), wide);
    }

    #[test]
    fn an_object_gives_its_members_unless_a_name_would_be_there_twice() {
        let members = |json: &'static str| members_without(&Value::Json(json.into()), &["query"]).map(str::to_owned);
        assert_eq!(members(r#"{"a":1}"#).as_deref(), Some(r#""a":1"#));
        assert_eq!(members("{}").as_deref(), Some(""));
        for none in [r#"{"query":1}"#, "[1]", "\"{}\"", "1"] {
            assert_eq!(members(none), None, "{none}");
        }
        assert_eq!(members_without(&Value::from("{}"), &[]), None, "a text is no object");
    }

    proptest! {
        #[test]
        fn json_that_any_reader_takes_stays_as_it_is(json in json()) {
            let json = json.to_string();
            prop_assert_eq!(written(&json), json);
        }
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<u64>().prop_map(Into::into),
            any::<f64>().prop_filter("JSON has no others", |number| number.is_finite()).prop_map(Into::into),
            ".*".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
                prop::collection::btree_map(".*", inner, 0..8)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }
}
