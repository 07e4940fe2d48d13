//! The page of errors: groups of the same kind, and the errors one by one.

mod filter;
mod groups;
mod rows;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use ragtrace_store::{ErrorGroup, LogFilter, LogRow};

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

pub(super) fn routes() -> Router<Arc<Viewer>> {
    Router::new().route(PATH, get(page)).route("/errors.json", get(page))
}

async fn page(session: Session, params: Params) -> Result<Response, Problem> {
    let period = Period::of(&params)?;
    let filter = filter::parse(&params, period)?;
    match params.get("view") {
        None | Some("groups") => grouped(&session, &params, (filter, period)).await,
        Some("rows") => one_by_one(&session, &params, (filter, period)).await,
        Some(_) => Err(Problem::bad("`view` is either groups or rows")),
    }
}

async fn grouped(
    session: &Session,
    params: &Params,
    (filter, period): (LogFilter, Period),
) -> Result<Response, Problem> {
    let found = session.store().error_groups(filter).await?;
    if session.wants_json() {
        return Ok(list::json(found.groups().iter().map(ErrorGroup::to_json), None));
    }
    let body = html! {
        (head(params, period))
        @if found.is_truncated() { p.notice { "Only the newest 100,000 errors of this time are counted: choose a shorter time." } }
        @if found.groups().is_empty() { (empty(params, period)) } @else { (groups::table(found.groups(), params)) }
        div.pager { span { (show::count(found.groups().len() as u64)) " kinds of errors" } a href=(params.with("format", Some("json")).href(PATH)) { "JSON" } }
    };
    Ok(Page::new("Errors", Tab::Errors).respond(session, body))
}

async fn one_by_one(
    session: &Session,
    params: &Params,
    (filter, period): (LogFilter, Period),
) -> Result<Response, Problem> {
    let limit = params.limit(ROWS, MOST)?;
    let mut rows = session.store().errors(filter.limit(limit + 1)).await?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next =
        rows.last().filter(|_| has_more).map(|last| params.with(AFTER, Some(&last.position().to_string())).href(PATH));
    if session.wants_json() {
        return Ok(list::json(rows.iter().map(LogRow::to_json), next.as_deref()));
    }
    let body = html! {
        (head(params, period))
        @if rows.is_empty() { (empty(params, period)) } @else { (rows::table(&rows, params)) }
        (list::pager(params, PATH, rows.len(), next.as_deref()))
    };
    Ok(Page::new("Errors", Tab::Errors).respond(session, body))
}

fn head(params: &Params, period: Period) -> Markup {
    let value = |name: &str| params.get(name).unwrap_or_default().to_owned();
    let is_rows = params.get("view") == Some("rows");
    let without = params.without(&["view", AFTER]);
    html! {
        div.title {
            h1 { "Errors" }
            span.muted { "in " (period.words(params)) }
            div.more {
                nav.windows aria-label="View" {
                    a href=(without.href(PATH)) aria-current=[(!is_rows).then_some("true")] { "Grouped" }
                    a href=(without.with("view", Some("rows")).href(PATH)) aria-current=[is_rows.then_some("true")] { "One by one" }
                }
                (period::chooser(params, PATH))
            }
        }
        form.filter method="get" action=(PATH) {
            @if is_rows { input type="hidden" name="view" value="rows"; }
            label.wide { "Text in the message or type" input name="text" data-first-field value=(value("text")) maxlength="200"; }
            label { "Stage" input name="stage" value=(value("stage")) maxlength="200"; }
            label { "User" input name="user" value=(value("user")) maxlength="200"; }
            label { "Tenant" input name="tenant" value=(value("tenant")) maxlength="200"; }
            label.narrow { "Since" input name="since" value=(value("since")) placeholder="24h" maxlength="40"; }
            label.narrow { "Until" input name="until" value=(value("until")) placeholder="now" maxlength="40"; }
            button.main type="submit" { "Filter" }
        }
        (list::chips(params, PATH, &["view", "since", "until"]))
    }
}

fn empty(params: &Params, period: Period) -> Markup {
    html! {
        div.empty {
            strong { "No error matches in " (period.words(params)) }
            "Choose a longer time above, or remove a filter."
        }
    }
}
