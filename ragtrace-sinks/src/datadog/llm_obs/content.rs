//! Writes the input and the output of a span: texts, messages or documents.

use std::borrow::Cow;

use ragtrace::__json::{Object, write_text};
use ragtrace::{RecordItem, Value};

use super::kind::Kind;
use crate::datadog::attributes::Shape;
use crate::spans::{Message, Span};

/// Writes the input, if there is one.
pub(super) fn write_input(meta: &mut Object<'_>, span: &Span<'_>, kind: Kind) {
    let content = &span.content;
    let used = span.record.used();
    let prompt = (content.prompt_name, content.prompt_version_text());
    let has_prompt = prompt.0.is_some() || prompt.1.is_some();
    let value = content.input_or_query();
    if value.is_none() && used.is_empty() && !has_prompt {
        return;
    }
    let mut input = meta.nested("input");
    match (kind, value) {
        (Kind::Llm, Some(value)) => write_messages(&mut input, content.input_messages(), "user", value),
        (Kind::Embedding, Some(value)) => write_embedded(&mut input, value),
        (_, Some(value)) => input.text("value", &text_of(value)),
        (Kind::Embedding, None) => write_documents(&mut input, used),
        (_, None) if !used.is_empty() => write_documents_as_text(&mut input, used),
        (_, None) => {}
    }
    if has_prompt {
        let mut of_prompt = input.nested("prompt");
        of_prompt.optional_text("id", prompt.0);
        of_prompt.optional_text("version", prompt.1.as_deref());
        of_prompt.close();
    }
    input.close();
}

/// Writes the output, if there is one.
pub(super) fn write_output(meta: &mut Object<'_>, span: &Span<'_>, kind: Kind) {
    let content = &span.content;
    let generated = span.record.generated();
    if content.output.is_none() && generated.is_empty() {
        return;
    }
    let mut output = meta.nested("output");
    match (kind, content.output) {
        _ if is_documents(span, kind) => write_documents(&mut output, generated),
        (Kind::Llm, Some(value)) => write_messages(&mut output, content.output_messages(), "assistant", value),
        (_, Some(value)) => output.text("value", &text_of(value)),
        (_, None) => write_documents_as_text(&mut output, generated),
    }
    output.close();
}

/// Returns `true` if documents are the output, even beside another output.
fn is_documents(span: &Span<'_>, kind: Kind) -> bool {
    kind == Kind::Retrieval && !span.record.generated().is_empty()
}

/// Returns the declared content, with its names, that is neither written as input nor as output
/// because something else takes its place.
pub(super) fn beside_input_and_output<'a>(span: &Span<'a>) -> impl Iterator<Item = (&'static str, &'a Value)> {
    let content = &span.content;
    let query = content.query.filter(|_| content.input.is_some());
    let output = content.output.filter(|_| is_documents(span, Kind::of(span.kind)));
    [("query", query), ("output", output)].into_iter().filter_map(|(name, value)| Some((name, value?)))
}

fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Text(text) | Value::Json(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// Writes the embedded texts, each as a document.
fn write_embedded(input: &mut Object<'_>, value: &Value) {
    let listed = value.as_json().and_then(|json| serde_json::from_str::<Vec<String>>(json).ok());
    let texts = listed.unwrap_or_else(|| vec![text_of(value).into_owned()]);
    input.list("documents", &texts, |out, text| {
        let mut document = Object::open(out);
        document.text("text", text);
        document.close();
    });
}

fn write_documents(object: &mut Object<'_>, items: &[RecordItem]) {
    object.list("documents", items, write_document);
}

/// Writes documents as JSON in a string, for kinds that have only a text.
fn write_documents_as_text(object: &mut Object<'_>, items: &[RecordItem]) {
    let mut list = Vec::with_capacity(64 * items.len());
    write_document_list(&mut list, items);
    object.text("value", &String::from_utf8_lossy(&list));
}

pub(super) fn write_document_list(out: &mut Vec<u8>, items: &[RecordItem]) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_document(out, item);
    }
    out.push(b']');
}

fn write_document(out: &mut Vec<u8>, item: &RecordItem) {
    let mut document = Object::open(out);
    document.optional_text("text", item.content());
    document.optional_text("name", item.source());
    document.text("id", item.id());
    if let Some(score) = item.score().filter(|score| score.is_finite()) {
        document.float("score", score);
    }
    document.close();
}

/// Writes messages. A value that is not messages becomes the content of one message with this role.
fn write_messages(object: &mut Object<'_>, messages: Option<Vec<Message<'_>>>, role: &str, value: &Value) {
    match messages {
        Some(messages) => object.list("messages", &messages, |out, message| write_message(Object::open(out), message)),
        None => object.list("messages", &[text_of(value)], |out, text| {
            let mut message = Object::open(out);
            message.text("role", role);
            message.text("content", text);
            message.close();
        }),
    }
}

fn write_message(mut object: Object<'_>, message: &Message<'_>) {
    let text = message.text();
    object.text("role", &message.role);
    // A tool's answer is not part of the conversation's text, but a result.
    let result_of = message.tool_call_id.as_deref();
    if result_of.is_none() {
        object.text("content", &text);
    }
    let calls = message.tool_calls();
    if !calls.is_empty() {
        object.list("tool_calls", &calls, |out, call| {
            let mut object = Object::open(out);
            object.text("name", &call.name);
            write_arguments(object.value("arguments"), &call.arguments);
            object.optional_text("tool_id", call.id.as_deref());
            object.close();
        });
    }
    if let Some(id) = result_of {
        object.list("tool_results", &[id], |out, id| {
            let mut result = Object::open(out);
            result.text("tool_id", id);
            result.optional_text("name", message.name.as_deref());
            result.text("result", &text);
            result.close();
        });
    }
    object.close();
}

/// The deepest JSON in the arguments of a call. They are already on the seventh level of a span.
const DEEPEST_ARGUMENTS: usize = 5;

/// Writes arguments, which have to be an object.
fn write_arguments(out: &mut Vec<u8>, json: &str) {
    let levels = Shape::of(json).levels;
    if json.trim_start().starts_with('{') && levels <= DEEPEST_ARGUMENTS {
        return out.extend_from_slice(json.as_bytes());
    }
    out.extend_from_slice(br#"{"value":"#);
    if levels < DEEPEST_ARGUMENTS {
        out.extend_from_slice(json.as_bytes());
    } else {
        write_text(out, json);
    }
    out.push(b'}');
}
