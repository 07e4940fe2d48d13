//! Reports the state of the service to a load balancer and to Prometheus.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::problem::Problem;
use crate::app::App;

/// `GET /healthz`: answers 503 once the service shuts down, so that a load balancer sends no more
/// requests.
pub(super) async fn health(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    if app.shutdown.has_begun() {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the service is ending; ask another one"));
    }
    Ok(Json(json!({ "status": "ok" })))
}

/// `GET /metrics`: returns the telemetry's statistics and the metrics of each stage.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.telemetry.to_prometheus())
}
