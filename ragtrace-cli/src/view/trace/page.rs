//! The page of a trace. What its scripts draw into is here; `assets/trace.js` puts it together.

use axum::response::Response;
use maud::{Markup, PreEscaped, html};
use ragtrace::Event;
use ragtrace_store::{LogRow, SpanNode, Trace};

use super::columns::Columns;
use super::{failure, head, panel, scores, tools};
use crate::view::layout::{Page, Tab};
use crate::view::params::Params;
use crate::view::session::Session;
use crate::view::show;

/// The keys of the page, for its help.
const KEYS: [(&str, &str); 13] = [
    ("↑ ↓", "Previous and next span"),
    ("← →", "Close and open the span, or go up and down"),
    ("Home End", "First and last span"),
    ("Enter", "Open the span's panel"),
    ("+ -", "Open and close one level"),
    ("*", "Open all levels"),
    ("n N", "Next and previous match"),
    ("e E", "Next and previous error"),
    ("c C", "Along the critical path, and back"),
    ("z", "Zoom to the span"),
    ("0", "Show the whole time"),
    ("[ ]", "Newer and older trace of the list"),
    ("Esc", "Close the panel"),
];

pub(super) fn respond(session: &Session, params: &Params, trace: &Trace) -> Response {
    let title = trace.roots().next().map_or("Trace", |root| root.stage());
    let page =
        Page::new(show::short(title, 80), Tab::Traces).style("waterfall.css").style("trace.css").script("trace.js");
    let page = KEYS.into_iter().fold(page, |page, (key, does)| page.key(key, does));
    page.respond(session, body(session, params.get("from"), trace))
}

fn body(session: &Session, list: Option<&str>, trace: &Trace) -> Markup {
    let columns = Columns::of(trace);
    html! {
        div #trace data-trace=(trace.trace_id()) data-status=(trace.status()) data-version=(columns.version())
            data-from=[list] {
            (head::header(trace, list))
            p.aside-text #trace-announcements role="status" {}
            @if trace.is_truncated() {
                p.notice { "The trace has more than 100,000 records: only the first are read, and spans may be missing or lack their ends." }
            }
            p.notice #still-running data-state="following" hidden[trace.status().as_str() != "open"] {
                "Still running: the page follows it. Bars without an end grow until theirs is recorded."
            }
            p.notice #has-ended hidden { "The trace has ended: " span data-outcome {} ". " a href="" { "Reload" } " for the facts above." }
            (failure::section(trace))
            div.trace-columns {
                div.trace-main {
                    @if trace.spans().len() > 0 { (tools::waterfall()) (data(&columns)) }
                    @else { p.notice { "The trace has log records, and no stage of it is in the store." } }
                    (judgements(session, trace))
                    @if trace.spans().len() > 0 {
                        section.card aria-labelledby="stages-title" {
                            h2 #stages-title { "Stages" }
                            div.table-box tabindex="0" role="region" aria-label="Totals by stage" { table #stage-table {} }
                        }
                    }
                    (logs(trace))
                }
                section #panel aria-label="Span" hidden {
                    div.panel-bar {
                        button #panel-further type="button" { "Wider" }
                        button #panel-close type="button" { "Close" kbd { "Esc" } }
                    }
                    div #panel-body tabindex="-1" {}
                }
            }
        }
    }
}

/// Writes the columns for the page's script. Nothing in it can end the element, or begin another.
fn data(columns: &Columns<'_>) -> Markup {
    let json = serde_json::to_string(columns).unwrap_or_default().replace('<', "\\u003c");
    html! { script #trace-data type="application/json" { (PreEscaped(json)) } }
}

/// Writes the scores of the trace as a whole, and of spans that are not in the store.
fn judgements(session: &Session, trace: &Trace) -> Markup {
    let known: std::collections::HashSet<_> = trace.spans().map(SpanNode::span_id).collect();
    let loose = trace.scores().iter().filter(|score| score.span_id().is_none_or(|id| !known.contains(&id)));
    let judged: Vec<_> = loose.collect();
    html! {
        @if !judged.is_empty() || session.may_write() {
            section.card aria-labelledby="scores-title" {
                h2 #scores-title { "Scores" }
                (scores::list(&judged))
                @if session.may_write() { (scores::form(trace.trace_id(), None)) }
            }
        }
    }
}

/// Writes the log lines of the trace; those of one span are in its panel.
fn logs(trace: &Trace) -> Markup {
    let lines: Vec<&LogRow> = trace.logs().iter().filter(|row| row.event() == Event::Log).collect();
    html! {
        @if !lines.is_empty() {
            section.card aria-labelledby="logs-title" {
                h2 #logs-title { "Logs" }
                (panel::log_list(&lines, trace.started_at()))
            }
        }
    }
}
