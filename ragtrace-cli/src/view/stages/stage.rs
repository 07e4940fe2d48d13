//! The page of one stage: its durations over time, who runs it, and its newest failures.

use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use ragtrace::Timestamp;
use ragtrace_store::{CatalogStage, GroupBy, StagePoint, StageStats};

use super::{cells, failures};
use crate::view::chart::{self, Bar, Line};
use crate::view::layout::{Page, Tab};
use crate::view::list::{self, AFTER};
use crate::view::params::{Params, encoded};
use crate::view::period::{self, Period};
use crate::view::problem::Problem;
use crate::view::session::Session;
use crate::view::show;
use crate::view::source;

/// The number of steps of the charts.
const STEPS: u32 = 60;

pub(super) async fn page(session: Session, Path(name): Path<String>, params: Params) -> Result<Response, Problem> {
    let name = name.strip_suffix(".json").unwrap_or(&name);
    let (period, store) = (Period::of(&params)?, session.store());
    let (window, step) = (period.window(), period.step(STEPS));
    if session.wants_json() {
        let series = store.stage_series(window, step).await?;
        let own = series.iter().filter(|point| point.stats().stage() == name);
        return Ok(list::json(own.map(StagePoint::to_json), None));
    }
    let (stats, before, series, catalog) = tokio::try_join!(
        store.stage_stats(window),
        store.stage_stats(period.before().window()),
        store.stage_series(window, step),
        store.stages(),
    )?;
    let (versions, tenants) = tokio::try_join!(
        store.stage_stats_by(window, GroupBy::Version),
        store.stage_stats_by(window, GroupBy::Tenant)
    )?;
    let failed = failures::newest(store, name, period).await?;
    let own =
        |stats: Vec<StageStats>| -> Vec<StageStats> { stats.into_iter().filter(|one| one.stage() == name).collect() };
    let (stats, before) = (own(stats).pop(), own(before).pop());
    let declared: Vec<_> = catalog.iter().filter(|stage| stage.name() == name).collect();
    let points: Vec<_> = series.into_iter().filter(|point| point.stats().stage() == name).collect();
    if stats.is_none() && declared.is_empty() && failed.is_empty() {
        return Err(Problem::not_found(format!(
            "no stage `{}` is declared, and none ended in this time",
            show::short(name, 80)
        )));
    }
    let path = format!("/stages/{}", encoded(name));
    let body = html! {
        div.title {
            h1 { (show::short(name, 200)) }
            span.muted { "in " (period.words(&params)) }
            div.more { a href=(traces(name, &params)) { "Its traces" } (period::chooser(&params, &path)) }
        }
        (declarations(&session, &declared))
        @match &stats {
            Some(stats) => { (summary(stats, before.as_ref())) (charts(&points, (period, step), &path)) }
            None => div.empty { strong { "It did not end in " (period.words(&params)) } "Choose a longer time above." }
        }
        (groups("By version of the service", &own(versions)))
        (groups("By tenant", &own(tenants)))
        (failures::table(&failed, name, &params))
    };
    Ok(Page::new(show::short(name, 80), Tab::Stages)
        .script("charts.js")
        .style("chart.css")
        .style("stage.css")
        .respond(&session, body))
}

/// Returns the address of the traces in which the stage ran.
fn traces(name: &str, params: &Params) -> String {
    let mut filter = Params::default().with("ran", Some(name));
    for time in ["since", "until"] {
        filter = filter.with(time, params.get(time));
    }
    filter.href("/")
}

fn declarations(session: &Session, declared: &[&CatalogStage]) -> Markup {
    html! {
        @for stage in declared {
            p.declared {
                span { "kind " b { (show::short(stage.kind(), 40)) } }
                span { "level " b { (show::short(stage.level(), 40)) } }
                @if let Some(service) = stage.service() { span { "service " b { (show::short(service, 80)) } } }
                span { "declared at " (source::link(session, stage.file(), stage.line())) }
                span.muted { "last seen " (show::time(stage.last_seen_at())) }
            }
        }
    }
}

