//! Secrets in structured values: any value that belongs to the name of a secret, at any depth, as
//! the value of a member, in a pair, after an option, or in an object that another member names;
//! and everything that is found in texts. The result is JSON.
//!
//! The JSON is read once, from left to right: a text that a colon follows is a name, and any other
//! text a value.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::ops::Range;

use super::rules::{MARK, Rules};
use super::scan;
use super::secret_names::Certainty;

/// Members that name the content of another member of their object.
const NAMING: &[&str] = &["name", "key", "type", "header", "field", "param", "parameter", "variable", "id"];
const HOLDING: &[&str] = &["value", "val", "default"];
/// Members that hold the named content only if they come next; elsewhere they belong to a message.
const HOLDING_NEXT: &[&str] = &["content", "data"];

/// Returns the JSON without its secrets, or `None` if it contains none.
pub(super) fn redacted(json: &str, rules: &Rules) -> Option<String> {
    let bytes = json.as_bytes();
    let mut out = Replacements { json, made: Vec::new() };
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'"' => {
                at = end_of_text(bytes, start);
                let text = decoded(&json[start..at]);
                if let Some(redacted) = scan::redacted(&text, rules) {
                    out.replace(start..at, &redacted);
                }
                let colon = skip_space(bytes, at);
                if bytes.get(colon) != Some(&b':') {
                    if let Some(list) = open.last_mut() {
                        list.last = Some(start..at);
                        out.redact_behind_option(list, rules);
                    }
                    continue;
                }
                let value = skip_space(bytes, colon + 1);
                if rules.names.contains(&text) {
                    at = end_of_value(bytes, value);
                    out.redact(value..at);
                } else if let Some(object) = open.last_mut() {
                    object.note_member(json, &text, value, rules);
                }
            }
            b'[' | b'{' => open.push(Open::at(start)),
            b']' | b'}' => {
                let Some(closed) = open.pop() else { continue };
                out.redact_named(&closed, rules);
                if *byte == b']' {
                    out.redact_pair(&closed, rules);
                }
                if let Some(around) = open.last_mut() {
                    around.last = Some(closed.start..at);
                }
            }
            b',' => {
                if let Some(around) = open.last_mut() {
                    around.commas += 1;
                    around.before = around.last.take();
                }
            }
            _ => {}
        }
    }
    out.finish()
}

/// A list or an object that has not been closed.
#[derive(Default)]
struct Open {
    start: usize,
    commas: usize,
    /// The element before the last comma and the one after it, if they are texts, lists or objects.
    before: Option<Range<usize>>,
    last: Option<Range<usize>>,
    /// The text of the member that names a secret, with its quotes, and the number of commas before
    /// it.
    name: Option<(Range<usize>, usize)>,
    /// The beginnings of the values of members that hold named content.
    values: Vec<usize>,
    /// The beginning of the value of a member that holds the content only directly after the name,
    /// and the number of commas before it.
    next: Option<(usize, usize)>,
}

impl Open {
    fn at(start: usize) -> Self {
        Self { start, ..Self::default() }
    }

    fn note_member(&mut self, json: &str, name: &str, value: usize, rules: &Rules) {
        let is_one_of = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        if is_one_of(HOLDING) {
            self.values.push(value);
        } else if is_one_of(HOLDING_NEXT) {
            if self.name.as_ref().is_some_and(|(_, commas)| commas + 1 == self.commas) {
                self.next = Some((value, self.commas));
            }
        } else if is_one_of(NAMING) && json[value..].starts_with('"') {
            let end = end_of_text(json.as_bytes(), value);
            if rules.names.contains(&decoded(&json[value..end])) {
                self.name = Some((value..end, self.commas));
            }
        }
    }
}

/// The parts to be replaced, in any order.
struct Replacements<'a> {
    json: &'a str,
    made: Vec<(Range<usize>, String)>,
}

