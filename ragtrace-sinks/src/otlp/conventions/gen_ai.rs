//! OpenTelemetry's GenAI semantic conventions (in development, repository
//! `semantic-conventions-genai`), and `ragtrace.*` for values that these have no name for.

use ragtrace::{StageKind, Value};
use serde::Serialize;

use super::common::{Ours, Prefixes, put_common, put_fields, text_of};
use super::json::{Document, RawJson, to_json};
use crate::otlp::proto::Attributes;
use crate::spans::{Message, Outcome, Span, Usage};

const OURS: &str = Prefixes::PLAIN.ours;

/// Writes all attributes of a span.
pub(crate) fn put(span: &Span<'_>, attributes: &mut Attributes<'_>) {
    attributes.put_some("gen_ai.operation.name", operation(span.kind));
    put_session(span, attributes);
    put_content(span, attributes);
    if span.kind == StageKind::Retrieve {
        put_retrieval(span, attributes);
    } else {
        let mut ours = Ours { prefix: OURS, attributes };
        ours.put_items("used", span.record.used());
        ours.put_items("generated", span.record.generated());
        if span.content.input.is_some() || !is_conversation(span.kind) {
            ours.put_some("query", span.content.query.map(text_of).as_deref());
        }
        if span.kind != StageKind::Generate {
            ours.put_some("top_k", span.content.top_k);
        }
    }
    put_common(span, Prefixes::PLAIN, attributes);
    put_fields(span, Prefixes::PLAIN, attributes);
}

/// Writes the user and the conversation.
fn put_session(span: &Span<'_>, attributes: &mut Attributes<'_>) {
    attributes.put_some("gen_ai.conversation.id", span.record.session_id());
    attributes.put_some("session.id", span.record.session_id());
    attributes.put_some("user.id", span.record.user_id());
}

/// Writes model, usage, prompt, input and output.
fn put_content(span: &Span<'_>, attributes: &mut Attributes<'_>) {
    let content = &span.content;
    attributes.put_some("gen_ai.provider.name", content.provider);
    attributes.put_some("gen_ai.request.model", content.model);
    attributes.put_some("gen_ai.embeddings.dimension.count", content.dimensions);
    put_usage(&content.usage, attributes);
    attributes.put_some(&[OURS, "cost_usd"].concat(), content.usage.cost_usd);
    attributes.put_some("gen_ai.prompt.name", content.prompt_name);
    attributes.put_some("ragtrace.prompt.version", content.prompt_version_text().as_deref());
    match span.kind {
        StageKind::Generate => {
            attributes.put_some("gen_ai.request.top_k", content.top_k);
            let first_item = span.first_item().map(|time| time.as_secs_f64());
            attributes.put_some("gen_ai.response.time_to_first_chunk", first_item);
            put_conversation(span, attributes);
        }
        StageKind::Tool => {
            attributes.put("gen_ai.tool.name", span.name);
            attributes.put_some("gen_ai.tool.call.arguments", content.input_or_query().map(text_of).as_deref());
            attributes.put_some("gen_ai.tool.call.result", content.output.map(text_of).as_deref());
        }
        _ => {
            attributes.put_some("ragtrace.input", content.input.map(text_of).as_deref());
            attributes.put_some("ragtrace.output", content.output.map(text_of).as_deref());
        }
    }
}

/// Writes tokens. Those of the input include tokens read from a cache.
pub(crate) fn put_usage(usage: &Usage, attributes: &mut Attributes<'_>) {
    attributes.put_some("gen_ai.usage.input_tokens", usage.input_tokens);
    attributes.put_some("gen_ai.usage.output_tokens", usage.output_tokens);
    attributes.put_some("gen_ai.usage.cache_read.input_tokens", usage.cached_tokens);
    attributes.put_some("gen_ai.usage.cache_creation.input_tokens", usage.cache_write_tokens);
    attributes.put_some("gen_ai.usage.reasoning.output_tokens", usage.reasoning_tokens);
}

