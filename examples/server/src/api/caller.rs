//! Who sends a request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};

use super::problem::Problem;
use crate::app::App;
use crate::identity::Identity;

/// Somebody who may use the service; nobody in particular where everybody may.
#[derive(Debug)]
pub(super) struct Caller(Option<Identity>);

impl Caller {
    /// Returns whose documents and traces they may see.
    pub(super) fn tenant(&self) -> Option<&str> {
        self.0.as_ref().map(|identity| identity.tenant.as_str())
    }

    /// Returns the name of the tenant in the database of documents, which has an empty one for
    /// nobody in particular.
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

/// Returns the answer to a request without a token that is known.
pub(super) fn unauthorized(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, detail)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}
