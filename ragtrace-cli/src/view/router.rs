//! All routes, and the checks around them.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};

use super::problem::Problem;
use super::viewer::Viewer;
use super::{assets, costs, errors, find, live, render, scores, security, sign_in, stages, trace, traces};

/// The largest body of a request, in bytes.
const BODY: usize = 64 << 10;

/// Returns all routes. The checks are the outermost layers, so they hold for every path and method.
pub(super) fn router(viewer: &Arc<Viewer>) -> Router {
    Router::new()
        .merge(traces::routes())
        .merge(trace::routes())
        .merge(stages::routes())
        .merge(costs::routes())
        .merge(errors::routes())
        .merge(scores::routes())
        .merge(live::routes())
        .merge(find::routes())
        .merge(sign_in::routes())
        .fallback(|| async { Problem::not_found("there is no such page") })
        .method_not_allowed_fallback(|| async { Problem::method() })
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn(security::in_time))
        .merge(assets::routes())
        .layer(from_fn(security::same_origin))
        .layer(from_fn(security::bounded))
        .layer(from_fn_with_state(Arc::clone(viewer), security::own_host))
        .layer(from_fn(render::render))
        .layer(from_fn(security::headers))
        .with_state(Arc::clone(viewer))
}
