//! Sessions: a browser sends its token once, and a cookie from then on, which event streams take
//! along. A stream that is open when its session ends goes on to its own end.

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

/// `GET /api/session`: who asks, and whether a token is needed.
pub(super) async fn show(State(app): State<Arc<App>>, headers: HeaderMap) -> Json<Value> {
    let identity = app.identities.of_request(&headers);
    Json(json!({
        "required": app.identities.are_required(),
        "user_id": identity.as_ref().map(|identity| &identity.user),
        "tenant_id": identity.as_ref().map(|identity| &identity.tenant),
    }))
}

/// `POST /api/session`: begins one.
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    Json(Beginning { token }): Json<Beginning>,
) -> Result<impl IntoResponse, Problem> {
    let identity = app.identities.of_token(token.trim()).ok_or_else(|| unauthorized("nobody has this token"))?;
    let id = app.identities.begin_session(identity.clone());
    let cookie = app.cookie(&id, SESSION);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]))
}

/// `DELETE /api/session`: ends it.
pub(super) async fn end(State(app): State<Arc<App>>, headers: HeaderMap) -> impl IntoResponse {
    app.identities.end_session(&headers);
    let cookie = app.cookie("", Duration::ZERO);
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)])
}
