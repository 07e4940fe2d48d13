//! The kinds of spans in LLM Observability.

use ragtrace::StageKind;

/// A kind of span in LLM Observability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Workflow,
    Llm,
    Tool,
    Task,
    Embedding,
    Retrieval,
}

impl Kind {
    /// Returns the kind of a stage's spans. An `enrich` stage is a task even if it has children,
    /// since a span is made of one record, which does not tell.
    pub(super) fn of(kind: StageKind) -> Self {
        match kind {
            StageKind::Pipeline => Self::Workflow,
            StageKind::Embed => Self::Embedding,
            StageKind::Retrieve => Self::Retrieval,
            StageKind::Generate => Self::Llm,
            StageKind::Tool => Self::Tool,
            _ => Self::Task,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Workflow => "workflow",
            Self::Llm => "llm",
            Self::Tool => "tool",
            Self::Task => "task",
            Self::Embedding => "embedding",
            Self::Retrieval => "retrieval",
        }
    }
}
