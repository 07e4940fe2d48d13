//! Traces and rows as JSON, for programs that read the output of `ragtrace`.

use ragtrace::StageKind;
use serde_json::{Value as Json, json};

use super::row::LogRow;
use super::trace::{SpanNode, Trace};
use crate::tables::millis;

impl Trace {
    /// Returns one JSON object: `{trace_id, status, duration_ms, spans: […], logs: […]}`, the spans
    /// depth first as [`SpanNode::to_json`] gives them, the logs as [`LogRow::to_json`] does. What
    /// is absent is `null`.
    pub fn to_json(&self) -> String {
        let spans: Vec<Json> = self.spans().map(span).collect();
        let logs: Vec<Json> = self.logs().iter().map(row).collect();
        let trace = json!({
            "trace_id": self.trace_id().to_string(),
            "status": self.status().as_str(),
            "duration_ms": millis(self.duration()),
            "spans": spans,
            "logs": logs,
        });
        trace.to_string()
    }
}

impl SpanNode<'_> {
    /// Returns one JSON object: `{stage, kind, status, span_id, parent_span_id, started_at,
    /// duration_ms, count, context, metrics, error}`. `metrics` has `duration_ms`, `busy_ms` and
    /// `count` too, as in the record.
    pub fn to_json(self) -> String {
        span(self).to_string()
    }
}

impl LogRow {
    /// Returns one JSON object: the record's canonical JSON, and `created_at`.
    pub fn to_json(&self) -> String {
        row(self).to_string()
    }
}

fn span(span: SpanNode<'_>) -> Json {
    json!({
        "stage": span.stage(),
        "kind": span.kind().map(StageKind::as_str),
        "status": span.status().as_str(),
        "span_id": span.span_id().to_string(),
        "parent_span_id": span.parent_span_id().map(|id| id.to_string()),
        "started_at": span.started_at().to_string(),
        "duration_ms": span.duration().map(millis),
        "count": span.count(),
        "context": object(span.record().context_json()),
        "metrics": object(span.record().metrics_json()),
        "error": span.record().error_json().map_or(Json::Null, |error| object(Some(error))),
    })
}

fn row(row: &LogRow) -> Json {
    let mut json = object(Some(row.record().to_json()));
    if let Some(members) = json.as_object_mut() {
        members.insert("created_at".to_owned(), row.created_at().to_string().into());
    }
    json
}

/// An object that a record wrote; empty if it wrote none.
fn object(text: Option<String>) -> Json {
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_else(|| json!({}))
}
