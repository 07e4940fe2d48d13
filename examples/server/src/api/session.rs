//! Sessions: a browser sends its token once, and then a cookie, which is also sent with event
//! streams. A stream that is open when its session ends continues to its own end.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::unauthorized;
use super::problem::Problem;
use crate::app::App;
use crate::identity::SESSION;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Beginning {
    token: String,
}

/// `GET /api/session`: returns the sender's identity, and whether a token is required.
pub(super) async fn show(State(app): State<Arc<App>>, headers: HeaderMap) -> Json<Value> {
    let identity = app.identities.of_request(&headers);
    Json(json!({
        "required": app.identities.are_required(),
        "user_id": identity.as_ref().map(|identity| &identity.user),
        "tenant_id": identity.as_ref().map(|identity| &identity.tenant),
    }))
}

/// `POST /api/session`: begins a session.
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    Json(Beginning { token }): Json<Beginning>,
) -> Result<impl IntoResponse, Problem> {
    let identity = app.identities.of_token(token.trim()).ok_or_else(|| unauthorized("nobody has this token"))?;
    let id = app.identities.begin_session(identity.clone());
    let cookie = app.cookie(&id, SESSION);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]))
}

/// `DELETE /api/session`: ends the session.
pub(super) async fn end(State(app): State<Arc<App>>, headers: HeaderMap) -> impl IntoResponse {
    app.identities.end_session(&headers);
    let cookie = app.cookie("", Duration::ZERO);
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)])
}
