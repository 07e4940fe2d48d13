//! Two traces stage by stage, as one merged tree: what took longer, what is new and what is gone.

use std::sync::Arc;

use axum::response::Response;
use maud::{Markup, html};
use ragtrace::StageKind;
use ragtrace_store::{StageDiff, StageRuns, Trace, TraceDiff, TraceTotals};

use super::head::sign;
use super::read::{read, trace_id};
use super::text::name;
use crate::view::layout::{Page, Tab};
use crate::view::list;
use crate::view::params::Params;
use crate::view::problem::Problem;
use crate::view::session::Session;
use crate::view::show;

/// The largest number of stages that are listed.
const LISTED: usize = 2_000;
/// The width of a pair of bars.
const WIDTH: f64 = 220.0;
/// The deepest level that is indented further.
const DEEPEST: usize = 12;

/// Answers with the comparison of the traces `a` and `b`, the older first.
pub(super) async fn page(session: Session, params: Params) -> Result<Response, Problem> {
    let (a, b) = chosen(&params)?;
    let (before, after) = (read(&session, trace_id(a)?).await?, read(&session, trace_id(b)?).await?);
    let diff = before.diff(&after);
    if session.wants_json() {
        return Ok(list::document(diff.to_json()));
    }
    let page = Page::new("Compare", Tab::Traces)
        .style("waterfall.css")
        .style("trace.css")
        .style("compare.css")
        .script("compare.js");
    let page = page.key("d", "Show only what differs").key("e", "Next difference").key("x", "Exchange the two traces");
    Ok(page.respond(&session, body(&before, &after, &diff)))
}

/// Returns the ids of the two traces: `a` and `b`, or two of `trace`, which a list has newest
/// first.
fn chosen(params: &Params) -> Result<(&str, &str), Problem> {
    if let (Some(a), Some(b)) = (params.get("a"), params.get("b")) {
        return Ok((a, b));
    }
    let chosen: Vec<_> = params.iter().filter(|(name, _)| *name == "trace").map(|(_, id)| id).collect();
    match chosen[..] {
        [newer, older] => Ok((older, newer)),
        _ => Err(Problem::bad(format!("two traces are compared, and not {}", chosen.len()))
            .advice("Choose two in the list of traces, or write their ids as in /compare?a=ID&b=ID.")),
    }
}

fn body(before: &Arc<Trace>, after: &Arc<Trace>, diff: &TraceDiff) -> Markup {
    let (a, b) = (before.trace_id(), after.trace_id());
    let longest = diff.stages().iter().flat_map(|stage| [stage.before(), stage.after()]).flatten();
    let longest = longest.filter_map(StageRuns::duration).max().unwrap_or_default().as_secs_f64();
    let changed = diff.stages().iter().filter(|stage| stage.is_changed()).count();
    html! {
        div #compare {
            div.title {
                h1 { "Compare" }
                div.more {
                    a #exchange href={ "/compare?a=" (b) "&b=" (a) } { "Exchange" }
                    a href={ "/compare?a=" (a) "&b=" (b) "&format=json" } { "JSON" }
                }
            }
            (totals(diff.before(), diff.after()))
            @if a == b { p.notice { "This is a trace beside itself." } }
            div.compare-tools {
                button #only-changed type="button" aria-pressed="false" { "Only differences" }
                button #next-change type="button" { "Next difference" }
                span.meta #changed-count { (show::count(changed as u64)) " of " (show::count(diff.stages().len() as u64)) " places differ" }
            }
            div.table tabindex="0" role="region" aria-label="Stages of both traces" {
                table #compare-table {
                    caption.aside-text { "Stages of both traces, each below the stage that it ran in" }
                    thead {
                        tr {
                            th scope="col" { "Stage" }
                            th scope="col" { "Change" }
                            th.number scope="col" { "A" }
                            th.number scope="col" { "B" }
                            th.number scope="col" { "Difference" }
                            th scope="col" { span.aside-text { "Durations as bars" } }
                            th.number scope="col" { "Runs" }
                            th.number scope="col" { "Items" }
                            th.number scope="col" { "Cost" }
                            th scope="col" { "Outcome" }
                        }
                    }
                    tbody { @for stage in diff.stages().iter().take(LISTED) { (row(stage, (a, b), longest)) } }
                }
            }
            @if diff.stages().len() > LISTED {
                p.notice { "The other " (show::count((diff.stages().len() - LISTED) as u64)) " places are in the JSON." }
            }
        }
    }
}

/// Writes both traces' totals side by side.
fn totals(before: &TraceTotals, after: &TraceTotals) -> Markup {
    let one = |side: &str, totals: &TraceTotals| {
        html! {
            section.card.compare-side data-side=(side) aria-label={ "Trace " (side) } {
                h2 { span.side { (side) } " " a href={ "/trace/" (totals.trace_id()) } { code { (totals.trace_id()) } } }
                dl.facts {
                    div { dt { "Outcome" } dd { span class={ "status status-" (totals.status()) } { (sign(totals.status())) " " (totals.status()) } } }
                    div { dt { "Took" } dd { (show::duration(totals.duration())) } }
                    div { dt { "Began" } dd { (show::time(totals.started_at())) } }
                    div { dt { "Spans" } dd { (show::count(totals.spans())) } }
                    @if totals.failed() > 0 { div { dt { "Failed" } dd { (show::count(totals.failed())) } } }
                    @if let Some(cost) = totals.cost_usd() { div { dt { "Cost" } dd { (show::dollars(cost)) } } }
                }
            }
        }
    };
    html! { div.compare-sides { (one("A", before)) (one("B", after)) } }
}

