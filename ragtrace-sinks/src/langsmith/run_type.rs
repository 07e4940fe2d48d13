//! The types of runs.

use ragtrace::StageKind;

/// Returns LangSmith's `run_type` of a stage. A reranker returns documents, as a retriever does,
/// and is shown as one.
pub(super) fn run_type(kind: StageKind) -> &'static str {
    match kind {
        StageKind::Parse => "parser",
        StageKind::Embed => "embedding",
        StageKind::Retrieve | StageKind::Rerank => "retriever",
        StageKind::Generate => "llm",
        StageKind::Tool => "tool",
        // `Pipeline`, `Chunk`, `Enrich`, `Store`, `Task`, and kinds that are yet to come.
        _ => "chain",
    }
}
