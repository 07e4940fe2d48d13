//! Rows of `request_metrics`.

use ragtrace::metrics::RequestMetric;
use ragtrace::sink::Batch;
use serde_json::{Value as Json, json};

use super::millis::millis;

/// Returns the finished requests of a batch as a JSON array of rows of `request_metrics`.
pub(crate) fn requests(batch: &Batch) -> Json {
    let row = |request: &RequestMetric| {
        json!({
            "timestamp": request.timestamp().to_string(),
            "operation": request.operation(),
            "duration_ms": millis(request.duration()),
            "status": request.status().as_str(),
            "trace_id": request.trace_id().to_string(),
            "user_id": request.user_id(),
            "tenant_id": request.tenant_id(),
            "session_id": request.session_id(),
        })
    };
    batch.requests().iter().map(row).collect()
}
