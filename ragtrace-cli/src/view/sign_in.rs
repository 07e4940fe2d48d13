//! Signing in and out, and what a program asks first.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;

use super::problem::Problem;
use super::session::Visitor;
use super::viewer::Viewer;

pub(super) fn routes() -> Router<Arc<Viewer>> {
    Router::new().route("/session", get(show).post(begin).delete(end))
}

/// The body of a request to sign in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    token: String,
}

/// Answers with 204 if the visitor has signed in, or needs not.
async fn show(_: Visitor) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Begins a session for a token.
async fn begin(
    State(viewer): State<Arc<Viewer>>,
    body: Result<Json<SignIn>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(SignIn { token }) = body.map_err(|rejection| refused(&rejection))?;
    let begun = viewer.sessions.begin(token.trim());
    let begun =
        begun.map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no random session id could be made"))?;
    let unknown = || Problem::new(StatusCode::UNAUTHORIZED, "the token is not known");
    let cookie = begun.ok_or_else(unknown)?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Ends the session.
async fn end(State(viewer): State<Arc<Viewer>>, headers: HeaderMap) -> Response {
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, viewer.sessions.end(&headers))]).into_response()
}

/// Returns the problem of a body that is not the JSON that is expected. The body may be a token, so
/// it is not repeated.
fn refused(rejection: &JsonRejection) -> Problem {
    Problem::new(rejection.status(), "the body has to be JSON of the form {\"token\": …}, as `application/json`")
}
