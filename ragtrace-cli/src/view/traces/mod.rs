//! The list of finished traces, newest first.

mod charts;
pub(super) mod filter;
mod table;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use maud::html;
use ragtrace_store::TraceSummary;

use filter::PATH;

use super::layout::{Page, Tab};
use super::list::{self, AFTER};
use super::params::Params;
use super::period;
use super::problem::Problem;
use super::session::Session;
use super::viewer::Viewer;

/// The number of traces on a page, unless the query says another, and the most.
const ROWS: usize = 50;
const MOST: usize = 1_000;

pub(super) fn routes() -> Router<Arc<Viewer>> {
    Router::new()
        .route(PATH, get(page))
        .route("/traces.json", get(page))
        .route("/traces/histogram", get(charts::histogram))
}

async fn page(session: Session, params: Params) -> Result<Response, Problem> {
    let limit = params.limit(ROWS, MOST)?;
    // One more than is shown tells that there is a next page.
    let mut rows = session.store().traces(filter::parse(&params)?.limit(limit + 1)).await?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more).map(|last| params.with(AFTER, Some(&last.position().to_string())));
    let next = next.map(|params| params.href(if session.wants_json() { "/traces.json" } else { PATH }));
    if session.wants_json() {
        return Ok(list::json(rows.iter().map(TraceSummary::to_json), next.as_deref()));
    }
    let body = html! {
        div.title { h1 { "Traces" } div.more { (period::chooser_of_any(&params, PATH)) } }
        (filter::form(&params))
        (list::chips(&params, PATH, &[]))
        @if rows.is_empty() { (table::empty(&params)) } @else { (charts::charts(&rows, &params)) (table::table(&rows, &params)) }
        (list::pager(&params, PATH, rows.len(), next.as_deref()))
    };
    let page = Page::new("Traces", Tab::Traces).script("charts.js").style("chart.css");
    Ok(page.key("← →", "Previous and next bar of a chart").respond(&session, body))
}
