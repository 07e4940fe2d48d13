//! The fields of a span: contents, such as a question and its answer, and the rest as a list.

use maud::{Markup, html};
use ragtrace::Value;
use ragtrace_store::SpanNode;
use serde_json::Value as Json;

use crate::view::params::encoded;
use crate::view::show;
use crate::view::trace::text::{block, code, name};

/// Fields that are contents, with their headings, in the order in which they are read.
const CONTENTS: [(&str, &str); 3] = [("query", "Query"), ("input", "Input"), ("output", "Output")];
/// Metrics that the facts show already.
const AMONG_FACTS: [&str; 1] = ["cost_usd"];

/// Writes what went in and what came out.
pub(super) fn contents(span: SpanNode<'_>) -> Markup {
    let value = |name: &str| span.context().find(|(field, _)| *field == name).map(|(_, value)| value);
    html! {
        @for (field, heading) in CONTENTS {
            @if let Some(value) = value(field) {
                section.content data-part=(field) { h3 { (heading) } (content(value)) }
            }
        }
    }
}

/// Writes the other fields and the metrics.
pub(super) fn section(span: SpanNode<'_>) -> Markup {
    let fields: Vec<_> = span.context().filter(|(field, _)| !CONTENTS.iter().any(|(name, _)| name == field)).collect();
    let metrics: Vec<_> = span.metrics().filter(|(metric, _)| !AMONG_FACTS.contains(metric)).collect();
    html! {
        @if !fields.is_empty() {
            section data-part="fields" {
                h3 { "Fields" }
                dl.fields {
                    @for (field, value) in fields {
                        dt { (name(field)) }
                        dd { (content(value)) (filter_link(field, value)) }
                    }
                }
            }
        }
        @if !metrics.is_empty() {
            section data-part="metrics" {
                h3 { "Metrics" }
                dl.fields {
                    @for (metric, value) in metrics { dt { (name(metric)) } dd { (number(metric, value)) } }
                }
            }
        }
    }
}

/// Writes a number; one whose name ends in `_ms` is a duration.
fn number(metric: &str, value: &Value) -> String {
    let millis = value.as_f64().filter(|millis| metric.ends_with("_ms") && (0.0..1e15).contains(millis));
    match (millis, value) {
        (Some(millis), _) => show::duration(std::time::Duration::from_secs_f64(millis / 1e3)),
        (None, Value::U64(whole)) => show::count(*whole),
        (None, other) => other.to_string(),
    }
}

/// Writes a link to the traces in which a record has this field with this value.
fn filter_link(field: &str, value: &Value) -> Markup {
    /// A longer value is not worth an address.
    const LONGEST: usize = 200;
    let text = value.to_string();
    html! {
        @if text.len() <= LONGEST && !matches!(value, Value::Json(_) | Value::Null) {
            " " a.filter-link href={ "/?field=" (encoded(&format!("{field}={text}"))) } {
                "filter" span.aside-text { " by " (show::short(field, 60)) }
            }
        }
    }
}

fn content(value: &Value) -> Markup {
    let (Value::Text(text) | Value::Json(text)) = value else { return html! { (value) } };
    if let Some(messages) = messages(text) {
        return html! {
            ol.messages {
                @for (role, text) in &messages { li { p.message-role { (name(role)) } (block(text)) } }
            }
        };
    }
    if is_structured(value, text) { code(&pretty(text)) } else { block(text) }
}

/// Returns roles and texts if this is a conversation: a list of objects with `role` and `content`.
fn messages(text: &str) -> Option<Vec<(String, String)>> {
    let Ok(Json::Array(list)) = serde_json::from_str(text) else { return None };
    let message = |one: &Json| {
        let content = match one.get("content")? {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some((one.get("role")?.as_str()?.to_owned(), content))
    };
    (!list.is_empty()).then(|| list.iter().map(message).collect()).flatten()
}

fn is_structured(value: &Value, text: &str) -> bool {
    matches!(value, Value::Json(_))
        || (text.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
}

/// Returns JSON with a line per member, and numbers, names and their order as they were recorded.
fn pretty(json: &str) -> String {
    let mut written = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let mut rest = json.chars().peekable();
    let line = |written: &mut String, depth: usize| {
        written.push('\n');
        written.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(c) = rest.next() {
        if in_string {
            written.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        while rest.peek().is_some_and(char::is_ascii_whitespace) {
            rest.next();
        }
        match c {
            '{' | '[' if matches!(rest.peek(), Some('}' | ']')) => {
                written.push(c);
                written.extend(rest.next());
            }
            '{' | '[' => {
                written.push(c);
                depth += 1;
                line(&mut written, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut written, depth);
                written.push(c);
            }
            ',' => {
                written.push(c);
                line(&mut written, depth);
            }
            ':' => written.push_str(": "),
            '"' => {
                written.push(c);
                in_string = true;
            }
            c if c.is_ascii_whitespace() => {}
            c => written.push(c),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_and_otherwise_as_it_was() {
        let json = r#"{"b":1.50,"a":["x, \"y\": {",{}, []],"c":{"d":null}}"#;
        let expected = "{\n  \"b\": 1.50,\n  \"a\": [\n    \"x, \\\"y\\\": {\",\n    {},\n    []\n  ],\n  \"c\": {\n    \"d\": null\n  }\n}";
        assert_eq!(pretty(json), expected);
    }

    #[test]
    fn a_conversation_is_told_from_other_lists() {
        let found = messages(r#"[{"role":"user","content":"How often?"},{"role":"assistant","content":[1]}]"#);
        let expected = [("user", "How often?"), ("assistant", "[1]")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(found, Some(expected.to_vec()));
        assert_eq!(messages(r#"[{"role":"user"}]"#), None);
        assert_eq!(messages("[]"), None);
        assert_eq!(messages("text"), None);
    }
}
