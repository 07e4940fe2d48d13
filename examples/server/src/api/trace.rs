//! Each request is a trace: ragtrace's layer, told who asks.

use std::sync::Arc;

use ragtrace::http::TraceLayer;

use crate::app::App;

/// Returns the layer. A trace that a request names is continued for whoever may use the service, so that the page can follow
/// what it is about to send; a stranger's is only linked to, since they could write into a trace of somebody else's.
pub(super) fn layer(app: &Arc<App>) -> TraceLayer {
    let (strangers, callers) = (Arc::clone(app), Arc::clone(app));
    TraceLayer::new()
        .public_endpoint_if(move |parts| {
            strangers.identities.are_required() && strangers.identities.of_request(&parts.headers).is_none()
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
