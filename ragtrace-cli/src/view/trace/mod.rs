//! The page of one trace: its waterfall, the panel of a span, search inside it, its JSON, and the
//! comparison with another trace.
//!
//! The page has the skeleton of every span ([`columns`]), so that it opens at once and rows are
//! drawn where they are looked at. What was recorded in a span, which may be large, is fetched when
//! the span is opened ([`panel`]), from the trace as the page read it ([`cache`]).

mod cache;
mod columns;
mod compare;
mod failure;
mod find;
mod head;
mod micros;
mod neighbours;
mod page;
mod panel;
mod path;
mod read;
mod scores;
mod text;
mod tools;

use std::sync::Arc;

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use ragtrace::SpanId;
use ragtrace_store::Trace;
use serde_json::json;

use super::params::Params;
use super::problem::Problem;
use super::session::Session;
use super::viewer::Viewer;
use cache::Cache;
use columns::Columns;
use panel::Panel;
use read::{read, recent, trace_id};

type Traces = Extension<Arc<Cache>>;

pub(crate) fn routes() -> Router<Arc<Viewer>> {
    Router::new()
        .route("/trace/{id}", get(page_or_download))
        .route("/trace/{id}/waterfall.json", get(waterfall))
        .route("/trace/{id}/find.json", get(search))
        .route("/trace/{id}/neighbours.json", get(around))
        .route("/trace/{id}/span/{span}", get(span))
        .route("/compare", get(compare::page))
        .layer(Extension(Arc::new(Cache::default())))
}

/// Answers with the page of a trace, or with its JSON if the id is followed by `.json`.
async fn page_or_download(
    session: Session,
    params: Params,
    Extension(cache): Traces,
    Path(named): Path<String>,
) -> Result<Response, Problem> {
    if let Some(id) = named.strip_suffix(".json") {
        let trace = read(&session, trace_id(id)?).await?;
        return Ok(download(&trace));
    }
    let trace = read(&session, trace_id(&named)?).await?;
    cache.put(session.role(), &trace);
    Ok(page::respond(&session, &params, &trace))
}

/// Answers with the trace as `ragtrace trace --format json` writes it.
fn download(trace: &Trace) -> Response {
    let disposition = format!("attachment; filename=\"trace-{}.json\"", trace.trace_id());
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment")),
        ),
    ];
    (headers, trace.to_json()).into_response()
}

/// Answers with the columns of a trace, or with nothing if the page has this version of them.
async fn waterfall(
    session: Session,
    params: Params,
    Extension(cache): Traces,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let trace = read(&session, trace_id(&id)?).await?;
    if params.get("version") == Some(&columns::version(&trace)) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    cache.put(session.role(), &trace);
    Ok(Json(Columns::of(&trace)).into_response())
}

/// Answers with the ids of the spans in whose records a text occurs.
async fn search(
    session: Session,
    params: Params,
    Extension(cache): Traces,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let trace = recent(&session, &cache, trace_id(&id)?).await?;
    let found = find::spans(&trace, params.get("q").unwrap_or_default().trim());
    Ok(Json(json!({ "spans": found })).into_response())
}

/// Answers with the traces before and after this one.
async fn around(
    session: Session,
    params: Params,
    Extension(cache): Traces,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let trace = recent(&session, &cache, trace_id(&id)?).await?;
    Ok(Json(neighbours::find(&session, &params, &trace).await?).into_response())
}

/// Answers with the panel of a span. With `fresh=1` the trace is read anew.
async fn span(
    session: Session,
    params: Params,
    Extension(cache): Traces,
    Path((id, span)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let id = trace_id(&id)?;
    let span_id: SpanId = span.parse().map_err(|_| Problem::not_found("a span's id has 16 hex digits"))?;
    let known = if params.get("fresh").is_none() { cache.get(session.role(), id) } else { None };
    let known = known.filter(|trace| trace.span(span_id).is_some_and(|span| span.duration().is_some()));
    let trace = if let Some(trace) = known {
        trace
    } else {
        let trace = read(&session, id).await?;
        cache.put(session.role(), &trace);
        trace
    };
    let found = trace.span(span_id).ok_or_else(|| Problem::not_found(format!("the trace has no span {span_id}")))?;
    let panel = Panel { trace: &trace, span: found, may_write: session.may_write() };
    Ok(axum::response::Html(panel.markup().into_string()).into_response())
}