impl Replacements<'_> {
    /// Replaces a part of the JSON by a text.
    fn replace(&mut self, place: Range<usize>, with: &str) {
        let with = quoted(with);
        if self.json[place.clone()] != with {
            self.made.push((place, with));
        }
    }

    /// Replaces a value by a mark, unless the value is empty of meaning.
    fn redact(&mut self, value: Range<usize>) {
        let is_harmless = matches!(&self.json[value.clone()], "true" | "false" | "null" | "");
        if !is_harmless {
            self.replace(value, MARK);
        }
    }

    /// Redacts the last text of a list if the one before it is an option named after a secret:
    /// `["--password", "…"]`.
    fn redact_behind_option(&mut self, list: &Open, rules: &Rules) {
        let (Some(option), Some(value)) = (&list.before, &list.last) else { return };
        let [option, text] = [option, value].map(|place| &self.json[place.clone()]);
        let is_list = self.json[list.start..].starts_with('[');
        let is_argument = is_list && option.starts_with("\"-") && !text.starts_with("\"-");
        if is_argument && has_secret(&format!("[{option},"), text, "]", rules) {
            self.redact(value.clone());
        }
    }

    /// Redacts the second element of a pair whose first one is the name of a secret. Two texts may
    /// also be a list of two names, unless they are inside of another list, as pairs are.
    fn redact_pair(&mut self, list: &Open, rules: &Rules) {
        let (1, Some(name), Some(value)) = (list.commas, &list.before, &list.last) else { return };
        let name_text = decoded(&self.json[name.clone()]);
        let is_option = name_text.starts_with('-');
        let Some(certainty) = rules.names.certainty(&name_text).filter(|_| !is_option) else { return };
        let is_in_list = self.json[..list.start].trim_end().ends_with(['[', ',']);
        let [name, text] = [name, value].map(|place| &self.json[place.clone()]);
        let is_secret = match text.as_bytes().first() {
            Some(b'"') if is_in_list => has_secret(&format!("({name},"), text, ")", rules),
            Some(b'"') => has_secret(&format!("[{name},"), text, "]", rules),
            // The values of a header.
            Some(b'[') => is_in_list && certainty != Certainty::Ambiguous,
            _ => false,
        };
        if is_secret {
            self.redact(value.clone());
        }
    }

    /// Redacts the values of an object in which another member is the name of a secret: `{"name":
    /// "password", "value": "…"}`.
    fn redact_named(&mut self, object: &Open, rules: &Rules) {
        let Some((name, commas)) = &object.name else { return };
        let next = object.next.filter(|(_, at)| commas + 1 == *at).map(|(value, _)| value);
        for start in object.values.iter().copied().chain(next) {
            let value = start..end_of_value(self.json.as_bytes(), start);
            let [name, text] = [name, &value].map(|place| &self.json[place.clone()]);
            // The value is judged as in a text, in which other members may be between the two.
            if !text.starts_with('"') || has_secret(&format!("{{\"name\":{name},\"value\":"), text, "}", rules) {
                self.redact(value);
            }
        }
    }

    fn finish(self) -> Option<String> {
        let mut made = self.made;
        if made.is_empty() {
            return None;
        }
        // Of replacements at the same place the last one counts, and of nested ones the outer one.
        made.reverse();
        made.sort_by_key(|(place, _)| (place.start, Reverse(place.end)));
        let mut changed = String::with_capacity(self.json.len());
        let mut copied = 0;
        for (place, with) in made {
            if place.start >= copied {
                changed.push_str(&self.json[copied..place.start]);
                changed.push_str(&with);
                copied = place.end;
            }
        }
        changed.push_str(&self.json[copied..]);
        Some(changed)
    }
}

/// Returns `true` if all of a quoted text is a secret when it is between these two texts.
fn has_secret(before: &str, quoted_text: &str, after: &str, rules: &Rules) -> bool {
    let marked = scan::with_marks(&format!("{before}{quoted_text}{after}"), rules);
    marked.is_some_and(|marked| marked == format!("{before}{}{after}", quoted(MARK)))
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    let space = bytes[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    from + space
}

/// Returns the end of the text that begins at `start`. It begins and ends with a quote, unless the
/// JSON is cut.
fn end_of_text(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            // If this is not JSON, the escaped character may have several bytes, but none of them
            // is a quote.
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Returns the end of the value that begins at `start`.
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
    fn what_stands_beside_a_secret_s_name_goes() {
        let cases = [
            (r#"[["x-api-key","3f9c1d2e"],["host","a"]]"#, r#"[["x-api-key","[redacted]"],["host","a"]]"#),
            (r#"["x-api-key","3f9c1d2e77aa4b10"]"#, r#"["x-api-key","[redacted]"]"#),
            (r#"{"headers":[["authorization",["Zm9v"]]]}"#, r#"{"headers":[["authorization","[redacted]"]]}"#),
            (r#"[["password","correcthorse"]]"#, r#"[["password","[redacted]"]]"#),
            (r#"[{"name":"DB_PASSWORD","value":"hunter2"}]"#, r#"[{"name":"DB_PASSWORD","value":"[redacted]"}]"#),
            (
                r#"{"Value":"hunter2","a":{"b":[1]},"Key":"DB_PASSWORD"}"#,
                r#"{"Value":"[redacted]","a":{"b":[1]},"Key":"DB_PASSWORD"}"#,
            ),
            (
                r#"{"key":"db.password","value":{"stringValue":"Bearer abcdef0123456789"}}"#,
                r#"{"key":"db.password","value":"[redacted]"}"#,
            ),
            (r#"{"name":"pass\u0077ord","val":12}"#, r#"{"name":"pass\u0077ord","val":"[redacted]"}"#),
            (r#"{"id":"api_key","content":"x\"y"}"#, r#"{"id":"api_key","content":"[redacted]"}"#),
            (r#"["db","--password","hunter2","-v"]"#, r#"["db","--password","[redacted]","-v"]"#),
            (r#"["--api-key", "abc" ]"#, r#"["--api-key", "[redacted]" ]"#),
        ];
        for (json, expected) in cases {
            assert_eq!(after(json).as_deref(), Some(expected));
            assert_eq!(after(expected), None, "a mark is no secret");
        }
    }

    #[test]
    fn names_among_names_stay() {
        for json in [
            r#"["password","email"]"#,
            r#"["email","password"]"#,
            r#"["user","password","email"]"#,
            r#"["--password","--verbose"]"#,
            r#"{"name":"password","value":null,"default":""}"#,
            r#"{"name":"password","type":"string","required":true}"#,
            r#"{"content":"it is done","name":"reset_password","role":"tool"}"#,
            r#"{"a":{"name":"password"},"value":"x"}"#,
            r#"{"flag":"--password","help":"asks for it"}"#,
            r#"[{"name":"password"},{"value":"x"}]"#,
        ] {
            assert_eq!(after(json), None, "{json}");
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

    /// Returns `true` if no text or number remains that belongs to the name of a secret.
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
