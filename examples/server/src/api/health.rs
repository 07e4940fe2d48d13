//! How the service is: for a load balancer, and for Prometheus.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::problem::Problem;
use crate::app::App;

/// `GET /healthz`: says no once the service ends, so that a load balancer sends no more.
pub(super) async fn health(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    if app.shutdown.has_begun() {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the service is ending; ask another one"));
    }
    Ok(Json(json!({ "status": "ok" })))
}

/// `GET /metrics`: the account of the telemetry, and what each stage did.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.telemetry.to_prometheus())
}
