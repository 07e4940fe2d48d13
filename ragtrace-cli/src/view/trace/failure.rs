//! The reason why a trace failed, told before everything else.

use std::collections::HashSet;

use maud::{Markup, html};
use ragtrace::ErrorInfo;
use ragtrace_store::{SpanNode, SpanStatus, Trace};

use super::panel::error_chain;
use super::text::{beginning, name};

/// The number of different errors that are told.
const TOLD: usize = 3;

pub(super) fn section(trace: &Trace) -> Markup {
    let mut failures: Vec<SpanNode<'_>> = trace.spans().filter(|span| is_origin(*span)).collect();
    let mut seen = HashSet::new();
    let key =
        |span: &SpanNode<'_>| span.error().map(|error| (error.type_name().to_owned(), error.message().to_owned()));
    // The deepest come first: they are causes. Of those with the same error, the others have passed
    // it on.
    failures.sort_by_key(|span| std::cmp::Reverse(span.depth()));
    let different: Vec<_> = failures.iter().filter(|span| seen.insert(key(span))).collect();
    html! {
        @if !failures.is_empty() {
            section.card.failure aria-label="Errors" {
                @for span in different.iter().take(TOLD) {
                    @if let Some(error) = span.error() {
                        p.failure-place {
                            "✗ " a href={ "#span=" (span.span_id()) } { (name(span.stage())) } " failed"
                            @let above = chain(**span);
                            @if !above.is_empty() { span.meta { " in " (name(&above)) } }
                        }
                        (error_chain(error, beginning))
                    }
                }
                @if different.len() > TOLD { p.meta { (different.len() - TOLD) " more errors: press e to go through them." } }
            }
        }
    }
}

/// Returns `true` if the span failed, and not only because a span inside it did.
fn is_origin(span: SpanNode<'_>) -> bool {
    let message = span.error().map(ErrorInfo::message);
    span.status() == SpanStatus::Failed
        && !span
            .children()
            .any(|child| child.status() == SpanStatus::Failed && child.error().map(ErrorInfo::message) == message)
}

/// Returns the stages around a span, the outermost first.
fn chain(span: SpanNode<'_>) -> String {
    /// The number of stages that are named.
    const NAMED: usize = 6;
    let above: Vec<_> =
        std::iter::successors(span.parent(), |span| span.parent()).map(SpanNode::stage).take(NAMED).collect();
    above.into_iter().rev().collect::<Vec<_>>().join(" › ")
}
