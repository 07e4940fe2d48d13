//! The facts about a run that everybody asks for first: outcome, times, counts, tokens, cost.

use std::time::Duration;

use maud::{Markup, html};
use ragtrace::StageKind;
use ragtrace_store::{SpanNode, SpanStatus, Trace};

use crate::view::show;

/// Numbers of a model's call, with their names.
const TOKENS: [(&str, &str); 3] =
    [("input_tokens", "Input tokens"), ("output_tokens", "Output tokens"), ("cached_tokens", "Cached tokens")];

pub(super) fn list(trace: &Trace, span: SpanNode<'_>) -> Markup {
    let took = |duration: Option<Duration>| duration.map(show::duration);
    let facts = [
        ("Status", Some(status(span.status()).to_owned())),
        ("Kind", span.kind().map(|kind| StageKind::as_str(kind).to_owned())),
        ("Took", took(span.duration())),
        ("Self", took(span.self_time())),
        ("Critical", took(span.critical_time())),
        ("Busy", took(span.busy())),
        ("Began", Some(format!("after {}", show::duration(span.started_at().since(trace.started_at()))))),
        ("Items", span.count().map(show::count)),
        ("Cost", span.cost_usd().map(show::dollars)),
    ];
    let tokens = TOKENS.into_iter().map(|(metric, title)| (title, span.record().metric(metric).map(|n| n.to_string())));
    html! {
        dl.panel-facts data-status=(span.status()) {
            @for (title, value) in facts.into_iter().chain(tokens) {
                @if let Some(value) = value { div { dt { (title) } dd { (value) } } }
            }
            div { dt { "At" } dd { (show::time(span.started_at())) } }
        }
        @if span.is_orphan() { p.meta { "The span's parent is not in the store: it was filtered, is gone, or is still on its way." } }
        @if span.has_remote_parent() { p.meta { "The span's parent is of another process, and not in this store." } }
    }
}

/// Returns a status in words that say what they mean.
fn status(status: SpanStatus) -> &'static str {
    match status {
        SpanStatus::Open => "still running",
        SpanStatus::Lost => "lost: its process ended, or stopped reporting",
        other => other.as_str(),
    }
}
