//! The types of runs.

use ragtrace::StageKind;

/// Returns LangSmith's `run_type` of a stage. A reranker counts as a retriever, since both return
/// documents.
pub(super) fn run_type(kind: StageKind) -> &'static str {
    match kind {
        StageKind::Parse => "parser",
        StageKind::Embed => "embedding",
        StageKind::Retrieve | StageKind::Rerank => "retriever",
        StageKind::Generate => "llm",
        StageKind::Tool => "tool",
        // `Pipeline`, `Chunk`, `Enrich`, `Store`, `Task`, and future kinds.
        _ => "chain",
    }
}
