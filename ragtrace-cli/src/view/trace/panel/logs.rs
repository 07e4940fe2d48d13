//! The log lines that were written inside a span.

use maud::{Markup, html};
use ragtrace::{Event, Timestamp};
use ragtrace_store::{LogRow, SpanNode, Trace};

use crate::view::show;
use crate::view::trace::text::{block, name};

/// The largest number of lines.
const LISTED: usize = 500;

pub(super) fn section(trace: &Trace, span: SpanNode<'_>) -> Markup {
    let is_own = |row: &&LogRow| row.event() == Event::Log && row.span_id() == Some(span.span_id());
    let lines: Vec<_> = trace.logs().iter().filter(is_own).collect();
    html! {
        @if !lines.is_empty() {
            section data-part="logs" {
                h3 { "Logs" }
                (list(&lines, span.started_at()))
            }
        }
    }
}

/// Writes log lines in order, each with its time since `begin`.
pub(in crate::view::trace) fn list(lines: &[&LogRow], begin: Timestamp) -> Markup {
    html! {
        ol.logs {
            @for row in lines.iter().take(LISTED) {
                li data-level=(row.level()) {
                    span.log-time { "+" (show::duration(row.timestamp().since(begin))) }
                    span.log-level { (row.level()) }
                    div.log-text {
                        (block(&row.message()))
                        @for (field, value) in row.context().chain(row.metrics()) {
                            " " span.log-field { (name(field)) "=" (name(&value.to_string())) }
                        }
                        @if let Some(error) = row.error() {
                            div.error-message { (name(error.type_name())) ": " (block(error.message())) }
                        }
                    }
                }
            }
        }
        @if lines.len() > LISTED { p.meta { (lines.len() - LISTED) " more: " code { "ragtrace logs --trace ID" } } }
    }
}
