//! The checks that every request passes, and the headers that every answer has.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use super::problem::Problem;
use super::viewer::Viewer;

/// Allows only what the viewer itself serves, and no scripts or styles inside the page, so that
/// recorded text stays text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
/// The longest time for an answer. Statements have limits of their own, and a page may need
/// several.
const ANSWER: Duration = Duration::from_secs(20);
/// The longest path and query, in bytes.
const TARGET: usize = 8 << 10;

/// Refuses a request for another host, whatever its method.
pub(super) async fn own_host(State(viewer): State<Arc<Viewer>>, request: Request, next: Next) -> Response {
    if viewer.hosts.accept(request.headers(), request.uri().authority()) {
        return next.run(request).await;
    }
    Problem::new(StatusCode::MISDIRECTED_REQUEST, "this is not the host that the request is for")
        .advice("Open the address that `ragtrace serve` printed. Behind a proxy or a forwarded port, start it with `--host` and the name in the address bar.")
        .into_response()
}

/// Refuses a request that a page of another origin makes a browser send, unless it only opens a
/// page of the viewer, as a link does. Browsers declare where a request comes from; other clients
/// need not.
pub(super) async fn same_origin(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let opens = matches!(*request.method(), Method::GET | Method::HEAD) && is_opened(headers);
    if opens || is_same_origin(headers, request.uri().authority().map(Authority::as_str)) {
        return next.run(request).await;
    }
    Problem::new(StatusCode::FORBIDDEN, "this request comes from a page of another site")
        .advice("Send it from the viewer's own page.")
        .into_response()
}

/// Returns `true` if a browser opens a page, by a link or the address bar, and does not fetch
/// something for another page.
fn is_opened(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_typed = text("sec-fetch-site") == Some("none");
    (is_typed || text("sec-fetch-mode") == Some("navigate")) && !headers.contains_key(header::ORIGIN)
}

fn is_same_origin(headers: &HeaderMap, authority: Option<&str>) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("invalid"));
    let host = authority.or_else(|| text(header::HOST.as_str()));
    let is_own = |origin: &str| origin.split_once("://").map(|(_, origin)| origin) == host;
    text("sec-fetch-site").is_none_or(|site| site == "same-origin") && text("origin").is_none_or(is_own)
}

/// Refuses a request whose path and query are too long.
pub(super) async fn bounded(request: Request, next: Next) -> Response {
    let uri = request.uri();
    if uri.path().len() + uri.query().map_or(0, str::len) > TARGET {
        return Problem::new(StatusCode::URI_TOO_LONG, "the address is longer than 8 KiB").into_response();
    }
    next.run(request).await
}

/// Answers with a problem if there is no answer in time, or if the handler panics.
pub(super) async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(ANSWER, AssertUnwindSafe(next.run(request)).catch_unwind()).await {
        Ok(Ok(response)) => response,
        // The panic's message has gone to standard error.
        Ok(Err(_)) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "this page has a bug")
            .advice("Standard error of `ragtrace serve` says more. Please report it.")
            .into_response(),
        Err(_) => {
            Problem::new(StatusCode::GATEWAY_TIMEOUT, format!("the store did not answer within {} s", ANSWER.as_secs()))
                .advice("Ask for a shorter time, or add a filter. `ragtrace retention` makes a large store smaller.")
                .into_response()
        }
    }
}

/// Adds the headers that every answer has. Assets say themselves how long they may be kept.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_from_elsewhere_opens_a_page_and_a_script_from_elsewhere_reads_nothing() {
        let opened = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs
                .iter()
                .map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value)));
            is_opened(&headers.collect())
        };
        assert!(opened(&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]));
        assert!(opened(&[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")]));
        assert!(!opened(&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")]));
        assert!(!opened(&[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors"), ("origin", "http://b:1")]));
    }

    #[test]
    fn only_another_origin_is_refused() {
        let cases = [
            (&[("host", "a:1")][..], true),
            (&[("host", "a:1"), ("sec-fetch-site", "same-origin")], true),
            (&[("host", "a:1"), ("sec-fetch-site", "same-origin"), ("origin", "http://a:1")], true),
            (&[("host", "a:1"), ("sec-fetch-site", "cross-site")], false),
            (&[("host", "a:1"), ("sec-fetch-site", "same-site")], false),
            (&[("host", "a:1"), ("sec-fetch-site", "none")], false),
            (&[("host", "a:1"), ("origin", "http://a:1")], true),
            (&[("host", "a:1"), ("origin", "https://a:1")], true),
            (&[("host", "a:1"), ("origin", "http://a:2")], false),
            (&[("host", "a:1"), ("origin", "http://b:1")], false),
            (&[("host", "a:1"), ("origin", "null")], false),
            (&[("host", "a:1"), ("sec-fetch-site", "same-origin"), ("origin", "http://b:1")], false),
        ];
        for (pairs, expected) in cases {
            let headers = pairs
                .iter()
                .map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value)));
            assert_eq!(is_same_origin(&headers.collect(), None), expected, "{pairs:?}");
        }
    }
}
