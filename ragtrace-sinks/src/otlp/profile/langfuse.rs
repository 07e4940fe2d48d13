//! The profile of Langfuse, which has names of its own.

use ragtrace::{Level, StageKind};
use serde::Serialize;

use super::table::{BatchSize, ProfileTable};
use crate::http::{Row, Verdicts};
use crate::otlp::conventions::common::{Ours, Prefixes, put_common, put_fields, text_of};
use crate::otlp::conventions::json::{Document, Members, to_json};
use crate::otlp::proto::{Attribute, Attributes};
use crate::spans::{Outcome, Span, Usage};

pub(super) const TABLE: ProfileTable = ProfileTable {
    name: "langfuse",
    endpoint: "https://cloud.langfuse.com/api/public/otel",
    no_logs: None,
    headers: &[("x-langfuse-ingestion-version", "4")],
    trace_headers: &[],
    key: ("authorization", "Basic "),
    project: None,
    default_project: None,
    batch: BatchSize { records: 500, ..BatchSize::CUSTOMARY },
    verdicts: Verdicts::new(&[
        Row::retry(408..=408),
        Row::retry(429..=429).advise("its limit is reached"),
        Row::split(413..=413),
        // A single invalid id makes Langfuse refuse the batch.
        Row::rejected(400..=400),
        Row::rejected(422..=422),
        Row::park(401..=401).advise("check LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY, and LANGFUSE_BASE_URL"),
        Row::park(403..=403).advise("its keys may not write, or the organization is suspended"),
        Row::park(404..=405).advise("there is no Langfuse of version 3 or later at this URL: check LANGFUSE_BASE_URL"),
        Row::park(415..=415),
        Row::retry(500..=599),
    ]),
    put,
    fills: None,
};

const METADATA: Prefixes =
    Prefixes { ours: "langfuse.observation.metadata.", fields: "langfuse.observation.metadata." };
/// The longest name of an environment, in characters.
const LONGEST_ENVIRONMENT: usize = 40;

fn put(span: &Span<'_>, tags: &[&str], attributes: &mut Attributes<'_>) {
    // Without a type, any attribute of a model turns a span into a generation.
    attributes.put("langfuse.observation.type", observation_type(span.kind));
    attributes.put("langfuse.observation.level", level(span));
    attributes.put_some("langfuse.observation.status_message", span.error().map(ragtrace::ErrorInfo::message));
    attributes.put_some("user.id", span.record.user_id());
    attributes.put_some("session.id", span.record.session_id());
    attributes.put_some("langfuse.environment", span.record.environment().and_then(environment).as_deref());
    attributes.put_some("langfuse.release", span.record.version());
    if span.record.is_local_root() {
        put_trace(span, tags, attributes);
    }
    put_content(span, attributes);
    put_usage(span, attributes);
    put_common(span, METADATA, attributes);
    put_fields(span, METADATA, attributes);
}

/// Writes the attributes of the trace, which its root carries.
fn put_trace(span: &Span<'_>, tags: &[&str], attributes: &mut Attributes<'_>) {
    let record = span.record;
    attributes.put("langfuse.trace.name", span.name);
    if !tags.is_empty() {
        attributes.put("langfuse.trace.tags", Attribute::Texts(tags));
    }
    let mut metadata = Ours { prefix: "langfuse.trace.metadata.", attributes };
    metadata.put_some("tenant_id", record.tenant_id());
    metadata.put_some("request_id", record.request_id());
    metadata.put_some("request_type", record.request_type());
}

