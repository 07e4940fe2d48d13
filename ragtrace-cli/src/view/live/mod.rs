//! The page of new records as they come, with the stages that run now.

mod events;
mod filter;
mod rows;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use ragtrace::Level;
use ragtrace_store::LogRow;

use super::layout::{Page, Tab};
use super::list;
use super::params::Params;
use super::problem::Problem;
use super::session::Session;
use super::viewer::Viewer;
use filter::Wanted;

const PATH: &str = "/live";
/// The number of records that the page begins with.
const ROWS: usize = 50;

pub(super) fn routes() -> Router<Arc<Viewer>> {
    Router::new().route(PATH, get(page)).route("/live.json", get(page)).route("/live/events", get(events::events))
}

async fn page(session: Session, params: Params) -> Result<Response, Problem> {
    let wanted = Wanted::of(&params)?;
    let store = session.store();
    let rows = store.logs(wanted.newest(params.limit(ROWS, 500)?)).await?;
    if session.wants_json() {
        return Ok(list::json(rows.iter().map(LogRow::to_json), None));
    }
    let running = store.inflight().await?;
    let running: Vec<_> = running.iter().filter(|row| wanted.takes_running(row)).collect();
    let stream = params.href("/live/events");
    let body = html! {
        div.title {
            h1 { "Live" }
            span #live-state role="status" { "connecting…" }
            div.more {
                button #live-pause type="button" aria-pressed="false" title="Pause (Space)" { "Pause" }
                button #live-clear type="button" { "Clear" }
            }
        }
        (form(&params))
        (list::chips(&params, PATH, &[]))
        noscript { p.notice { "New records need JavaScript. Reload the page to see what has come since." } }
        section aria-labelledby="running-title" {
            h2 #running-title { "Running now" }
            div #running { (rows::running(&running)) }
        }
        section aria-labelledby="records-title" {
            h2 #records-title { "Records" }
            div.table {
                // The newest is on top. What comes is not read out: at any real rate it never ends.
                table #records data-stream=(stream) {
                    caption.aside-text { "Records, newest first" }
                    (rows::heads())
                    tbody { @for row in &rows { (rows::line(row)) } }
                }
            }
            div.empty #nothing hidden[!rows.is_empty()] {
                strong { "No record matches yet" }
                "New ones appear here as they are stored."
            }
        }
    };
    let page = Page::new("Live", Tab::Live).script("live.js").style("live.css").key("Space", "Pause or go on");
    Ok(page.respond(&session, body))
}

fn form(params: &Params) -> Markup {
    let value = |name: &str| params.get(name).unwrap_or_default().to_owned();
    html! {
        form.filter method="get" action=(PATH) {
            label { "Stage" input name="stage" data-first-field value=(value("stage")) maxlength="200"; }
            label { "User" input name="user" value=(value("user")) maxlength="200"; }
            label { "Tenant" input name="tenant" value=(value("tenant")) maxlength="200"; }
            label { "Session" input name="session" value=(value("session")) maxlength="200"; }
            label.narrow { "Level"
                select name="level" {
                    option value="" { "any" }
                    @for level in [Level::Error, Level::Warn, Level::Info, Level::Debug] {
                        @let name = level.as_str();
                        option value=(name) selected[params.get("level").is_some_and(|given| given.eq_ignore_ascii_case(name))] { (name) }
                    }
                }
            }
            button.main type="submit" { "Filter" }
        }
    }
}
