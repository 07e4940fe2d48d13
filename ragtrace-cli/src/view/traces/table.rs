//! The rows of the list of traces.

use std::time::Duration;

use maud::{Markup, html};
use ragtrace::metrics::RunStatus;
use ragtrace_store::TraceSummary;

use super::PATH;
use crate::view::list;
use crate::view::params::Params;
use crate::view::show;

/// Returns the table. Bars are relative to the longest duration in it.
pub(super) fn table(rows: &[TraceSummary], params: &Params) -> Markup {
    let longest = rows.iter().map(TraceSummary::duration).max().unwrap_or_default();
    html! {
        div.table {
            table {
                caption.aside-text { "Finished traces, newest first" }
                thead {
                    tr {
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
                tbody { @for row in rows { (line(row, longest, params)) } }
            }
        }
    }
}

fn line(row: &TraceSummary, longest: Duration, params: &Params) -> Markup {
    let id = row.trace_id().to_string();
    let value = |name, value: Option<&str>, most| match value {
        Some(value) => list::only(params, PATH, (name, value), most),
        None => show::absent(),
    };
    html! {
        tr {
            td { (show::time(row.ended_at())) }
            td { (status(row.status())) }
            td.cut { a.row data-row href={ "/trace/" (id) } { (show::short(row.operation(), 80)) } }
            td.number { (show::duration(row.duration())) }
            td.optional.with-bar { (show::bar(row.duration().as_secs_f64(), longest.as_secs_f64(), row.status().as_str())) }
            td.cut { (value("user", row.user_id(), 40)) }
            td.cut { (value("tenant", row.tenant_id(), 40)) }
            td.optional.cut { (value("session", row.session_id(), 24)) }
            td.optional.mono { a href={ "/trace/" (id) } tabindex="-1" title=(id) { (id.get(..8).unwrap_or(&id)) "…" (id.get(id.len() - 4..).unwrap_or_default()) } }
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
