//! The two intakes of spans, and their common constants.

/// An intake of spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::datadog) enum Intake {
    /// The documented intake, with an API key.
    Documented,
    /// The intake of Datadog's own clients, through an Agent.
    Agent,
}

impl Intake {
    pub(in crate::datadog) const DOCUMENTED_PATH: &str = "/api/intake/llm-obs/v1/trace/spans";
    pub(in crate::datadog) const AGENT_PATH: &str = "/api/v2/llmobs";
    pub(in crate::datadog) const AGENT_SUBDOMAIN: &str = "llmobs-intake";

    /// Returns the largest size in bytes of a request with several spans: for the documented
    /// intake, the size at which Datadog loses an event, with a margin; for the other, 5 MiB
    /// (`ddtrace` 4.16).
    pub(super) fn longest(self) -> usize {
        match self {
            Self::Documented => 900_000,
            Self::Agent => 5 << 20,
        }
    }
}

/// The deepest JSON inside a span. With the span's own levels that makes 12, beyond which Datadog
/// turns JSON into a string.
pub(super) const DEEPEST: usize = 8;
/// The key of the tag on a trace's root. Its value is the trace's id, by which scores of traces
/// join.
pub(in crate::datadog) const ROOT_TAG: &str = "root_of_trace";