fn summary(stats: &StageStats, before: Option<&StageStats>) -> Markup {
    html! {
        dl.figures {
            div { dt { "Runs" } dd { (show::count(stats.runs())) } }
            div { dt { "Errors" } dd { (cells::errors(stats)) } }
            div { dt { "Cancelled" } dd { @if stats.cancelled() > 0 { (show::percent(stats.cancel_rate())) } @else { (show::absent()) } } }
            div { dt { "p50" } dd { (cells::quantile(stats, 0.5)) } }
            div { dt { "p95" } dd { (cells::quantile(stats, 0.95)) } }
            div { dt { "p99" } dd { (cells::quantile(stats, 0.99)) } }
            div { dt { "Trend of p95" } dd { (cells::trend(stats, before)) } }
            div { dt { "Items" } dd { (show::count(stats.items())) } }
            div { dt { "Items/s" } dd { @match stats.items_per_second() { Some(rate) => (show::number(rate)), None => (show::absent()) } } }
            div { dt { "Cost" } dd { (show::dollars(stats.cost_usd())) } }
        }
    }
}

fn charts(points: &[StagePoint], (period, step): (Period, std::time::Duration), path: &str) -> Markup {
    let steps = period.steps(step);
    let at = |from: &Timestamp| points.iter().find(|point| point.from() == *from).map(StagePoint::stats);
    let line = |name, q| Line { name, class: name, values: steps.iter().map(|from| at(from)?.quantile(q)).collect() };
    let bars: Vec<Bar> = steps
        .iter()
        .map(|from| {
            let (until, stats) = (from.plus(step), at(from));
            let count = |count: fn(&StageStats) -> u64| stats.map_or(0, count);
            let counts = vec![
                ("completed", count(StageStats::completed)),
                ("failed", count(StageStats::failed)),
                ("cancelled", count(StageStats::cancelled)),
            ];
            let params =
                Params::default().with("since", Some(&from.to_string())).with("until", Some(&until.to_string()));
            Bar { from: *from, until, counts, href: params.without(&[AFTER]).href(path) }
        })
        .collect();
    html! {
        h2 { "Durations over time" }
        (chart::lines("Percentiles of the duration over time", (&steps, period.until), &[line("p50", 0.5), line("p95", 0.95), line("p99", 0.99)]))
        h2 { "Runs over time" }
        (chart::histogram("Runs over time by outcome", &bars))
    }
}

/// The largest number of groups that are shown.
const GROUPS: usize = 50;

fn groups(title: &str, stats: &[StageStats]) -> Markup {
    if stats.is_empty() {
        return html! {};
    }
    let mut stats: Vec<&StageStats> = stats.iter().collect();
    stats.sort_by_key(|one| std::cmp::Reverse(one.runs()));
    html! {
        h2 { (title) }
        div.table tabindex="0" role="region" aria-label=(title) {
            table {
                thead {
                    tr {
                        th scope="col" { (title.trim_start_matches("By ")) } th.number scope="col" { "Runs" } th.number scope="col" { "Errors" }
                        th.number scope="col" { "p50" } th.number scope="col" { "p95" } th.number scope="col" { "p99" } th.number scope="col" { "Cost" }
                    }
                }
                tbody {
                    @for one in stats.iter().take(GROUPS) {
                        tr {
                            td { @match one.group() { Some(group) if !group.is_empty() => (show::text(group, 80)), _ => span.muted { "none" } } }
                            td.number { (show::count(one.runs())) }
                            td.number { (cells::errors(one)) }
                            td.number { (cells::quantile(one, 0.5)) }
                            td.number { (cells::quantile(one, 0.95)) }
                            td.number { (cells::quantile(one, 0.99)) }
                            td.number { @if one.cost_usd() > 0.0 { (show::dollars(one.cost_usd())) } @else { (show::absent()) } }
                        }
                    }
                }
            }
        }
        @if stats.len() > GROUPS { p.muted { "and " (show::count((stats.len() - GROUPS) as u64)) " more" } }
    }
}
