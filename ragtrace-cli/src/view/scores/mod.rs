//! Scores: the newest ones beside what they judge, their averages, and the request that adds one.

mod averages;
mod filter;
mod write;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use maud::{Markup, html};
use ragtrace::Value;
use ragtrace_store::ScoreRow;

use filter::PATH;

use super::layout::{Page, Tab};
use super::list::{self, AFTER};
use super::params::Params;
use super::period::{self, Period};
use super::problem::Problem;
use super::session::Session;
use super::show;
use super::viewer::Viewer;

const ROWS: usize = 100;
const MOST: usize = 1_000;
/// The judges that a score can name.
const JUDGES: [&str; 3] = ["human", "llm", "code"];

pub(super) fn routes() -> Router<Arc<Viewer>> {
    Router::new().route(PATH, get(page)).route("/scores.json", get(page)).route("/api/scores", post(write::add))
}

async fn page(session: Session, params: Params) -> Result<Response, Problem> {
    let period = Period::of(&params)?;
    let limit = params.limit(ROWS, MOST)?;
    let filter = filter::parse(&params, period)?;
    let store = session.store();
    let mut rows = store.recent_scores(filter.clone().limit(limit + 1)).await?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next =
        rows.last().filter(|_| has_more).map(|last| params.with(AFTER, Some(&last.position().to_string())).href(PATH));
    if session.wants_json() {
        return Ok(list::json(rows.iter().map(ScoreRow::to_json), next.as_deref()));
    }
    let averaged = store.recent_scores(filter.limit(averages::ROWS)).await?;
    let body = html! {
        (head(&params, period))
        @if rows.is_empty() { (empty(&params, period)) } @else {
            (averages::table(&averaged, period, &params))
            h2 { "Newest scores" }
            (table(&rows, &params))
        }
        (list::pager(&params, PATH, rows.len(), next.as_deref()))
    };
    Ok(Page::new("Scores", Tab::Scores).style("chart.css").respond(&session, body))
}

fn head(params: &Params, period: Period) -> Markup {
    let value = |name: &str| params.get(name).unwrap_or_default().to_owned();
    html! {
        div.title { h1 { "Scores" } span.muted { "in " (period.words(params)) } div.more { (period::chooser(params, PATH)) } }
        form.filter method="get" action=(PATH) {
            label { "Name" input name="name" data-first-field value=(value("name")) maxlength="64"; }
            label.narrow { "By"
                select name="by" {
                    option value="" { "anybody" }
                    @for judge in JUDGES { option value=(judge) selected[params.get("by") == Some(judge)] { (judge) } }
                }
            }
            label { "Tenant" input name="tenant" value=(value("tenant")) maxlength="200"; }
            label.narrow { "Since" input name="since" value=(value("since")) placeholder="24h" maxlength="40"; }
            label.narrow { "Until" input name="until" value=(value("until")) placeholder="now" maxlength="40"; }
            button.main type="submit" { "Filter" }
        }
        (list::chips(params, PATH, &["since", "until"]))
    }
}

fn empty(params: &Params, period: Period) -> Markup {
    html! {
        div.empty {
            strong { "No score was given in " (period.words(params)) }
            p { "A program gives one with " code { "Score::number(\"faithfulness\", 0.83).trace(id).record()" } ", a person on the page of a trace or with " code { "ragtrace score" } "." }
        }
    }
}

fn table(rows: &[ScoreRow], params: &Params) -> Markup {
    html! {
        div.table {
            table {
                caption.aside-text { "Scores, newest first" }
                thead { tr { th scope="col" { "Time (UTC)" } th scope="col" { "Name" } th.number scope="col" { "Value" } th scope="col" { "By" } th scope="col" { "Comment" } th scope="col" { "Tenant" } th scope="col" { "Judges" } }  }
                tbody {
                    @for row in rows {
                        tr {
                            td { (show::time(row.timestamp())) }
                            td.cut { (list::only(params, PATH, ("name", row.name()), 64)) }
                            td.number { (value(row.value())) }
                            td { @match row.by() { Some(judge) => (list::only(params, PATH, ("by", judge), 16)), None => (show::absent()) } }
                            td.message { @match row.comment() { Some(comment) => (show::text(comment, 200)), None => (show::absent()) } }
                            td.cut { @match row.tenant_id() { Some(tenant) => (list::only(params, PATH, ("tenant", tenant), 40)), None => (show::absent()) } }
                            td { (show::trace_of(row)) @if row.span_id().is_some() { span.muted { " run" } } }
                        }
                    }
                }
            }
        }
    }
}

/// Returns the value of a score.
fn value(value: &Value) -> Markup {
    match value {
        Value::Bool(true) => html! { span.status-completed { "✓ true" } },
        Value::Bool(false) => html! { span.status-failed { "✗ false" } },
        Value::Text(label) => html! { (show::text(label, 40)) },
        other => match averages::number(other) {
            Some(number) => html! { (show::number(number)) },
            None => show::absent(),
        },
    }
}
