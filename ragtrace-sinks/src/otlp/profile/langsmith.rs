//! The profile of LangSmith's OTLP endpoint ("Trace with OpenTelemetry", "Supported OpenTelemetry
//! attributes").

use ragtrace::{StageKind, Value};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::project::ProjectHeader;
use super::table::{BatchSize, ProfileTable};
use crate::http::{Row, Verdicts};
use crate::otlp::conventions::common::{Ours, Prefixes, put_common, put_fields, text_of};
use crate::otlp::conventions::gen_ai;
use crate::otlp::conventions::json::{Members, PageDocument, put_some, to_json};
use crate::otlp::proto::Attributes;
use crate::spans::{Message, Span, Usage};

pub(super) const TABLE: ProfileTable = ProfileTable {
    name: "langsmith",
    endpoint: "https://api.smith.langchain.com/otel",
    no_logs: None,
    headers: &[],
    trace_headers: &[],
    key: ("x-api-key", ""),
    project: Some(ProjectHeader::any("langsmith-project")),
    default_project: None,
    batch: BatchSize::CUSTOMARY,
    verdicts: Verdicts::new(&[
        Row::retry(408..=408),
        Row::retry(425..=425),
        Row::retry(429..=429).advise("a limit is reached, maybe the hourly one"),
        // A conflict means that the spans arrived before.
        Row::accepted(409..=409),
        Row::split(413..=413),
        Row::rejected(400..=400),
        Row::rejected(422..=422),
        Row::park(401..=401).advise("check LANGSMITH_API_KEY"),
        Row::park(403..=403).advise(
            "check LANGSMITH_API_KEY, and LANGSMITH_WORKSPACE_ID, which a key of a whole organization requires",
        ),
        Row::park(404..=405).advise("check LANGSMITH_ENDPOINT"),
        Row::park(415..=415),
        Row::retry(500..=599),
    ]),
    put,
    fills: None,
};

const METADATA: Prefixes = Prefixes { ours: "langsmith.metadata.", fields: "langsmith.metadata." };

fn put(span: &Span<'_>, tags: &[&str], attributes: &mut Attributes<'_>) {
    let (record, content) = (span.record, &span.content);
    attributes.put("langsmith.span.kind", run_type(span.kind));
    if !tags.is_empty() {
        attributes.put("langsmith.span.tags", &*tags.join(", "));
    }
    attributes.put_some("gen_ai.system", content.provider);
    attributes.put_some("gen_ai.request.model", content.model);
    match span.kind {
        StageKind::Generate => put_conversation(span, attributes),
        _ => put_values(span, attributes),
    }
    gen_ai::put_usage(&content.usage, attributes);
    if !content.usage.is_empty() {
        attributes.put("langsmith.usage_metadata", &*to_json(&UsageMetadata(&content.usage)));
    }
    let mut metadata = Ours { prefix: METADATA.ours, attributes };
    // LangSmith groups threads by this name.
    metadata.put_some("session_id", record.session_id());
    metadata.put_some("user_id", record.user_id());
    metadata.put_some("prompt_name", content.prompt_name);
    metadata.put_some("prompt_version", content.prompt_version_text().as_deref());
    metadata.put_some("dimensions", content.dimensions);
    metadata.put_some("top_k", content.top_k);
    metadata.put_items("used", record.used());
    if span.kind != StageKind::Retrieve || content.output.is_some() {
        metadata.put_items("generated", record.generated());
    }
    if content.input.is_some() {
        metadata.put_some("query", content.query.map(text_of).as_deref());
    }
    put_common(span, METADATA, attributes);
    put_fields(span, METADATA, attributes);
}

/// Writes input and output. A retriever's documents are its output. Their ids and scores are in
/// their metadata, where LangSmith keeps them.
fn put_values(span: &Span<'_>, attributes: &mut Attributes<'_>) {
    let (content, documents) = (&span.content, span.record.generated());
    attributes.put_some("input.value", content.input_or_query().map(text_of).as_deref());
    if span.kind == StageKind::Retrieve && content.output.is_none() && !documents.is_empty() {
        let documents: Vec<_> = documents.iter().map(PageDocument).collect();
        attributes.put("output.value", &*to_json(&Members(&[("documents", Some(documents))])));
    } else {
        attributes.put_some("output.value", content.output.map(text_of).as_deref());
    }
}

fn put_conversation(span: &Span<'_>, attributes: &mut Attributes<'_>) {
    let content = &span.content;
    match content.input_messages() {
        Some(messages) => put_messages("gen_ai.prompt.", &messages, attributes),
        None => put_text_message("gen_ai.prompt.0.", "user", content.input_or_query(), attributes),
    }
    match content.output_messages() {
        Some(messages) => put_messages("gen_ai.completion.", &messages, attributes),
        None => put_text_message("gen_ai.completion.0.", "assistant", content.output, attributes),
    }
}

fn put_text_message(prefix: &str, role: &str, value: Option<&Value>, attributes: &mut Attributes<'_>) {
    if let Some(value) = value {
        attributes.put_parts(&[prefix, "role"], role);
        attributes.put_parts(&[prefix, "content"], &*text_of(value));
    }
}

fn put_messages(prefix: &str, messages: &[Message<'_>], attributes: &mut Attributes<'_>) {
    for (index, message) in messages.iter().enumerate() {
        let prefix = format!("{prefix}{index}.");
        attributes.put_parts(&[&prefix, "role"], &*message.role);
        attributes.put_parts(&[&prefix, "content"], &*message.text());
        if let Some(id) = message.tool_call_id.as_deref() {
            attributes.put_parts(&[&prefix, "tool_call_id"], id);
        }
        for (at, call) in message.tool_calls().iter().enumerate() {
            let prefix = format!("{prefix}tool_calls.{at}.");
            if let Some(id) = call.id.as_deref() {
                attributes.put_parts(&[&prefix, "id"], id);
            }
            attributes.put_parts(&[&prefix, "name"], &*call.name);
            attributes.put_parts(&[&prefix, "arguments"], &*call.arguments);
        }
    }
}

/// Tokens and cost, in the form of LangSmith's clients.
struct UsageMetadata<'a>(&'a Usage);

impl Serialize for UsageMetadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let usage = self.0;
        let mut map = serializer.serialize_map(None)?;
        put_some(&mut map, "input_tokens", usage.input_tokens)?;
        put_some(&mut map, "output_tokens", usage.output_tokens)?;
        put_some(&mut map, "total_tokens", usage.total_tokens())?;
        let of_input = [("cache_read", usage.cached_tokens), ("cache_creation", usage.cache_write_tokens)];
        let of_output = [("reasoning", usage.reasoning_tokens)];
        for (name, details) in
            [("input_token_details", Members(&of_input)), ("output_token_details", Members(&of_output))]
        {
            if !details.is_empty() {
                map.serialize_entry(name, &details)?;
            }
        }
        put_some(&mut map, "total_cost", usage.cost_usd)?;
        map.end()
    }
}

fn run_type(kind: StageKind) -> &'static str {
    match kind {
        StageKind::Parse => "parser",
        StageKind::Embed => "embedding",
        StageKind::Retrieve | StageKind::Rerank => "retriever",
        StageKind::Generate => "llm",
        StageKind::Tool => "tool",
        _ => "chain",
    }
}
