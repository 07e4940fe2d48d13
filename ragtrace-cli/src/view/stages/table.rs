//! The rows of the page of all stages.

use maud::{Markup, html};
use ragtrace::Timestamp;
use ragtrace_store::StagePoint;

use super::cells::{errors, href, quantile, trend};
use super::row::Row;
use crate::view::chart;
use crate::view::params::Params;
use crate::view::show;

/// Returns the table of all stages.
pub(super) fn table(rows: &[Row], steps: &[Timestamp], params: &Params) -> Markup {
    html! {
        div.table {
            table {
                caption.aside-text { "Stages, by name" }
                thead {
                    tr {
                        th scope="col" { "Stage" }
                        th.optional scope="col" { "Kind" }
                        th.number scope="col" { "Runs" }
                        th.number scope="col" { "Errors" }
                        th.number.optional scope="col" { "Cancelled" }
                        th.number scope="col" { "p50" }
                        th.number scope="col" { "p95" }
                        th.number scope="col" { "p99" }
                        th.number scope="col" { "Trend" }
                        th scope="col" { "p95 over time" }
                        th.number.optional scope="col" { "Items/s" }
                        th.number.optional scope="col" { "Cost" }
                    }
                }
                tbody { @for row in rows { (line(row, steps, params)) } }
            }
        }
    }
}

fn line(row: &Row, steps: &[Timestamp], params: &Params) -> Markup {
    let stats = &row.now;
    html! {
        tr {
            td.cut { a.row data-row href=(href(stats.stage(), params)) { (show::short(stats.stage(), 80)) } }
            td.optional.muted { (show::short(stats.kind(), 24)) }
            td.number { (show::count(stats.runs())) }
            td.number { (errors(stats)) }
            td.number.optional { @if stats.cancelled() > 0 { (show::percent(stats.cancel_rate())) } @else { (show::absent()) } }
            td.number { (quantile(stats, 0.5)) }
            td.number { (quantile(stats, 0.95)) }
            td.number { (quantile(stats, 0.99)) }
            td.number { (trend(stats, row.before.as_ref())) }
            td { (chart::spark(&over_time(&row.points, steps), "95th percentile of the duration over time")) }
            td.number.optional { @match stats.items_per_second() { Some(rate) => (show::number(rate)), None => (show::absent()) } }
            td.number.optional { @if stats.cost_usd() > 0.0 { (show::dollars(stats.cost_usd())) } @else { (show::absent()) } }
        }
    }
}

fn over_time(points: &[StagePoint], steps: &[Timestamp]) -> Vec<Option<f64>> {
    let at = |from: &Timestamp| {
        let point = points.iter().find(|point| point.from() == *from)?;
        point.stats().quantile(0.95).map(|p95| p95.as_secs_f64())
    };
    steps.iter().map(at).collect()
}
