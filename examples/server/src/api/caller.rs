//! Identifies the sender of a request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};

use super::problem::Problem;
use crate::app::App;
use crate::identity::Identity;

/// A sender who may use the service. Contains no identity if no tokens are required.
#[derive(Debug)]
pub(super) struct Caller(Option<Identity>);

impl Caller {
    /// Returns the tenant whose documents and traces the sender may see.
    pub(super) fn tenant(&self) -> Option<&str> {
        self.0.as_ref().map(|identity| identity.tenant.as_str())
    }

    /// Returns the tenant's name in the database of documents, which is empty without an identity.
    pub(super) fn library(&self) -> &str {
        self.tenant().unwrap_or_default()
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        if !app.identities.are_required() {
            return Ok(Self(None));
        }
        match app.identities.of_request(&parts.headers) {
            Some(identity) => Ok(Self(Some(identity))),
            None => Err(unauthorized("send a token as `Authorization: Bearer …`, or begin a session with one")),
        }
    }
}

/// Returns the answer to a request without a known token.
pub(super) fn unauthorized(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, detail)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}
