//! Finds the trace that a visitor names in the field at the top of every page.

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::html;
use ragtrace::TraceId;

use super::layout::{Page, Tab};
use super::params::Params;
use super::problem::Problem;
use super::session::Session;
use super::viewer::Viewer;

/// The largest number of ids that are shown if several begin with the same digits.
const SHOWN: usize = 50;

pub(super) fn routes() -> Router<Arc<Viewer>> {
    Router::new().route("/find", get(find))
}

/// Goes to the trace with an id, to the only one that begins with its digits, or to the newest one
/// for `last`.
async fn find(session: Session, params: Params) -> Result<Response, Problem> {
    let Some(named) = params.get("q").map(str::trim) else { return Ok(Redirect::to("/").into_response()) };
    if named == "last" {
        let latest = session.store().latest_trace().await?;
        let latest = latest.ok_or_else(|| Problem::not_found("the store has no traces yet"))?;
        return Ok(to(latest.trace_id()));
    }
    if let Ok(id) = named.parse() {
        return Ok(to(id));
    }
    if !named.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
        return Err(Problem::bad("this is not a trace id")
            .advice("Give a UUID, 32 hex digits, the first digits of either, or `last`. The page of traces has filters for everything else."));
    }
    let fitting = session.store().traces_starting_with(named, SHOWN + 1).await?;
    match fitting[..] {
        [] => Err(Problem::not_found(format!("no trace id begins with {named}"))),
        [one] => Ok(to(one)),
        _ => Ok(several(&session, named, &fitting)),
    }
}

fn to(id: TraceId) -> Response {
    Redirect::to(&format!("/trace/{id}")).into_response()
}

fn several(session: &Session, named: &str, ids: &[TraceId]) -> Response {
    let body = html! {
        div.title { h1 { "Traces that begin with " code { (named) } } }
        ul.mono {
            @for id in ids.iter().take(SHOWN) { li { a data-row href={ "/trace/" (id) } { (id) } } }
        }
        @if ids.len() > SHOWN { p.muted { "There are more: give more digits." } }
    };
    Page::new("Find", Tab::Traces).respond(session, body)
}
