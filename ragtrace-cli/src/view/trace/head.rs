//! The head of the page of a trace: what it was, how it went, whose it is, and where to go on.

use maud::{Markup, html};
use ragtrace_store::{SpanNode, SpanStatus, Trace, printable};

use super::text::name;
use crate::view::params::encoded;
use crate::view::show;

pub(super) fn header(trace: &Trace, list: Option<&str>) -> Markup {
    let id = trace.trace_id().to_string();
    let status = trace.status();
    let root = trace.roots().next();
    html! {
        header.trace-head data-status=(status) {
            div.trace-title {
                h1 {
                    span.status-sign aria-hidden="true" { (sign(status)) }
                    " " (name(root.map_or("Trace", |root| root.stage())))
                }
                p.trace-outcome { span.outcome { (outcome(trace)) } code { (id) } button.copy type="button" data-copy=(id) aria-label="Copy the trace's id" { "Copy" } }
            }
            nav.trace-links aria-label="Trace" {
                a href=(list.map_or_else(|| "/".to_owned(), |query| format!("/?{query}"))) { "List" }
                a #trace-newer aria-disabled="true" { "‹ Newer" kbd { "[" } }
                a #trace-older aria-disabled="true" { "Older ›" kbd { "]" } }
                a #compare-previous aria-disabled="true" { "Compare with the run before" }
                a href={ "/trace/" (id) ".json" } download { "JSON" }
                button type="button" data-copy="" { "Copy link" }
            }
        }
        dl.facts {
            @for (title, value) in facts(trace) { div { dt { (title) } dd { (value) } } }
        }
    }
}

fn facts(trace: &Trace) -> Vec<(&'static str, Markup)> {
    let text = |value: String| html! { (value) };
    let filter = |parameter: &str, value: &str| {
        html! { a href={ "/?" (parameter) "=" (encoded(value)) } title="List the traces that have it" { (name(value)) } }
    };
    let errors = trace.spans().filter(|span| span.status() == SpanStatus::Failed).count();
    let cost: f64 = trace.spans().filter_map(SpanNode::cost_usd).sum();
    let facts = [
        ("Took", Some(text(show::duration(trace.duration())))),
        ("Began", Some(show::time(trace.started_at()))),
        ("Spans", Some(text(show::count(trace.spans().len() as u64)))),
        ("Failed", (errors > 0).then(|| text(show::count(errors as u64)))),
        ("Cost", (cost > 0.0).then(|| text(show::dollars(cost)))),
        ("User", trace.user_id().map(|id| filter("user", id))),
        ("Tenant", trace.tenant_id().map(|id| filter("tenant", id))),
        ("Session", trace.session_id().map(|id| filter("session", id))),
        ("Request", trace.request_id().map(name)),
        ("Type", trace.request_type().map(name)),
        ("Service", trace.service().map(name)),
    ];
    facts.into_iter().filter_map(|(title, value)| Some((title, value?))).collect()
}

fn outcome(trace: &Trace) -> String {
    match trace.status() {
        SpanStatus::Open => format!("still running, for {}", show::duration(trace.duration())),
        status => format!("{} in {}", printable(status.as_str()), show::duration(trace.duration())),
    }
}

/// Returns the sign of a status, so that colour is not all that tells it.
pub(super) fn sign(status: SpanStatus) -> &'static str {
    match status {
        SpanStatus::Completed => "✓",
        SpanStatus::Failed => "✗",
        SpanStatus::Cancelled => "⊘",
        SpanStatus::Open => "◌",
        _ => "?",
    }
}
