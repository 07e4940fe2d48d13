//! Writes a run's inputs and outputs: messages for a conversation, documents for items, and else
//! `input`, `query` and `output`. Both are objects, since LangSmith accepts nothing else.

use ragtrace::__json::{Object, write_text};
use ragtrace::{RecordItem, Value};

use super::usage::write_usage;
use super::value::{members_without, write_json, write_value};
use crate::spans::Span;

const DOCUMENTS: &str = "documents";
const USAGE: &str = "usage_metadata";

/// Writes the inputs. `is_chat` tells that the input is a list of messages.
pub(super) fn write_inputs(out: &mut Vec<u8>, span: &Span<'_>, is_chat: bool) {
    let (content, used) = (&span.content, span.record.used());
    let taken = [(content.query.is_some(), "query"), (!used.is_empty(), DOCUMENTS)];
    let mut inputs = begin(out, content.input, ("input", is_chat), &taken);
    if let Some(query) = content.query {
        write_value(inputs.value("query"), query);
    }
    write_documents(&mut inputs, used);
    inputs.close();
}

/// Writes the outputs, and the usage, which LangSmith looks for here first.
pub(super) fn write_outputs(out: &mut Vec<u8>, span: &Span<'_>) {
    let (content, generated) = (&span.content, span.record.generated());
    let has_usage = !content.usage.is_empty();
    let taken = [(has_usage, USAGE), (!generated.is_empty(), DOCUMENTS)];
    let is_messages = content.output_messages().is_some();
    let mut outputs = begin(out, content.output, ("output", is_messages), &taken);
    write_documents(&mut outputs, generated);
    if has_usage {
        write_usage(outputs.nested(USAGE), &content.usage);
    }
    outputs.close();
}

/// Begins an object with a value: as `messages`, as the members of the value if it is an object, or
/// as a member with its own name. `taken` contains the names that may be written afterwards, each
/// with whether it will be.
fn begin<'o>(
    out: &'o mut Vec<u8>,
    value: Option<&Value>,
    (name, is_messages): (&'static str, bool),
    taken: &[(bool, &'static str)],
) -> Object<'o> {
    let Some(value) = value else { return Object::open(out) };
    if is_messages && let Some(json) = value.as_json() {
        let mut object = Object::open(out);
        let messages = object.value("messages");
        // A single message becomes a list.
        let is_list = json.starts_with('[');
        messages.extend_from_slice(if is_list { b"" } else { b"[" });
        write_json(messages, json);
        messages.extend_from_slice(if is_list { b"" } else { b"]" });
        return object;
    }
    let taken = taken.iter().filter(|(is_taken, _)| *is_taken).map(|(_, name)| *name);
    match members_without(value, &taken.collect::<Vec<_>>()) {
        Some("") => Object::open(out),
        Some(members) => {
            out.push(b'{');
            write_json(out, members);
            Object::continued(out)
        }
        None => {
            let mut object = Object::open(out);
            write_value(object.value(name), value);
            object
        }
    }
}

fn write_documents(object: &mut Object<'_>, items: &[RecordItem]) {
    if items.is_empty() {
        return;
    }
    object.list(DOCUMENTS, items, |out, item| {
        let mut document = Object::open(out);
        write_text(document.value("page_content"), item.content().unwrap_or_default());
        document.ascii("type", b"Document");
        let mut metadata = document.nested("metadata");
        metadata.text("id", item.id());
        metadata.text("item_type", item.item_type());
        if let Some(score) = item.score().filter(|score| score.is_finite()) {
            metadata.float("score", score);
        }
        metadata.optional_text("source", item.source());
        metadata.optional_text("derived_from", item.derived_from());
        metadata.close();
        document.close();
    });
}