fn row(stage: &StageDiff, (a, b): (ragtrace::TraceId, ragtrace::TraceId), longest: f64) -> Markup {
    let (before, after) = (stage.before(), stage.after());
    let change = change(stage);
    let seconds = |runs: Option<&StageRuns>| runs.and_then(StageRuns::duration).map(|duration| duration.as_secs_f64());
    let took = |id: ragtrace::TraceId, runs: Option<&StageRuns>| {
        html! {
            @match runs {
                Some(runs) => a href={ "/trace/" (id) "#span=" (runs.span_id()) } { (runs.duration().map_or("not ended".to_owned(), show::duration)) },
                None => (show::absent()),
            }
        }
    };
    html! {
        tr.(format!("is-{change}")) data-change=(change) {
            th scope="row" {
                span class={ "indent indent-" (stage.depth().min(DEEPEST)) } {
                    @if let Some(kind) = stage.kind() { span.kind title=(StageKind::as_str(kind)) { (StageKind::as_str(kind)) } " " }
                    (name(stage.stage()))
                    @if stage.depth() > DEEPEST { " " span.meta { "level " (stage.depth() + 1) } }
                }
            }
            td.change { (word(change)) }
            td.number { (took(a, before)) }
            td.number { (took(b, after)) }
            td.number.difference { (difference(seconds(before), seconds(after))) }
            td { (bars(seconds(before), seconds(after), longest)) }
            td.number { (pair(before.map(|runs| show::count(runs.runs())), after.map(|runs| show::count(runs.runs())))) }
            td.number { (pair(count(before), count(after))) }
            td.number { (pair(cost(before), cost(after))) }
            td.outcome { (outcome(before, after)) }
        }
    }
}

fn change(stage: &StageDiff) -> &'static str {
    match (stage.before(), stage.after()) {
        (None, _) => "new",
        (_, None) => "gone",
        _ if stage.is_changed() => "changed",
        _ => "same",
    }
}

/// Returns a change with a sign, so that colour is not all that tells it.
fn word(change: &str) -> &'static str {
    match change {
        "new" => "+ new",
        "gone" => "− gone",
        "changed" => "≠ differs",
        _ => "same",
    }
}

fn count(runs: Option<&StageRuns>) -> Option<String> {
    runs.and_then(StageRuns::count).map(show::count)
}

fn cost(runs: Option<&StageRuns>) -> Option<String> {
    runs.and_then(StageRuns::cost_usd).map(show::dollars)
}

/// Writes both values, or one if they are the same.
fn pair(before: Option<String>, after: Option<String>) -> Markup {
    html! {
        @if before == after { (before.unwrap_or_default()) }
        @else { (before.unwrap_or_else(|| "–".to_owned())) " → " (after.unwrap_or_else(|| "–".to_owned())) }
    }
}

fn difference(before: Option<f64>, after: Option<f64>) -> String {
    let (Some(before), Some(after)) = (before, after) else { return String::new() };
    if before.total_cmp(&after).is_eq() {
        return "±0".to_owned();
    }
    let by = std::time::Duration::from_secs_f64((after - before).abs());
    let sign = if after < before { "−" } else { "+" };
    let share = if before > 0.0 {
        format!(" ({sign}{:.0}%)", ((after - before) / before * 100.0).abs())
    } else {
        String::new()
    };
    format!("{sign}{}{share}", show::duration(by))
}

/// Draws the durations as two bars, one below the other.
fn bars(before: Option<f64>, after: Option<f64>, longest: f64) -> Markup {
    let width = |seconds: Option<f64>| match seconds {
        Some(seconds) if longest > 0.0 => format!("{:.1}", (seconds / longest * WIDTH).clamp(1.0, WIDTH)),
        _ => "0".to_owned(),
    };
    html! {
        svg.pair width=(WIDTH) height="16" aria-hidden="true" {
            rect.bar-before y="1" height="6" rx="1" width=(width(before)) {}
            rect.bar-after y="9" height="6" rx="1" width=(width(after)) {}
        }
    }
}

/// Writes the outcomes if they differ or are not the usual one, and the error of the later trace.
fn outcome(before: Option<&StageRuns>, after: Option<&StageRuns>) -> Markup {
    let status = |runs: &StageRuns| html! { span class={ "status status-" (runs.status()) } { (sign(runs.status())) " " (runs.status()) } };
    let error = after.and_then(StageRuns::error).or_else(|| before.and_then(StageRuns::error));
    html! {
        @match (before, after) {
            (Some(before), Some(after)) if before.status() != after.status() => { (status(before)) " → " (status(after)) },
            (Some(only), _) | (None, Some(only)) => (status(only)),
            (None, None) => {},
        }
        @if let Some(error) = error {
            div.message { (name(error.type_name())) ": " (name(error.message())) }
        }
    }
}
