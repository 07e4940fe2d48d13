//! The items that a span worked on and made: for a retriever, the documents with their scores, and
//! which of them an answer was made of.

use std::collections::HashSet;

use maud::{Markup, html};
use ragtrace::{RecordItem, StageKind};
use ragtrace_store::{SpanNode, Trace};

use crate::view::trace::text::{block, name};

/// The largest number of items in a list.
const LISTED: usize = 200;

type Key<'a> = (&'a str, &'a str);

pub(super) fn sections(trace: &Trace, span: SpanNode<'_>) -> Markup {
    let (used, generated) = (span.record().used(), span.record().generated());
    let finds = matches!(span.kind(), Some(StageKind::Retrieve | StageKind::Rerank));
    html! {
        @if !generated.is_empty() {
            @let heading = if finds { "Found" } else { "Made" };
            section.documents data-part=(heading.to_lowercase()) {
                h3 { (heading) " " span.meta { (generated.len()) } }
                (table(generated, &used_elsewhere(trace, span)))
            }
        }
        @if !used.is_empty() {
            section.documents data-part="used" {
                h3 { "Used" " " span.meta { (used.len()) } }
                (table(used, &HashSet::new()))
            }
        }
    }
}

/// Returns the items that other spans of the trace used.
fn used_elsewhere<'a>(trace: &'a Trace, span: SpanNode<'_>) -> HashSet<Key<'a>> {
    let others = trace.spans().filter(|other| other.span_id() != span.span_id());
    others.flat_map(|other| other.record().used()).map(|item| (item.item_type(), item.id())).collect()
}

fn table(items: &[RecordItem], used: &HashSet<Key<'_>>) -> Markup {
    let best = items.iter().filter_map(RecordItem::score).fold(0.0_f64, |best, score| best.max(score.abs()));
    html! {
        ol.items {
            @for item in items.iter().take(LISTED) {
                li {
                    div.item-head {
                        span.item-type { (name(item.item_type())) }
                        code.item-id { (name(item.id())) }
                        @if used.contains(&(item.item_type(), item.id())) { span.item-used { "✓ used" } }
                        @if let Some(score) = item.score() { (meter(score, best)) }
                    }
                    @if let Some(source) = item.source() { p.item-source { (name(source)) } }
                    @if let Some(parent) = item.derived_from() { p.meta { "from " code { (name(parent)) } } }
                    @if let Some(content) = item.content() { blockquote { (block(content)) } }
                }
            }
        }
        @if items.len() > LISTED { p.meta { (items.len() - LISTED) " more are in the trace's JSON." } }
    }
}

/// Writes a score with a bar, beside the best of its list.
fn meter(score: f64, best: f64) -> Markup {
    const WIDTH: f64 = 48.0;
    let length = if best > 0.0 { (score.abs() / best * WIDTH).clamp(0.0, WIDTH) } else { 0.0 };
    html! {
        span.item-score {
            svg width=(WIDTH) height="6" aria-hidden="true" {
                rect.meter-ground width=(WIDTH) height="6" rx="3" {}
                rect.meter-bar width=(format!("{length:.1}")) height="6" rx="3" {}
            }
            " " (format!("{score:.3}"))
        }
    }
}
