//! The page of all stages, and the page of one.

mod cells;
mod failures;
mod row;
mod stage;
mod table;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use maud::html;
use ragtrace_store::{CatalogStage, RetrievalStats, StageStats};

use row::{Row, rows};

use super::layout::{Page, Tab};
use super::list;
use super::params::Params;
use super::period::{self, Period};
use super::problem::Problem;
use super::session::Session;
use super::viewer::Viewer;
use super::{show, source};

const PATH: &str = "/stages";
/// The number of steps of a small chart.
const STEPS: u32 = 48;

pub(super) fn routes() -> Router<Arc<Viewer>> {
    Router::new().route(PATH, get(page)).route("/stages.json", get(page)).route("/stages/{name}", get(stage::page))
}

async fn page(session: Session, params: Params) -> Result<Response, Problem> {
    let period = Period::of(&params)?;
    let store = session.store();
    if session.wants_json() {
        let stats = store.stage_stats(period.window()).await?;
        return Ok(list::json(stats.iter().map(StageStats::to_json), None));
    }
    let step = period.step(STEPS);
    let (stats, before, series, retrieval, catalog) = tokio::try_join!(
        store.stage_stats(period.window()),
        store.stage_stats(period.before().window()),
        store.stage_series(period.window(), step),
        store.retrieval_stats(period.window()),
        store.stages(),
    )?;
    let rows = rows(stats, before, series);
    let steps = period.steps(step);
    let body = html! {
        div.title { h1 { "Stages" } span.muted { "in " (period.words(&params)) } div.more { (period::chooser(&params, PATH)) } }
        @if rows.is_empty() {
            div.empty {
                strong { "No stage ended in " (period.words(&params)) }
                "Choose a longer time above. Stages that still run are on the page " a href="/live" { "Live" } "."
            }
        } @else {
            (table::table(&rows, &steps, &params))
            p.muted { "Trends compare the 95th percentile with the same length of time before. Rates of items are per second of running time." }
        }
        (retrieval_table(&retrieval))
        (silent(&session, &rows, &catalog))
        div.pager { span { (show::count(rows.len() as u64)) " stages" } a href=(params.with("format", Some("json")).href(PATH)) { "JSON" } }
    };
    Ok(Page::new("Stages", Tab::Stages).style("chart.css").respond(&session, body))
}

/// Returns how much the retrieving stages found: an empty answer is no error, but often a fault.
fn retrieval_table(rows: &[RetrievalStats]) -> maud::Markup {
    if rows.is_empty() {
        return html! {};
    }
    html! {
        h2 { "Retrieval" }
        div.table {
            table {
                caption.aside-text { "How much the retrieving stages found" }
                thead {
                    tr {
                        th scope="col" { "Stage" } th.number scope="col" { "Runs" } th.number scope="col" { "Found nothing" }
                        th.number scope="col" { "Share" } th.number scope="col" { "Mean top score" } th.number scope="col" { "Least top score" }
                    }
                }
                tbody {
                    @for row in rows {
                        tr {
                            td { a.row href=(cells::href(row.stage(), &Params::default())) { (show::short(row.stage(), 80)) } }
                            td.number { (show::count(row.runs())) }
                            td.number { (show::count(row.empty())) }
                            td.number { (show::percent(row.empty_rate())) }
                            td.number { @match row.mean_top_score() { Some(score) => (show::number(score)), None => (show::absent()) } }
                            td.number { @match row.least_top_score() { Some(score) => (show::number(score)), None => (show::absent()) } }
                        }
                    }
                }
            }
        }
    }
}

/// Returns the stages of the catalog that did not end in the period.
fn silent(session: &Session, rows: &[Row], catalog: &[CatalogStage]) -> maud::Markup {
    let is_silent = |stage: &&CatalogStage| !rows.iter().any(|row| row.now.stage() == stage.name());
    let silent: Vec<_> = catalog.iter().filter(is_silent).take(200).collect();
    if silent.is_empty() {
        return html! {};
    }
    html! {
        details.as-table {
            summary { (show::count(silent.len() as u64)) " declared stages did not end in this time" }
            div.table {
                table {
                    thead { tr { th scope="col" { "Stage" } th scope="col" { "Service" } th scope="col" { "Declared at" } } }
                    tbody {
                        @for stage in silent {
                            tr {
                                td { a.row href=(cells::href(stage.name(), &Params::default())) { (show::short(stage.name(), 80)) } }
                                td { (show::text(stage.service().unwrap_or("–"), 40)) }
                                td { (source::link(session, stage.file(), stage.line())) }
                            }
                        }
                    }
                }
            }
        }
    }
}
