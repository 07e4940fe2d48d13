//! Refuses requests that another site makes a browser send.
//!
//! A page of any site can make a browser post a form to an address on the user's own machine or
//! network. It cannot read the answer, but the data would be stored. Browsers declare where a
//! request comes from; other clients need not.

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// Refuses a request that changes something and comes from another site.
pub(super) async fn check(request: Request, next: Next) -> Response {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if is_safe || is_same_site(request.headers(), request.uri().authority().map(Authority::as_str)) {
        return next.run(request).await;
    }
    Problem::new(StatusCode::FORBIDDEN, "this request comes from another site; send it from the service's own page")
        .into_response()
}

fn is_same_site(headers: &HeaderMap, authority: Option<&str>) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = authority.or_else(|| text(header::HOST.as_str()));
            origin.split_once("://").map(|(_, origin)| origin) == host
        }
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_site_is_refused() {
        let cases = [
            (&[("host", "a:1")][..], true),
            (&[("host", "a:1"), ("sec-fetch-site", "same-origin")], true),
            (&[("host", "a:1"), ("sec-fetch-site", "cross-site")], false),
            (&[("host", "a:1"), ("sec-fetch-site", "same-site")], false),
            (&[("host", "a:1"), ("origin", "http://a:1")], true),
            (&[("host", "a:1"), ("origin", "http://b:1")], false),
            (&[("host", "a:1"), ("origin", "null")], false),
        ];
        for (pairs, expected) in cases {
            let headers = pairs
                .iter()
                .map(|(name, value)| (header::HeaderName::from_static(name), header::HeaderValue::from_static(value)));
            assert_eq!(is_same_site(&headers.collect(), None), expected, "{pairs:?}");
        }
    }
}
