//! Tells requests for JSON from those for a page.

use axum::http::{HeaderValue, Uri};

/// Returns `true` if the answer to a request is to be JSON.
pub(super) fn wants_json(uri: &Uri, accept: Option<&HeaderValue>) -> bool {
    let accept = accept.and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let is_asked = uri.query().is_some_and(|query| query.split('&').any(|one| one == "format=json"));
    let has_extension = uri.path().rsplit('.').next() == Some("json");
    let is_named = has_extension || uri.path().starts_with("/api/");
    is_asked || is_named || (accept.contains("application/json") && !accept.contains("text/html"))
}
