//! Tests two receivers that keep traces in a database and evaluate them: Arize Phoenix and MLflow.

mod scenes;

use ragtrace_receivers::dialects::OPEN_INFERENCE;
use ragtrace_receivers::readers::{Mlflow, Phoenix};
use ragtrace_receivers::{Sent, address, assert_arrived_whole};

/// Returns the sum of a number over all spans.
fn sum(sent: &Sent, name: &str) -> f64 {
    sent.trace.spans().filter_map(|span| span.record().metric(name)).sum()
}

#[test]
fn every_span_arrives_whole_in_phoenix() {
    let phoenix = Phoenix { url: address("RAGTRACE_PHOENIX_URL"), project: "receivers".to_owned() };
    let environment = [
        ("RAGTRACE_OTLP_PROFILE", "phoenix"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*phoenix.url),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-project-name=receivers"),
    ];
    scenes::play_over(&environment, |trace_id| phoenix.spans(trace_id), &OPEN_INFERENCE);
}

#[test]
fn every_span_arrives_whole_in_mlflow_and_counts_once() {
    let mlflow = Mlflow(address("RAGTRACE_MLFLOW_URL"));
    let experiment = format!("x-mlflow-experiment-id={}", mlflow.experiment("receivers"));
    let environment = [
        ("RAGTRACE_OTLP_PROFILE", "mlflow"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*mlflow.0),
        ("OTEL_EXPORTER_OTLP_HEADERS", &*experiment),
    ];
    scenes::play(&environment, |scene, sent| {
        let arrived = scenes::arrived(scene, sent, |trace_id| mlflow.spans(trace_id));
        assert_arrived_whole(sent, &arrived, &OPEN_INFERENCE);
        let totals = mlflow.totals(&sent.trace_id()).expect("a trace");
        let failed = sent.trace.roots().any(|root| root.error().is_some());
        assert_eq!(totals.state, if failed { "ERROR" } else { "OK" }, "{scene}");
        let total =
            |of: &Option<serde_json::Value>, name: &str| of.as_ref().map_or(0.0, |of| of[name].as_f64().unwrap_or(0.0));
        let tokens = total(&totals.tokens, "input_tokens");
        assert!((tokens - sum(sent, "input_tokens")).abs() < 0.5, "{scene}: {totals:?}");
        let cost = total(&totals.cost, "total_cost");
        assert!((cost - sum(sent, "cost_usd")).abs() < 1e-9, "{scene}: {totals:?}");
    });
}
