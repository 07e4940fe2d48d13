//! The attributes of each of the sink's profiles for the contents of records.

use crate::compare::{Dialect, Documents};
use ragtrace::StageKind;

/// The GenAI conventions, which the profile of a Collector uses (OpenTelemetry,
/// `semantic-conventions-genai`), and `ragtrace.*` for values without a name there.
pub const GEN_AI: Dialect = Dialect {
    kind: ("ragtrace.kind", StageKind::as_str),
    model: &["gen_ai.request.model"],
    tokens: &[
        ("input_tokens", "gen_ai.usage.input_tokens"),
        ("output_tokens", "gen_ai.usage.output_tokens"),
        ("cached_tokens", "gen_ai.usage.cache_read.input_tokens"),
        ("cache_write_tokens", "gen_ai.usage.cache_creation.input_tokens"),
        ("reasoning_tokens", "gen_ai.usage.reasoning.output_tokens"),
    ],
    cost: "ragtrace.cost_usd",
    query: &["gen_ai.retrieval.query.text", "ragtrace.query"],
    session: "gen_ai.conversation.id",
    documents: &[
        (StageKind::Retrieve, Documents::Json("gen_ai.retrieval.documents")),
        (StageKind::Rerank, Documents::Json("ragtrace.generated")),
    ],
};

/// OpenInference, which Phoenix and MLflow use (OpenInference semantic conventions, "Attributes").
pub const OPEN_INFERENCE: Dialect = Dialect {
    kind: ("openinference.span.kind", open_inference_kind),
    model: &["llm.model_name", "embedding.model_name", "reranker.model_name"],
    tokens: &[
        ("input_tokens", "llm.token_count.prompt"),
        ("output_tokens", "llm.token_count.completion"),
        ("cached_tokens", "llm.token_count.prompt_details.cache_read"),
        ("cache_write_tokens", "llm.token_count.prompt_details.cache_write"),
        ("reasoning_tokens", "llm.token_count.completion_details.reasoning"),
    ],
    cost: "llm.cost.total",
    query: &["input.value"],
    session: "session.id",
    documents: &[
        (StageKind::Retrieve, Documents::Numbered("retrieval.documents")),
        (StageKind::Rerank, Documents::Numbered("reranker.output_documents")),
    ],
};

/// Returns OpenInference's name for a kind.
fn open_inference_kind(kind: StageKind) -> &'static str {
    match kind {
        StageKind::Embed => "EMBEDDING",
        StageKind::Retrieve => "RETRIEVER",
        StageKind::Rerank => "RERANKER",
        StageKind::Generate => "LLM",
        StageKind::Tool => "TOOL",
        _ => "CHAIN",
    }
}
