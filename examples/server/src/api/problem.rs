//! Converts all errors to problem details (RFC 9457).
//!
//! A handler refuses a request with a [`Problem`]. The refusals of axum before a handler is called
//! (a path, a method, malformed JSON) are plain text, and [`problems`] converts them; so it does
//! with a handler that panics.

use std::fmt;
use std::panic::AssertUnwindSafe;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use ragtrace::{RequestContext, TraceId};
use serde::Serialize;

use crate::run_view::Text;

/// The longest text of axum that is read, in bytes.
const TEXT: usize = 8 << 10;

/// An error as the answer to a request.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
    errors: Vec<Fault>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// One of several faults of a request.
#[derive(Debug, Serialize)]
struct Fault {
    /// The place in the request's JSON (RFC 6901).
    pointer: &'static str,
    detail: String,
}

/// The JSON of a problem. The type is `about:blank`, so the status tells the kind of problem, and
/// the detail everything else.
#[derive(Debug, Serialize)]
pub(super) struct Details {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    instance: Option<String>,
    trace_id: Option<Text<TraceId>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
}

impl Problem {
    /// Creates a problem. `detail` says what to do about it.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    /// Creates the problem of a request whose JSON has a fault at `pointer`.
    pub(super) fn of_field(pointer: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let fault = Fault { pointer, detail: detail.clone() };
        Self { errors: vec![fault], ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }

    /// Creates the problem of a failure in the service. The detail is the error's own message. Its
    /// causes go to standard error; those of a stage are also in the trace, for those who may see
    /// it.
    pub(super) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        eprintln!("error: {}", ragtrace_examples::report::one_line(error));
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Returns the JSON, with the trace of the current request.
    pub(super) fn into_details(self) -> Details {
        let trace_id = RequestContext::current().map(|context| context.trace_id());
        Details {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: self.detail,
            // The trace of a stranger has no owner, so nobody may see it.
            instance: trace_id
                .filter(|_| self.status != StatusCode::UNAUTHORIZED)
                .map(|id| format!("/api/traces/{id}")),
            trace_id: trace_id.map(Text),
            errors: self.errors,
        }
    }
}

/// Returns the answer of an overloaded service.
pub(super) fn busy() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the service is busy; try again in a moment")
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

/// Returns the answer to a request whose handler panicked.
pub(super) fn panicked() -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the service failed at this request; report it with the trace's id")
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let (status, headers) = (self.status, std::mem::take(&mut self.headers));
        let mut response = (status, Json(self.into_details())).into_response();
        response.headers_mut().extend(headers);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

/// Converts every error to a problem.
pub(super) async fn problems(request: Request, next: Next) -> Response {
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) if has_own_error(&response) => with_details(response).await,
        Ok(response) => response,
        // The panic hook has printed the message.
        Err(_payload) => panicked().into_response(),
    }
}

/// Returns `true` for an error that was not made by a handler here.
fn has_own_error(response: &Response) -> bool {
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    let media_type = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    is_error && !media_type.is_some_and(|media_type| media_type.starts_with(b"application/"))
}

async fn with_details(response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let text = to_bytes(body, TEXT).await.unwrap_or_default();
    let detail = match String::from_utf8_lossy(&text).trim() {
        "" => detail(parts.status).to_owned(),
        text => text.to_owned(),
    };
    let mut answer = Problem::new(parts.status, detail).into_response();
    for (name, value) in &parts.headers {
        if *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH {
            answer.headers_mut().append(name, value.clone());
        }
    }
    answer.map(Body::new)
}

fn detail(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "there is nothing at this path; see `/` for the page",
        StatusCode::METHOD_NOT_ALLOWED => "this path has other methods; the header `Allow` names them",
        _ => "the request cannot be answered",
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    async fn answer(handler: axum::routing::MethodRouter) -> (StatusCode, serde_json::Value) {
        let router = Router::new().route("/", handler).layer(from_fn(problems));
        let response = router.oneshot(Request::new(Body::empty())).await.expect("an answer");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let status = response.status();
        let bytes = to_bytes(response.into_body(), TEXT).await.expect("a body");
        (status, serde_json::from_slice(&bytes).expect("JSON"))
    }

    #[tokio::test]
    async fn a_handler_that_panics_is_a_problem() {
        async fn broken() -> &'static str {
            panic!("the secret is 7")
        }
        let (status, problem) = answer(get(broken)).await;
        assert_eq!((status.as_u16(), problem["status"].as_u64()), (500, Some(500)));
        assert!(!problem.to_string().contains("secret"), "{problem}");
    }

    #[tokio::test]
    async fn a_text_becomes_the_detail_and_other_headers_stay() {
        let (status, problem) = answer(get(|| async { (StatusCode::IM_A_TEAPOT, "short and stout") })).await;
        assert_eq!((status, &problem["detail"]), (StatusCode::IM_A_TEAPOT, &"short and stout".into()));
        let (_, problem) = answer(get(|| async { (StatusCode::BAD_GATEWAY, "x".repeat(1 << 20)) })).await;
        assert_eq!(problem["detail"], "the request cannot be answered");
        let (_, problem) = answer(axum::routing::post(|| async {})).await;
        assert_eq!(problem["status"], 405);
    }
}
