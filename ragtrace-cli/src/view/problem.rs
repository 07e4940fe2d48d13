//! Answers to requests that fail, as a page or as JSON (RFC 9457).
//!
//! A handler returns a [`Problem`], which travels through the layers as an extension of the
//! response. The outermost layer, [`render`], knows what the request wants and writes it.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ragtrace_store::StoreError;
use serde_json::json;

use super::layout;
use super::session::Theme;
use crate::output::Failure;
use crate::output::secret::mask;

/// The reason why a request gets no other answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(super) status: StatusCode,
    /// What is wrong, as a lower-case fragment.
    pub(super) detail: String,
    /// Sentences that say what to do.
    pub(super) advice: Option<&'static str>,
    /// The time after which the same request may succeed, in seconds.
    pub(super) retry: Option<u8>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), advice: None, retry: None }
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// Returns the problem of a value in the query, a path or a body that cannot be used.
    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) fn method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "this address is not used with that method")
    }

    pub(crate) fn advice(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }

    fn title(&self) -> &'static str {
        match self.status {
            StatusCode::UNAUTHORIZED => "Sign in",
            StatusCode::NOT_FOUND => "Nothing here",
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => "This cannot be read",
            StatusCode::FORBIDDEN | StatusCode::MISDIRECTED_REQUEST => "Refused",
            StatusCode::SERVICE_UNAVAILABLE => "The store does not answer",
            StatusCode::GATEWAY_TIMEOUT => "This took too long",
            _ => self.status.canonical_reason().unwrap_or("It failed"),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let passes = error.is_retryable() || error.is_missing();
        let status = if passes { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
        let advice = if error.is_missing() {
            "The viewer goes on as soon as the store is back: reload the page then."
        } else if error.is_retryable() {
            "Reload the page in a moment. If that does not help, see that the database runs and can be reached."
        } else {
            "The store has to be mended before this page can be shown."
        };
        let problem = Self::new(status, mask(&Failure::from(error).to_string())).advice(advice);
        Self { retry: passes.then_some(5), ..problem }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Returns `true` if the answer to a request is to be JSON.
pub(super) fn wants_json(uri: &Uri, accept: Option<&HeaderValue>) -> bool {
    let accept = accept.and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let is_asked = uri.query().is_some_and(|query| query.split('&').any(|one| one == "format=json"));
    let is_named = uri.path().ends_with(".json") || uri.path().starts_with("/api/");
    is_asked || is_named || (accept.contains("application/json") && !accept.contains("text/html"))
}

/// Writes problems, and refusals of axum's own, as a page or as problem details.
pub(super) async fn render(request: Request, next: Next) -> Response {
    let is_json = wants_json(request.uri(), request.headers().get(header::ACCEPT)) || *request.method() == Method::POST;
    let theme = Theme::of(request.headers());
    let mut response = next.run(request).await;
    let status = response.status();
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if status.is_client_error() || status.is_server_error() => {
            Problem::new(status, "the request cannot be answered")
        }
        None => return response,
    };
    let mut written = if is_json { details(&problem) } else { layout::problem(&problem, problem.title(), theme) };
    *written.status_mut() = status;
    for name in [header::ALLOW, header::SET_COOKIE] {
        if let Some(value) = response.headers_mut().remove(&name) {
            written.headers_mut().insert(name, value);
        }
    }
    if let Some(retry) = problem.retry {
        written.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(u16::from(retry)));
    }
    if status == StatusCode::UNAUTHORIZED {
        written.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    written
}

fn details(problem: &Problem) -> Response {
    let body = json!({
        "type": "about:blank", "title": problem.title(), "status": problem.status.as_u16(), "detail": problem.detail,
        "advice": problem.advice,
    });
    ([(header::CONTENT_TYPE, "application/problem+json")], Json(body).into_response().into_body()).into_response()
}
