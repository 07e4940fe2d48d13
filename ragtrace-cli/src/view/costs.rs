//! The page of costs and tokens: by tenant, by model, and by both.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use ragtrace_store::CostRow;

use super::layout::{Page, Tab};
use super::list;
use super::params::Params;
use super::period::{self, Period};
use super::problem::Problem;
use super::session::Session;
use super::show;
use super::viewer::Viewer;

const PATH: &str = "/costs";
/// The largest number of rows of a table.
const ROWS: usize = 200;

pub(super) fn routes() -> Router<Arc<Viewer>> {
    Router::new().route(PATH, get(page)).route("/costs.json", get(page))
}

/// Sums over several rows.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    runs: u64,
    input: u64,
    output: u64,
    cached: u64,
    cost: f64,
}

impl Sum {
    fn add(mut self, row: &CostRow) -> Self {
        self.runs = self.runs.saturating_add(row.runs());
        self.input = self.input.saturating_add(row.input_tokens());
        self.output = self.output.saturating_add(row.output_tokens());
        self.cached = self.cached.saturating_add(row.cached_tokens());
        self.cost += row.cost_usd();
        self
    }

    /// Returns the part that is compared: the cost, or the tokens where nothing states a cost.
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    fn weight(&self, has_costs: bool) -> f64 {
        if has_costs { self.cost } else { self.input.saturating_add(self.output) as f64 }
    }
}

async fn page(session: Session, params: Params) -> Result<Response, Problem> {
    let period = Period::of(&params)?;
    let mut rows = session.store().costs(period.window()).await?;
    for (name, part) in [("tenant", CostRow::tenant_id as fn(&CostRow) -> Option<&str>), ("model", CostRow::model)] {
        if let Some(wanted) = params.get(name) {
            rows.retain(|row| part(row) == Some(wanted));
        }
    }
    if session.wants_json() {
        return Ok(list::json(rows.iter().map(CostRow::to_json), None));
    }
    let total = rows.iter().fold(Sum::default(), Sum::add);
    let body = html! {
        div.title { h1 { "Costs" } span.muted { "in " (period.words(&params)) } div.more { (period::chooser(&params, PATH)) } }
        (list::chips(&params, PATH, &["since", "until"]))
        @if rows.is_empty() {
            div.empty {
                strong { "No stage declared a cost or tokens in " (period.words(&params)) }
                p { "A stage declares them by name, as in " code { "record!(input_tokens = 812, output_tokens = 96, cost_usd = 0.0021)" } "." }
            }
        } @else {
            (figures(&total))
            @if params.get("tenant").is_none() { (table("Tenant", "tenant", &by(&rows, CostRow::tenant_id), &total, &params)) }
            @if params.get("model").is_none() { (table("Model", "model", &by(&rows, CostRow::model), &total, &params)) }
            (both(&rows, &total, &params))
            p.muted { "Sums of what stages declare, from records that the level, sampling and retention have left." }
        }
        div.pager { span { (show::count(rows.len() as u64)) " rows" } a href=(params.with("format", Some("json")).href(PATH)) { "JSON" } }
    };
    Ok(Page::new("Costs", Tab::Costs).style("stage.css").respond(&session, body))
}

fn figures(total: &Sum) -> Markup {
    html! {
        dl.figures {
            div { dt { "Cost" } dd { (show::dollars(total.cost)) } }
            div { dt { "Runs" } dd { (show::count(total.runs)) } }
            div { dt { "Input tokens" } dd { (show::count(total.input)) } }
            div { dt { "Output tokens" } dd { (show::count(total.output)) } }
            div { dt { "Cached tokens" } dd { (show::count(total.cached)) } }
            div { dt { "Cost per run" } dd { @if total.runs > 0 { (show::dollars(per_run(total))) } @else { (show::absent()) } } }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a mean")]
fn per_run(sum: &Sum) -> f64 {
    sum.cost / sum.runs.max(1) as f64
}

/// Adds up rows by one of their parts, largest first.
fn by(rows: &[CostRow], part: fn(&CostRow) -> Option<&str>) -> Vec<(Option<&str>, Sum)> {
    let mut sums: BTreeMap<Option<&str>, Sum> = BTreeMap::new();
    for row in rows {
        let sum = sums.entry(part(row)).or_default();
        *sum = sum.add(row);
    }
    let has_costs = sums.values().any(|sum| sum.cost > 0.0);
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by(|(_, a), (_, b)| b.weight(has_costs).total_cmp(&a.weight(has_costs)));
    sums
}

fn heads(first: &[&str]) -> Markup {
    html! {
        thead {
            tr {
                @for name in first { th scope="col" { (name) } }
                th.number scope="col" { "Cost" } th scope="col" { "Share" } th.number scope="col" { "Runs" }
                th.number.optional scope="col" { "Input tokens" } th.number.optional scope="col" { "Output tokens" } th.number.optional scope="col" { "Cached" }
            }
        }
    }
}

fn table(title: &str, name: &str, sums: &[(Option<&str>, Sum)], total: &Sum, params: &Params) -> Markup {
    html! {
        h2 { "By " (title.to_lowercase()) }
        div.table {
            table {
                (heads(&[title]))
                tbody {
                    @for (value, sum) in sums.iter().take(ROWS) {
                        tr {
                            td.cut { @match value { Some(value) => (list::only(params, PATH, (name, value), 80)), None => span.muted { "none" } } }
                            (cells(sum, total))
                        }
                    }
                }
            }
        }
        @if sums.len() > ROWS { p.muted { "and " (show::count((sums.len() - ROWS) as u64)) " more, in the JSON" } }
    }
}

fn both(rows: &[CostRow], total: &Sum, params: &Params) -> Markup {
    html! {
        h2 { "By tenant and model" }
        div.table {
            table {
                (heads(&["Tenant", "Model", "Provider"]))
                tbody {
                    @for row in rows.iter().take(ROWS) {
                        tr {
                            td.cut { @match row.tenant_id() { Some(tenant) => (list::only(params, PATH, ("tenant", tenant), 60)), None => span.muted { "none" } } }
                            td.cut { @match row.model() { Some(model) => (list::only(params, PATH, ("model", model), 60)), None => span.muted { "none" } } }
                            td.cut { @match row.provider() { Some(provider) => (show::text(provider, 40)), None => (show::absent()) } }
                            (cells(&Sum::default().add(row), total))
                        }
                    }
                }
            }
        }
        @if rows.len() > ROWS { p.muted { "and " (show::count((rows.len() - ROWS) as u64)) " more, in the JSON" } }
    }
}

fn cells(sum: &Sum, total: &Sum) -> Markup {
    let has_costs = total.cost > 0.0;
    let (part, whole) = (sum.weight(has_costs), total.weight(has_costs));
    let share = if whole > 0.0 { part / whole } else { 0.0 };
    html! {
        td.number { (show::dollars(sum.cost)) }
        td.with-bar title=(if has_costs { "Share of the cost" } else { "Share of the tokens" }) { div.share { (show::percent(share)) (show::bar(part, whole, "completed")) } }
        td.number { (show::count(sum.runs)) }
        td.number.optional { (show::count(sum.input)) }
        td.number.optional { (show::count(sum.output)) }
        td.number.optional { (show::count(sum.cached)) }
    }
}
