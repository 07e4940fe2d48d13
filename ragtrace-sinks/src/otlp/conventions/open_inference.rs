//! The semantic conventions of OpenInference, which Phoenix and MLflow read.

use ragtrace::{RecordItem, StageKind, Value};

use super::common::{Ours, Prefixes, mime_type, put_common, put_fields, text_of};
use super::json::{Members, Provenance, to_json};
use crate::otlp::proto::{Attribute, Attributes};
use crate::spans::{Message, Span};

/// Writes all attributes of a span except its output, which [`put_output`] writes.
pub(crate) fn put(span: &Span<'_>, tags: &[&str], attributes: &mut Attributes<'_>) {
    attributes.put("openinference.span.kind", kind(span.kind));
    attributes.put_some("session.id", span.record.session_id());
    attributes.put_some("user.id", span.record.user_id());
    if let Some(input) = span.content.input_or_query() {
        attributes.put("input.value", &*text_of(input));
        attributes.put("input.mime_type", mime_type(input));
    }
    if span.kind != StageKind::Rerank && span.content.input.is_some() {
        attributes.put_some("ragtrace.query", span.content.query.map(text_of).as_deref());
    }
    put_model(span, attributes);
    put_items(span, attributes);
    put_metadata(span, tags, attributes);
    put_common(span, Prefixes::PLAIN, attributes);
}

/// Writes the output that the stage declared.
pub(crate) fn put_output(span: &Span<'_>, attributes: &mut Attributes<'_>) {
    if let Some(output) = span.content.output {
        attributes.put("output.value", &*text_of(output));
        attributes.put("output.mime_type", mime_type(output));
    }
}

/// Writes the application's fields. They come last, so that none of them replaces another
/// attribute.
pub(crate) fn put_own(span: &Span<'_>, attributes: &mut Attributes<'_>) {
    put_fields(span, Prefixes::PLAIN, attributes);
}

/// Returns OpenInference's name for a kind of stage.
pub(crate) fn kind(kind: StageKind) -> &'static str {
    match kind {
        StageKind::Embed => "EMBEDDING",
        StageKind::Retrieve => "RETRIEVER",
        StageKind::Rerank => "RERANKER",
        StageKind::Generate => "LLM",
        StageKind::Tool => "TOOL",
        _ => "CHAIN",
    }
}

/// Writes the model, its input and output, and its usage.
fn put_model(span: &Span<'_>, attributes: &mut Attributes<'_>) {
    let content = &span.content;
    match span.kind {
        StageKind::Embed => attributes.put_some("embedding.model_name", content.model),
        StageKind::Rerank => attributes.put_some("reranker.model_name", content.model),
        _ => attributes.put_some("llm.model_name", content.model),
    }
    attributes.put_some("llm.provider", content.provider);
    let usage = &content.usage;
    attributes.put_some("llm.token_count.prompt", usage.input_tokens);
    attributes.put_some("llm.token_count.completion", usage.output_tokens);
    attributes.put_some("llm.token_count.total", usage.total_tokens());
    attributes.put_some("llm.token_count.prompt_details.cache_read", usage.cached_tokens);
    attributes.put_some("llm.token_count.prompt_details.cache_write", usage.cache_write_tokens);
    attributes.put_some("llm.token_count.completion_details.reasoning", usage.reasoning_tokens);
    attributes.put_some("llm.cost.total", usage.cost_usd);
    attributes.put_some("llm.prompt_template.version", content.prompt_version_text().as_deref());
    match span.kind {
        StageKind::Generate => put_conversation(span, attributes),
        StageKind::Tool => {
            attributes.put("tool.name", span.name);
            attributes.put_some("tool.parameters", content.input.and_then(Value::as_json));
        }
        _ => {}
    }
    attributes.put_some("ragtrace.dimensions", content.dimensions);
    if span.kind != StageKind::Rerank {
        attributes.put_some("ragtrace.top_k", content.top_k);
    }
}

fn put_conversation(span: &Span<'_>, attributes: &mut Attributes<'_>) {
    let content = &span.content;
    match content.input_messages() {
        Some(messages) => put_messages("llm.input_messages.", &messages, attributes),
        None => put_text_message("llm.input_messages.0.", "user", content.input_or_query(), attributes),
    }
    match content.output_messages() {
        Some(messages) => put_messages("llm.output_messages.", &messages, attributes),
        None => put_text_message("llm.output_messages.0.", "assistant", content.output, attributes),
    }
}

