//! Parses the id of a trace in a path.

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use ragtrace::TraceId;

use super::problem::Problem;

/// The trace that a path names.
#[derive(Debug)]
pub(super) struct TraceInPath(pub(super) TraceId);

impl<S: Send + Sync> FromRequestParts<S> for TraceInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = Path::<String>::from_request_parts(parts, state).await.ok();
        text.and_then(|Path(text)| text.parse().ok()).map(Self).ok_or_else(unknown)
    }
}

/// Returns the answer for a trace that is not known.
pub(super) fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is no trace of this id; it may be too old, or not yet begun")
}

/// Returns the answer for a trace of another tenant.
pub(super) fn foreign() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "this trace is another tenant's")
}
