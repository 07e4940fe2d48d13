//! Answers to requests that fail, as a page or as JSON (RFC 9457).
//!
//! A handler returns a [`Problem`], which travels through the layers as an extension of the
//! response. An outer layer ([`render`](super::render)) knows what the request wants and writes it.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ragtrace_store::StoreError;

use crate::output::Failure;
use crate::output::secret::mask;

/// The reason why a request gets no other answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(super) status: StatusCode,
    /// The reason, as a lower-case fragment.
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

    pub(super) fn title(&self) -> &'static str {
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
