//! Secrets in structured values: what stands behind a secret's name at any depth, and whatever texts have in them. What comes
//! out is JSON as what goes in is.
//!
//! It goes through the JSON once, from left to right, without a stack: a text with a colon behind it is a name, and any other
//! one a value.

use std::borrow::Cow;

use super::rules::{MARK, Rules};
use super::scan;

/// Returns the JSON without its secrets, or `None` if it has none.
pub(super) fn redacted(json: &str, rules: &Rules) -> Option<String> {
    let bytes = json.as_bytes();
    let mut out = Output { json, copied: 0, changed: None };
    let mut at = 0;
    while let Some(start) = find(bytes, at, b'"') {
        let end = end_of_text(bytes, start);
        let text = decoded(&json[start..end]);
        if let Some(redacted) = scan::redacted(&text, rules) {
            out.replace(start, end, &quoted(&redacted));
        }
        at = end;
        let colon = skip_space(bytes, end);
        if bytes.get(colon) == Some(&b':') && rules.names.contains(&text) {
            let value = skip_space(bytes, colon + 1);
            at = end_of_value(bytes, value);
            let is_harmless = matches!(&json[value..at], "true" | "false" | "null" | "");
            if !is_harmless {
                out.replace(value, at, &quoted(MARK));
            }
        }
    }
    out.finish()
}

/// What was read, with replacements.
struct Output<'a> {
    json: &'a str,
    /// How far it was copied.
    copied: usize,
    changed: Option<String>,
}

impl Output<'_> {
    /// Puts `with` in the place of what lies between.
    fn replace(&mut self, start: usize, end: usize, with: &str) {
        if &self.json[start..end] == with {
            return;
        }
        let changed = self.changed.get_or_insert_with(|| String::with_capacity(self.json.len()));
        changed.push_str(&self.json[self.copied..start]);
        changed.push_str(with);
        self.copied = end;
    }

    fn finish(self) -> Option<String> {
        let mut changed = self.changed?;
        changed.push_str(&self.json[self.copied..]);
        Some(changed)
    }
}

fn find(bytes: &[u8], from: usize, wanted: u8) -> Option<usize> {
    bytes.get(from..)?.iter().position(|byte| *byte == wanted).map(|at| from + at)
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    let space = bytes[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    from + space
}

/// Returns where the text that begins at `start` is over. It begins and ends with a quote, unless the JSON breaks off.
fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            // What is escaped may be a letter of several bytes where this is no JSON; none of them is a quote.
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Returns where the value that begins at `start` is over.
fn end_of_value(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = end_of_text(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' | b',' if depth == 0 => return at,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// Returns the text that a quoted one stands for.
fn decoded(quoted: &str) -> Cow<'_, str> {
    let bare = quoted.strip_prefix('"').unwrap_or(quoted);
    let bare = bare.strip_suffix('"').unwrap_or(bare);
    if bare.contains('\\')
        && let Ok(text) = serde_json::from_str(quoted)
    {
        return Cow::Owned(text);
    }
    Cow::Borrowed(bare)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn after(json: &str) -> Option<String> {
        redacted(json, &Rules::default())
    }

    #[test]
    fn what_stands_behind_a_secret_s_name_goes_at_any_depth() {
        let cases = [
            (r#"{"password":"hunter2","n":1}"#, r#"{"password":"[redacted]","n":1}"#),
            (r#"[{"a":[{"apiKey":"x\"y"}]}]"#, r#"[{"a":[{"apiKey":"[redacted]"}]}]"#),
            (r#"{"credentials":{"user":"bob","all":["a]","b}"]},"c":2}"#, r#"{"credentials":"[redacted]","c":2}"#),
            (r#"{"client_secret":["x",{}],"d":[1,2]}"#, r#"{"client_secret":"[redacted]","d":[1,2]}"#),
            (r#"{"pass\u0077ord":12345}"#, r#"{"pass\u0077ord":"[redacted]"}"#),
        ];
        for (json, expected) in cases {
            assert_eq!(after(json).as_deref(), Some(expected));
            assert_eq!(after(expected), None, "a mark is no secret");
        }
    }

    #[test]
    fn texts_are_looked_through_and_names_too() {
        let cases = [
            (
                r#"["see password=hunter2 there","Bearer abcdef0123456789"]"#,
                r#"["see password=[redacted] there","Bearer [redacted]"]"#,
            ),
            (r#"{"body":"{\"api_key\": \"abc def\"}"}"#, r#"{"body":"{\"api_key\": \"[redacted]\"}"}"#),
            (r#"{"AKIAIOSFODNN7EXAMPLE":true}"#, r#"{"[redacted]":true}"#),
        ];
        for (json, expected) in cases {
            assert_eq!(after(json).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_about_a_secret_stays() {
        for json in [
            r#"{"password":null,"secret":true,"token_count":7,"input_tokens":12}"#,
            r#"{"texts":["a \"quoted\" word","\\"],"deep":[[[]]]}"#,
            "[]",
            "",
        ] {
            assert_eq!(after(json), None, "{json}");
        }
    }

    #[test]
    fn what_breaks_off_ends_there() {
        for json in ["{\"password\":", "{\"password\":\"x", "{\"password\":[[\"", "\"\\", "{\"a\\é", "}]\":"] {
            let _no_panic = after(json);
        }
    }

    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(json!(null)), any::<i64>().prop_map(Value::from), ".{0,12}".prop_map(Value::from)];
        leaf.prop_recursive(6, 48, 5, |inner| {
            let name = prop_oneof!["[a-z\\\\\"é]{0,6}", Just("password".to_owned()), Just("db_token".to_owned())];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(name, inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// No text or number is left behind a secret's name.
    fn is_clean(value: &Value) -> bool {
        match value {
            Value::Array(values) => values.iter().all(is_clean),
            Value::Object(members) => members.iter().all(|(name, value)| match name.as_str() {
                "password" | "db_token" => value.is_null() || value.is_boolean() || value == MARK,
                _ => is_clean(value),
            }),
            _ => true,
        }
    }

    proptest! {
        #[test]
        fn json_stays_json_and_has_no_secrets(tree in tree()) {
            let json = tree.to_string();
            let after = after(&json).unwrap_or(json);
            let read: Value = serde_json::from_str(&after).expect("it is JSON still");
            prop_assert!(is_clean(&read), "{}", after);
        }

        #[test]
        fn no_text_is_too_odd(text in "[\\[\\]{}\":,\\\\ a0é]{0,40}") {
            let _no_panic = after(&text);
        }
    }
}