/// Writes a text as the only message.
fn put_text_message(prefix: &str, role: &str, value: Option<&Value>, attributes: &mut Attributes<'_>) {
    if let Some(value) = value {
        attributes.put_parts(&[prefix, "message.role"], role);
        attributes.put_parts(&[prefix, "message.content"], &*text_of(value));
    }
}

fn put_messages(prefix: &str, messages: &[Message<'_>], attributes: &mut Attributes<'_>) {
    for (index, message) in messages.iter().enumerate() {
        let prefix = format!("{prefix}{index}.message.");
        attributes.put_parts(&[&prefix, "role"], &*message.role);
        let text = message.text();
        if !text.is_empty() {
            attributes.put_parts(&[&prefix, "content"], &*text);
        }
        if let Some(name) = message.name.as_deref() {
            attributes.put_parts(&[&prefix, "name"], name);
        }
        if let Some(id) = message.tool_call_id.as_deref() {
            attributes.put_parts(&[&prefix, "tool_call_id"], id);
        }
        for (at, call) in message.tool_calls().iter().enumerate() {
            let prefix = format!("{prefix}tool_calls.{at}.tool_call.");
            if let Some(id) = call.id.as_deref() {
                attributes.put_parts(&[&prefix, "id"], id);
            }
            attributes.put_parts(&[&prefix, "function.name"], &*call.name);
            attributes.put_parts(&[&prefix, "function.arguments"], &*call.arguments);
        }
    }
}

/// Writes the items of a stage in the place that its kind has for them.
fn put_items(span: &Span<'_>, attributes: &mut Attributes<'_>) {
    let (used, generated) = (span.record.used(), span.record.generated());
    let mut ours = Ours { prefix: Prefixes::PLAIN.ours, attributes };
    match span.kind {
        StageKind::Retrieve => {
            ours.put_items("used", used);
            put_documents("retrieval.documents.", generated, attributes);
        }
        StageKind::Rerank => {
            attributes.put_some("reranker.query", span.content.query.map(text_of).as_deref());
            attributes.put_some("reranker.top_k", span.content.top_k);
            put_documents("reranker.input_documents.", used, attributes);
            put_documents("reranker.output_documents.", generated, attributes);
        }
        StageKind::Embed => {
            ours.put_items("generated", generated);
            put_embeddings(span, attributes);
        }
        _ => {
            ours.put_items("used", used);
            ours.put_items("generated", generated);
        }
    }
}

/// Writes the texts that were embedded.
fn put_embeddings(span: &Span<'_>, attributes: &mut Attributes<'_>) {
    let of_items: Vec<&str> = span.record.used().iter().filter_map(RecordItem::content).collect();
    let texts: Vec<&str> = match span.content.input_or_query().and_then(Value::as_str) {
        Some(text) if of_items.is_empty() => vec![text],
        _ => of_items,
    };
    for (index, text) in texts.iter().enumerate() {
        let index = index.to_string();
        attributes.put_parts(&["embedding.embeddings.", &index, ".embedding.text"], *text);
    }
    if texts.is_empty() {
        Ours { prefix: Prefixes::PLAIN.ours, attributes }.put_items("used", span.record.used());
    }
}

pub(crate) fn put_documents(prefix: &str, items: &[RecordItem], attributes: &mut Attributes<'_>) {
    for (index, item) in items.iter().enumerate() {
        let prefix = format!("{prefix}{index}.document.");
        attributes.put_parts(&[&prefix, "id"], item.id());
        if let Some(score) = item.score() {
            attributes.put_parts(&[&prefix, "score"], score);
        }
        if let Some(content) = item.content() {
            attributes.put_parts(&[&prefix, "content"], content);
        }
        attributes.put_parts(&[&prefix, "metadata"], &*to_json(&Provenance(item)));
    }
}

/// Writes the metadata and the tags, by which people filter.
fn put_metadata(span: &Span<'_>, tags: &[&str], attributes: &mut Attributes<'_>) {
    let (record, content) = (span.record, &span.content);
    let members = Members(&[
        ("tenant_id", record.tenant_id()),
        ("request_id", record.request_id()),
        ("request_type", record.request_type()),
        ("prompt_name", content.prompt_name),
    ]);
    if !members.is_empty() {
        attributes.put("metadata", &*to_json(&members));
    }
    if !tags.is_empty() {
        attributes.put("tag.tags", Attribute::Texts(tags));
    }
}
