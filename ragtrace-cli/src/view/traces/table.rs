//! The rows of the list of traces.

use std::time::Duration;

use maud::{Markup, html};
use ragtrace::metrics::RunStatus;
use ragtrace_store::TraceSummary;

use super::filter::PATH;
use crate::view::list::{self, AFTER};
use crate::view::params::{Params, encoded};
use crate::view::show;

/// Returns the table. Bars are relative to the longest duration in it.
pub(super) fn table(rows: &[TraceSummary], params: &Params) -> Markup {
    let from = from(params);
    let longest = rows.iter().map(TraceSummary::duration).max().unwrap_or_default();
    html! {
        // Outside of the table, whose rows have its boxes.
        form #compare method="get" action="/compare" {}
        div.table {
            table {
                caption.aside-text { "Finished traces, newest first" }
                thead {
                    tr {
                        th.optional scope="col" { button.compare type="submit" form="compare" title="Compare two chosen traces" { "Compare" } }
                        th scope="col" { "Ended (UTC)" }
                        th scope="col" { "Status" }
                        th scope="col" { "Operation" }
                        th.number scope="col" { "Duration" }
                        th.optional scope="col" { span.aside-text { "Duration as a bar" } }
                        th scope="col" { "User" }
                        th scope="col" { "Tenant" }
                        th.optional scope="col" { "Session" }
                        th.optional scope="col" { "Trace" }
                    }
                }
                tbody { @for row in rows { (line(row, longest, params, &from)) } }
            }
        }
    }
}

/// Returns the query that tells the page of a trace which list its neighbours are of.
fn from(params: &Params) -> String {
    /// The longest query that is passed on, in bytes.
    const LONGEST: usize = 1_000;
    let list = params.without(&[AFTER, "limit", "format"]).href("");
    let list = list.trim_start_matches('?');
    if list.is_empty() || list.len() > LONGEST { String::new() } else { format!("?from={}", encoded(list)) }
}

fn line(row: &TraceSummary, longest: Duration, params: &Params, from: &str) -> Markup {
    let id = row.trace_id().to_string();
    let address = format!("/trace/{id}{from}");
    let value = |name, value: Option<&str>, most| match value {
        Some(value) => list::only(params, PATH, (name, value), most),
        None => show::absent(),
    };
    html! {
        tr {
            td.optional { input type="checkbox" name="trace" value=(id) form="compare" aria-label={ "Choose " (show::short(row.operation(), 80)) " " (id.get(..8).unwrap_or(&id)) " to compare" }; }
            td { (show::time(row.ended_at())) }
            td { (status(row.status())) }
            td.cut { a.row data-row href=(address) { (show::short(row.operation(), 80)) } }
            td.number { (show::duration(row.duration())) }
            td.optional.with-bar { (show::bar(row.duration().as_secs_f64(), longest.as_secs_f64(), row.status().as_str())) }
            td.cut { (value("user", row.user_id(), 40)) }
            td.cut { (value("tenant", row.tenant_id(), 40)) }
            td.optional.cut { (value("session", row.session_id(), 24)) }
            td.optional.mono { a href=(address) tabindex="-1" title=(id) { (id.get(..8).unwrap_or(&id)) "…" (id.get(id.len() - 4..).unwrap_or_default()) } }
        }
    }
}

fn status(status: RunStatus) -> Markup {
    show::status(status.as_str())
}

/// Returns what to do where no trace matches.
pub(super) fn empty(params: &Params) -> Markup {
    let is_filtered = params.iter().next().is_some();
    html! {
        div.empty {
            @if is_filtered {
                strong { "No trace matches" }
                "Remove a filter above, or look at " a href=(PATH) { "all traces" } "."
            } @else {
                strong { "No trace has ended yet" }
                p { "A program that is instrumented with " code { "#[traced_stage]" } " and writes to this store shows its traces here." }
                p { "Stages that still run are on the page " a href="/live" { "Live" } "." }
            }
        }
    }
}
