//! The routes, one file each.
//!
//! All routes are wrapped, from the outside in, by the trace ([`trace`]), the conversion of errors
//! to problem details ([`problem`]), the check that a request is for this service ([`host`]), and
//! the check that a browser sends it for the service's own page ([`same_site`]).

mod ask;
mod caller;
mod events;
mod feedback;
mod health;
mod host;
mod in_time;
mod ingest;
mod problem;
mod same_site;
mod session;
mod trace;
mod trace_id;
mod traces;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::routing::{get, post};

pub(crate) use host::Hosts;

use crate::app::App;
use crate::page;
use crate::upload;

/// The largest JSON that is read, in bytes.
const JSON: usize = 64 << 10;

/// Returns the whole service, which accepts requests for these hosts.
pub(crate) fn router(app: &Arc<App>, hosts: Hosts) -> Router {
    let ingest = post(ingest::ingest).layer(DefaultBodyLimit::max(app.max_bytes)).layer(from_fn(upload::drained));
    Router::new()
        .route("/api/ask", post(ask::ask))
        .route("/api/feedback", post(feedback::feedback))
        .route("/api/traces/{id}", get(traces::trace))
        .route("/api/traces/{id}/events", get(events::events))
        .route("/api/session", get(session::show).post(session::begin).delete(session::end))
        .route("/metrics", get(health::metrics))
        .route("/healthz", get(health::health))
        .layer(DefaultBodyLimit::max(JSON))
        .layer(from_fn(in_time::check))
        .route("/api/ingest", ingest)
        .merge(page::routes())
        .layer(from_fn(same_site::check))
        .layer(from_fn_with_state(hosts, host::check))
        .layer(from_fn(problem::problems))
        .layer(map_response(page::with_common_headers))
        .layer(trace::layer(app))
        .layer(from_fn_with_state(Arc::clone(app), trace::mark_foreign))
        .with_state(Arc::clone(app))
}