/// Returns `true` if the query of such a stage is its input when it has no other.
fn is_conversation(kind: StageKind) -> bool {
    matches!(kind, StageKind::Generate | StageKind::Tool)
}

fn put_retrieval(span: &Span<'_>, attributes: &mut Attributes<'_>) {
    attributes.put_some("gen_ai.retrieval.query.text", span.content.query.map(text_of).as_deref());
    attributes.put_some("gen_ai.retrieval.top_k", span.content.top_k);
    let documents: Vec<_> = span.record.generated().iter().map(Document).collect();
    if !documents.is_empty() {
        attributes.put("gen_ai.retrieval.documents", &*to_json(&documents));
    }
    Ours { prefix: OURS, attributes }.put_items("used", span.record.used());
}

/// Writes the model's input and output as messages.
fn put_conversation(span: &Span<'_>, attributes: &mut Attributes<'_>) {
    let content = &span.content;
    let finish_reason = |has_calls: bool| match span.outcome {
        Outcome::Failed => "error",
        Outcome::Cancelled => "cancelled",
        Outcome::Completed if has_calls => "tool_call",
        Outcome::Completed => "stop",
    };
    if let Some(messages) = content.input_messages() {
        let messages: Vec<_> = messages.iter().map(|message| chat_message(message, None)).collect();
        attributes.put("gen_ai.input.messages", &*to_json(&messages));
    } else if let Some(input) = content.input_or_query() {
        attributes.put("gen_ai.input.messages", &*to_json(&[text_message("user", input, None)]));
    }
    if let Some(messages) = content.output_messages() {
        let with_reason = |message| {
            let message = chat_message(message, None);
            let has_calls = message.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }));
            ChatMessage { finish_reason: Some(finish_reason(has_calls)), ..message }
        };
        let messages: Vec<_> = messages.iter().map(with_reason).collect();
        attributes.put("gen_ai.output.messages", &*to_json(&messages));
    } else if let Some(output) = content.output {
        let message = text_message("assistant", output, Some(finish_reason(false)));
        attributes.put("gen_ai.output.messages", &*to_json(&[message]));
    }
}

/// Returns the operation of a kind of stage, if it calls a model or a tool.
fn operation(kind: StageKind) -> Option<&'static str> {
    match kind {
        StageKind::Embed => Some("embeddings"),
        StageKind::Retrieve => Some("retrieval"),
        StageKind::Generate => Some("chat"),
        StageKind::Tool => Some("execute_tool"),
        _ => None,
    }
}

/// A message in the form of the conventions' JSON schema.
#[derive(Serialize)]
struct ChatMessage<'a> {
    role: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    parts: Vec<Part<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part<'a> {
    Text {
        content: String,
    },
    ToolCall {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        name: String,
        arguments: serde_json::Value,
    },
    ToolCallResponse {
        id: &'a str,
        response: String,
    },
}

fn text_message<'a>(role: &'a str, value: &Value, finish_reason: Option<&'a str>) -> ChatMessage<'a> {
    let parts = vec![Part::Text { content: text_of(value).into_owned() }];
    ChatMessage { role, name: None, parts, finish_reason }
}

fn chat_message<'a>(message: &'a Message<'_>, finish_reason: Option<&'a str>) -> ChatMessage<'a> {
    let mut parts = Vec::new();
    let text = message.text();
    if let Some(id) = message.tool_call_id.as_deref() {
        parts.push(Part::ToolCallResponse { id, response: text.into_owned() });
    } else if !text.is_empty() {
        parts.push(Part::Text { content: text.into_owned() });
    }
    parts.extend(message.tool_calls().into_iter().map(|call| Part::ToolCall {
        id: call.id.map(std::borrow::Cow::into_owned),
        name: call.name.into_owned(),
        arguments: serde_json::to_value(RawJson(&call.arguments)).unwrap_or_default(),
    }));
    ChatMessage { role: &message.role, name: message.name.as_deref(), parts, finish_reason }
}
