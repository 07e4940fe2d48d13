//! The profile of Datadog's own OTLP endpoint, which creates spans of LLM Observability.

use ragtrace::StageKind;

use super::project::ProjectHeader;
use super::table::{BatchSize, ProfileTable};
use crate::http::{Row, Verdicts};
use crate::otlp::conventions::{gen_ai, open_inference};
use crate::otlp::proto::Attributes;
use crate::spans::Span;

pub(super) const TABLE: ProfileTable = ProfileTable {
    name: "datadog",
    endpoint: "https://otlp.datadoghq.com",
    no_logs: Some("the site does not accept logs over OTLP: check DD_SITE, or set RAGTRACE_OTLP_LOGS=false"),
    headers: &[],
    trace_headers: &[("dd-otlp-source", "llmobs"), ("dd_llmobs_enabled", "true")],
    key: ("dd-api-key", ""),
    project: Some(ProjectHeader::ml_app("dd-ml-app")),
    default_project: None,
    // A request may have 15 MiB, and one of logs 5.1 MiB.
    batch: BatchSize { records: 1_000, bytes: 2 << 20, in_flight: 2 },
    verdicts: Verdicts::new(&[
        Row::retry(408..=408),
        Row::retry(429..=429),
        Row::split(413..=413),
        Row::rejected(400..=400),
        Row::park(401..=401).advise("check DD_API_KEY"),
        Row::park(403..=403).advise("check DD_API_KEY, and DD_SITE, since a key of another site is refused, too"),
        Row::park(404..=405).advise("the site has no endpoint for OTLP: check DD_SITE"),
        Row::park(415..=415),
        Row::retry(500..=599),
    ]),
    put,
    fills: Some("Datadog LLM Observability"),
};

/// Writes the attributes. Models and tools have GenAI's names, everything else OpenInference's,
/// since GenAI's operation `retrieval` would turn a retriever into a workflow.
fn put(span: &Span<'_>, tags: &[&str], attributes: &mut Attributes<'_>) {
    attributes.put("dd_llmobs_enabled", true);
    if matches!(span.kind, StageKind::Generate | StageKind::Embed | StageKind::Tool) {
        gen_ai::put(span, attributes);
    } else {
        open_inference::put(span, tags, attributes);
        open_inference::put_output(span, attributes);
        open_inference::put_own(span, attributes);
    }
}
