//! Returns a trace in its present state.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::{Json, http::header};

use super::caller::Caller;
use super::problem::Problem;
use super::trace_id::{TraceInPath, foreign, unknown};
use crate::app::{App, Found};

/// `GET /api/traces/{id}`.
pub(super) async fn trace(
    State(app): State<Arc<App>>,
    caller: Caller,
    TraceInPath(id): TraceInPath,
) -> Result<impl IntoResponse, Problem> {
    match app.find(id, None, caller.tenant()).await {
        Ok(Found::Trace(view)) => Ok(([(header::CACHE_CONTROL, "no-store")], Json(view.to_json())).into_response()),
        Ok(Found::Foreign) => Err(foreign()),
        Ok(Found::Nothing) => Err(unknown()),
        Err(error) => Err(Problem::internal(&error)),
    }
}
