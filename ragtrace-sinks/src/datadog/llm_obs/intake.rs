//! The two intakes of spans, and what they have in common.

/// The two intakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::datadog) enum Intake {
    /// The one that is documented, with an API key.
    Documented,
    /// The one of Datadog's own clients, through an Agent.
    Agent,
}

impl Intake {
    pub(in crate::datadog) const DOCUMENTED_PATH: &str = "/api/intake/llm-obs/v1/trace/spans";
    pub(in crate::datadog) const AGENT_PATH: &str = "/api/v2/llmobs";
    pub(in crate::datadog) const AGENT_SUBDOMAIN: &str = "llmobs-intake";

    /// Returns how many bytes spans have in one request at most, if there are several: what an
    /// event may have before Datadog loses it, with something to spare, or 5 MiB (`ddtrace` 4.16).
    pub(super) fn longest(self) -> usize {
        match self {
            Self::Documented => 900_000,
            Self::Agent => 5 << 20,
        }
    }
}

/// Levels of JSON of ours in a span: with the span's own at most 12, beyond which Datadog makes a
/// text of it.
pub(super) const DEEPEST: usize = 8;
/// The key of the tag that a trace's root has, whose value is the trace's id: scores of traces join
/// it.
pub(in crate::datadog) const ROOT_TAG: &str = "root_of_trace";
