//! Makes each request a trace, by ragtrace's layer with the sender's identity.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use ragtrace::http::TraceLayer;

use crate::app::App;

/// The headers that name a trace.
const NAMES: [&str; 5] = ["traceparent", "x-datadog-trace-id", "b3", "x-b3-traceid", "x-trace-id"];

/// Marks a request that names a trace of another tenant.
#[derive(Debug, Clone, Copy)]
struct Foreign;

/// Returns the layer. If the sender may use the service, the trace that the request names is
/// continued, so that the page can follow the trace of a request it is about to send. A trace of
/// another tenant is only linked to, since continuing it would write into it; so is the trace that
/// a stranger names.
pub(super) fn layer(app: &Arc<App>) -> TraceLayer {
    let (strangers, callers) = (Arc::clone(app), Arc::clone(app));
    TraceLayer::new()
        .public_endpoint_if(move |parts| {
            let is_stranger =
                || strangers.identities.are_required() && strangers.identities.of_request(&parts.headers).is_none();
            parts.extensions.get::<Foreign>().is_some() || is_stranger()
        })
        .identify(move |parts, context| {
            let context = match parts.uri.path() {
                "/api/ingest" => context.with_request_type("ingest"),
                "/api/ask" => context.with_request_type("ask"),
                "/api/feedback" => context.with_request_type("feedback"),
                _ => context,
            };
            match callers.identities.of_request(&parts.headers) {
                Some(identity) => context.with_user_id(identity.user).with_tenant_id(identity.tenant),
                None => context,
            }
        })
}

/// Checks which tenant owns the trace that a request names. This wraps the layer, which cannot wait
/// for the store.
pub(super) async fn mark_foreign(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    if is_foreign(&app, request.headers()).await {
        request.extensions_mut().insert(Foreign);
    }
    next.run(request).await
}

async fn is_foreign(app: &App, headers: &HeaderMap) -> bool {
    if !NAMES.iter().any(|name| headers.contains_key(*name)) {
        return false;
    }
    let Some(identity) = app.identities.of_request(headers) else { return false };
    app.is_foreign(ragtrace::http::extract(headers).trace_id(), &identity.tenant).await
}
