//! The charts over the list of traces: how many ended when, and how long those of the list took.

use std::time::Duration;

use axum::response::{Html, IntoResponse, Response};
use maud::{Markup, html};
use ragtrace::Timestamp;
use ragtrace::metrics::RunStatus;
use ragtrace_store::{TraceCounts, TraceSummary};

use super::filter::{self, PATH};
use crate::view::chart::{self, Bar, Dot};
use crate::view::layout::{Page, Tab};
use crate::view::list::{self, AFTER};
use crate::view::params::Params;
use crate::view::period::Period;
use crate::view::problem::Problem;
use crate::view::session::Session;
use crate::view::show;

const HISTOGRAM: &str = "/traces/histogram";
/// The number of bars.
const STEPS: usize = 60;
/// The parameter that asks for the chart alone, which a script puts into the page.
const PART: &str = "part";
/// The parameters of the time that the chart is about, where the filter has none.
const CHART_TIME: [&str; 2] = ["chart_since", "chart_until"];

/// Returns the charts. The histogram counts all traces that match, which may take longer than the
/// list, so it is loaded after the page.
pub(super) fn charts(rows: &[TraceSummary], params: &Params) -> Markup {
    let href = with_time(rows, &params.without(&[AFTER, "limit", "format"])).href(HISTOGRAM);
    let part = format!("{href}{}{PART}=1", if href.contains('?') { '&' } else { '?' });
    html! {
        div.charts {
            section aria-labelledby="histogram-title" {
                h2 #histogram-title { "Traces over time" }
                div.part data-load=(part) { noscript { a href=(href) { "Show the chart" } } }
            }
            section aria-labelledby="scatter-title" {
                h2 #scatter-title { "Durations of the traces below" }
                (chart::scatter("Durations of the traces in the list", &rows.iter().map(dot).collect::<Vec<_>>()))
            }
        }
    }
}

fn dot(row: &TraceSummary) -> Dot {
    let words =
        format!("{} {} in {}", show::short(row.operation(), 80), row.status().as_str(), show::duration(row.duration()));
    Dot {
        at: row.ended_at(),
        took: row.duration(),
        class: class(row.status()),
        words,
        href: format!("/trace/{}", row.trace_id()),
    }
}

fn class(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Failed => "failed",
        RunStatus::Cancelled => "cancelled",
        _ => "completed",
    }
}

/// Adds the time of the chart where the filter has none: the last day, or the day before the newest
/// trace of the list if that is older. A chart of a store that nobody writes to is not empty then.
fn with_time(rows: &[TraceSummary], params: &Params) -> Params {
    let day = Duration::from_hours(24);
    let newest = rows.first().map(TraceSummary::ended_at);
    if params.get("since").is_some() || params.get("until").is_some() {
        return params.clone();
    }
    match newest.filter(|newest| *newest < Timestamp::now().minus(day)) {
        None => params.clone(),
        Some(newest) => {
            let [since, until] = [newest.minus(day), newest.plus(Duration::from_mins(1))].map(|at| at.to_string());
            params.with(CHART_TIME[0], Some(&since)).with(CHART_TIME[1], Some(&until))
        }
    }
}

/// `GET /traces/histogram`: the numbers of traces that match, over time.
pub(super) async fn histogram(session: Session, params: Params) -> Result<Response, Problem> {
    let period = match (params.time(CHART_TIME[0])?, params.time(CHART_TIME[1])?) {
        (Some(since), Some(until)) if since < until => Period { since, until },
        _ => Period::of(&params)?,
    };
    let counts = session.store().trace_counts(filter::parse(&params)?, period.window(), STEPS).await?;
    if session.wants_json() {
        return Ok(list::json(counts.iter().map(TraceCounts::to_json), None));
    }
    let of_list = params.without(&[PART, CHART_TIME[0], CHART_TIME[1], AFTER]);
    let bars: Vec<_> = counts.iter().map(|counts| bar(counts, &of_list)).collect();
    let chart = html! {
        (chart::histogram("Traces over time by outcome", &bars))
        p.muted { (summary(&counts)) " in " (period.words(&of_list)) }
    };
    if params.get(PART).is_some() {
        return Ok(Html(chart.into_string()).into_response());
    }
    let body = html! { div.title { h1 { "Traces over time" } } (chart) };
    Ok(Page::new("Traces over time", Tab::Traces).script("charts.js").style("chart.css").respond(&session, body))
}

fn bar(counts: &TraceCounts, params: &Params) -> Bar {
    let narrowed =
        params.with("since", Some(&counts.from().to_string())).with("until", Some(&counts.until().to_string()));
    let counted =
        vec![("completed", counts.completed()), ("failed", counts.failed()), ("cancelled", counts.cancelled())];
    Bar { from: counts.from(), until: counts.until(), counts: counted, href: narrowed.href(PATH) }
}

fn summary(counts: &[TraceCounts]) -> String {
    let sum = |count: fn(&TraceCounts) -> u64| counts.iter().map(count).sum::<u64>();
    let (all, failed) = (sum(TraceCounts::total), sum(TraceCounts::failed));
    format!("{} traces, {} failed,", show::count(all), show::count(failed))
}