fn put_content(span: &Span<'_>, attributes: &mut Attributes<'_>) {
    let content = &span.content;
    let (used, generated) = (span.record.used(), span.record.generated());
    let has_documents = matches!(span.kind, StageKind::Retrieve | StageKind::Rerank) && !generated.is_empty();
    attributes.put_some("langfuse.observation.input", content.input_or_query().map(text_of).as_deref());
    let mut ours = Ours { prefix: METADATA.ours, attributes };
    ours.put_items("used", used);
    if content.output.is_none() && has_documents {
        let documents: Vec<_> = generated.iter().map(Document).collect();
        attributes.put("langfuse.observation.output", &*to_json(&documents));
    } else {
        ours.put_items("generated", generated);
        attributes.put_some("langfuse.observation.output", content.output.map(text_of).as_deref());
    }
    attributes.put_some("langfuse.observation.model.name", content.model);
    attributes.put_some("langfuse.observation.prompt.name", content.prompt_name);
    match content.prompt_version {
        Some(version) if version.as_u64().is_some() => {
            attributes.put("langfuse.observation.prompt.version", version);
        }
        // Langfuse's prompts have numbers as versions. Any other version becomes metadata.
        Some(version) => attributes.put_parts(&[METADATA.ours, "prompt_version"], &*text_of(version)),
        None => {}
    }
    let mut ours = Ours { prefix: METADATA.ours, attributes };
    ours.put_some("provider", content.provider);
    ours.put_some("dimensions", content.dimensions);
    ours.put_some("top_k", content.top_k);
    if content.input.is_some() {
        ours.put_some("query", content.query.map(text_of).as_deref());
    }
    if let Some(first_item) = span.first_item() {
        // Langfuse's own clients send a JSON string.
        let at = to_json(&span.start.plus(first_item).to_string());
        attributes.put("langfuse.observation.completion_start_time", &*at);
    }
}

/// Writes each token once, since Langfuse adds up all kinds: `input` does not include cached
/// tokens, and `output` does not include reasoning.
fn put_usage(span: &Span<'_>, attributes: &mut Attributes<'_>) {
    let Usage { input_tokens, output_tokens, cached_tokens, cache_write_tokens, reasoning_tokens, cost_usd } =
        span.content.usage;
    let rest = |all: Option<u64>, parts: &[Option<u64>]| {
        all.map(|all| parts.iter().flatten().fold(all, |rest, part| rest.saturating_sub(*part)))
    };
    let details = [
        ("input", rest(input_tokens, &[cached_tokens, cache_write_tokens])),
        ("input_cached_tokens", cached_tokens),
        ("input_cache_creation", cache_write_tokens),
        ("output", rest(output_tokens, &[reasoning_tokens])),
        ("output_reasoning_tokens", reasoning_tokens),
        ("total", span.content.usage.total_tokens()),
    ];
    put_members("langfuse.observation.usage_details", &details, attributes);
    put_members("langfuse.observation.cost_details", &[("total", cost_usd)], attributes);
}

fn put_members<V: Serialize>(key: &str, members: &[(&str, Option<V>)], attributes: &mut Attributes<'_>) {
    let members = Members(members);
    if !members.is_empty() {
        attributes.put(key, &*to_json(&members));
    }
}

fn observation_type(kind: StageKind) -> &'static str {
    match kind {
        StageKind::Pipeline => "chain",
        StageKind::Embed => "embedding",
        StageKind::Retrieve | StageKind::Rerank => "retriever",
        StageKind::Generate => "generation",
        StageKind::Tool => "tool",
        _ => "span",
    }
}

fn level(span: &Span<'_>) -> &'static str {
    match (span.outcome, span.record.level()) {
        (Outcome::Failed, _) => "ERROR",
        (Outcome::Cancelled, _) => "WARNING",
        (Outcome::Completed, Level::Trace | Level::Debug) => "DEBUG",
        (Outcome::Completed, _) => "DEFAULT",
    }
}

/// Returns a valid name of an environment: lower-case letters, digits, hyphens and underscores, not
/// beginning with `langfuse`.
fn environment(name: &str) -> Option<String> {
    let plain = |sign: char| match sign.to_ascii_lowercase() {
        sign @ ('a'..='z' | '0'..='9' | '-' | '_') => sign,
        _ => '-',
    };
    let name: String = name.chars().take(LONGEST_ENVIRONMENT).map(plain).collect();
    let name = name.trim_matches('-').to_owned();
    Some(name).filter(|name| !name.is_empty() && !name.starts_with("langfuse"))
}
