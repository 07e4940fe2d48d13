//! The profile of MLflow's tracking server with a database.

use ragtrace::StageKind;

use super::project::ProjectHeader;
use super::table::{BatchSize, ProfileTable};
use crate::http::{Row, Verdicts};
use crate::otlp::conventions::json::{Members, PageDocument, to_json};
use crate::otlp::conventions::open_inference;
use crate::otlp::proto::Attributes;
use crate::spans::Span;

pub(super) const TABLE: ProfileTable = ProfileTable {
    name: "mlflow",
    endpoint: "http://localhost:5000",
    no_logs: None,
    headers: &[],
    trace_headers: &[],
    key: ("authorization", "Bearer "),
    project: Some(ProjectHeader::any("x-mlflow-experiment-id")),
    default_project: Some("0"),
    batch: BatchSize::CUSTOMARY,
    verdicts: Verdicts::new(&[
        Row::retry(408..=408),
        Row::retry(429..=429),
        Row::retry(502..=504),
        Row::split(413..=413),
        Row::rejected(400..=400),
        Row::rejected(422..=422)
            .advise("it accepts only spans with valid ids, and with an experiment: check MLFLOW_EXPERIMENT_ID"),
        Row::park(401..=401).advise("check MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and _PASSWORD"),
        Row::park(403..=403).advise("check the user's permissions for the experiment in MLFLOW_EXPERIMENT_ID"),
        Row::park(404..=405).advise(
            "there is no such experiment, or no tracking server from version 3.6 on: check MLFLOW_EXPERIMENT_ID and \
             MLFLOW_TRACKING_URI",
        ),
        Row::park(415..=415),
        // The server answers 500 also while its database fails.
        Row::park(500..=500).advise("it has an internal error: check its log"),
        Row::park(501..=501).advise("it stores traces only in a database: start it with `--backend-store-uri`"),
        Row::rejected(500..=599),
    ]),
    put,
    fills: None,
};

fn put(span: &Span<'_>, tags: &[&str], attributes: &mut Attributes<'_>) {
    open_inference::put(span, tags, attributes);
    let documents = span.record.generated();
    if span.kind == StageKind::Retrieve && span.content.output.is_none() && !documents.is_empty() {
        // MLflow shows a retriever's documents if they are its output.
        let documents: Vec<_> = documents.iter().map(PageDocument).collect();
        attributes.put("output.value", &*to_json(&documents));
        attributes.put("output.mime_type", "application/json");
    } else {
        open_inference::put_output(span, attributes);
    }
    if let Some(cost) = span.content.usage.cost_usd {
        // Without this attribute MLflow would compute a cost from its own price table.
        attributes.put("mlflow.llm.cost", &*to_json(&Members(&[("total_cost", Some(cost))])));
    }
    open_inference::put_own(span, attributes);
}
