//! The rows of the page of all stages.

use std::time::Duration;

use maud::{Markup, html};
use ragtrace::Timestamp;
use ragtrace_store::{StagePoint, StageStats};

use super::{Row, stage};
use crate::view::chart;
use crate::view::params::Params;
use crate::view::show;

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
            td.cut { a.row data-row href=(stage::href(stats.stage(), params)) { (show::short(stats.stage(), 80)) } }
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

/// Returns the share of failed runs.
pub(super) fn errors(stats: &StageStats) -> Markup {
    if stats.failed() == 0 {
        return show::absent();
    }
    let title = format!("{} of {} runs failed", show::count(stats.failed()), show::count(stats.runs()));
    html! { span.status-failed title=(title) { (show::percent(stats.error_rate())) } }
}

pub(super) fn quantile(stats: &StageStats, q: f64) -> Markup {
    match stats.quantile(q) {
        Some(duration) => html! { (show::duration(duration)) },
        None => show::absent(),
    }
}

/// The fewest runs on both sides of a comparison. Fewer tell little.
const FEWEST: u64 = 5;
/// The change up to which a trend counts as none.
const STEADY: f64 = 0.1;

/// Returns how the 95th percentile has changed from the period before.
pub(super) fn trend(now: &StageStats, before: Option<&StageStats>) -> Markup {
    let enough = before.filter(|before| before.runs() >= FEWEST && now.runs() >= FEWEST);
    let p95 = |stats: &StageStats| stats.quantile(0.95).filter(|p95| !p95.is_zero());
    let both = enough.and_then(|before| p95(now).zip(p95(before)));
    let Some((now, before)) = both else {
        return html! { span.absent title="There are too few runs to compare" { "–" } };
    };
    let change = now.as_secs_f64() / before.as_secs_f64() - 1.0;
    let title = format!("p95 {} before, {} now", show::duration(before), show::duration(now));
    match change {
        steady if steady.abs() < STEADY => html! { span.muted title=(title) { "steady" } },
        slower if slower > 0.0 => html! { span.status-failed title=(title) { "▲ " (times(now, before, slower)) } },
        faster => html! { span.status-completed title=(title) { "▼ " (show::percent(-faster)) } },
    }
}

fn times(now: Duration, before: Duration, change: f64) -> String {
    if change < 1.0 {
        show::percent(change)
    } else {
        format!("×{}", show::number(now.as_secs_f64() / before.as_secs_f64()))
    }
}

fn over_time(points: &[StagePoint], steps: &[Timestamp]) -> Vec<Option<f64>> {
    let at = |from: &Timestamp| {
        let point = points.iter().find(|point| point.from() == *from)?;
        point.stats().quantile(0.95).map(|p95| p95.as_secs_f64())
    };
    steps.iter().map(at).collect()
}
