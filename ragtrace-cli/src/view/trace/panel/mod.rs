//! The panel of one span: everything that was recorded about one run of a stage, as a fragment of
//! HTML that the page fetches when the span is opened.

mod documents;
mod facts;
mod fields;
mod ids;
mod logs;

use std::collections::HashMap;

use maud::{Markup, html};
use ragtrace::{ErrorInfo, SpanId};
use ragtrace_store::{Labels, SpanNode, Trace};

use super::scores;
use super::text::{block, name, stack};
pub(super) use logs::list as log_list;

/// A span, its trace, and what the visitor may do.
pub(super) struct Panel<'a> {
    pub(super) trace: &'a Trace,
    pub(super) span: SpanNode<'a>,
    pub(super) may_write: bool,
}

impl Panel<'_> {
    pub(super) fn markup(&self) -> Markup {
        let (trace, span) = (self.trace, self.span);
        let judged: Vec<_> = span.scores().collect();
        html! {
            (self.head())
            (facts::list(trace, span))
            @if let Some(error) = span.error() { (error_section(error, span.stack_trace())) }
            (fields::contents(span))
            (documents::sections(trace, span))
            (fields::section(span))
            @if !judged.is_empty() || self.may_write {
                section data-part="scores" {
                    h3 { "Scores" }
                    (scores::list(&judged))
                    @if self.may_write { (scores::form(trace.trace_id(), Some(span.span_id()))) }
                }
            }
            (logs::section(trace, span))
            (family(span))
            (ids::section(trace, span))
        }
    }

    fn head(&self) -> Markup {
        let span = self.span;
        let id = span.span_id().to_string();
        html! {
            header.panel-head {
                h2 tabindex="-1" {
                    (name(span.stage()))
                    @if let Some(label) = Labels::of(self.trace).label(span) { " " span.panel-label { (name(&label)) } }
                }
                p.panel-actions {
                    button type="button" data-copy=(id) { "Copy span id" }
                    button type="button" data-copy="" { "Copy link" }
                    @if let Some(parent) = span.parent() { (link(parent.span_id(), "Parent")) }
                }
            }
        }
    }
}

/// Writes an error with its causes, and its stack trace.
fn error_section(error: &ErrorInfo, stack_trace: Option<&str>) -> Markup {
    html! {
        section.error-section data-part="error" {
            h3 { "Error" }
            (error_chain(error, block))
            @if let Some(text) = stack_trace { (stack(text)) }
        }
    }
}

/// Writes an error with its causes, each text with `write`.
pub(super) fn error_chain(error: &ErrorInfo, write: fn(&str) -> Markup) -> Markup {
    html! {
        div.error-chain {
            div.error-message { code { (name(error.type_name())) } ": " (write(error.message())) }
            @if !error.chain().is_empty() {
                ol aria-label="Caused by" {
                    @for cause in error.chain() { li { (write(cause)) } }
                }
            }
        }
    }
}

/// Links to the children, by stage, as a keyboard or a screen reader walks down without the tree.
fn family(span: SpanNode<'_>) -> Markup {
    /// The number of children that are listed.
    const LISTED: usize = 12;
    let children: Vec<_> = span.children().collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for child in &children {
        *counts.entry(child.stage()).or_default() += 1;
    }
    html! {
        @if !children.is_empty() {
            section data-part="inside" {
                h3 { "Inside" }
                ul.inside {
                    @for child in children.iter().take(LISTED) {
                        li { (link(child.span_id(), child.stage())) " " span.meta { (child.status()) } }
                    }
                    @if children.len() > LISTED { li.meta { (children.len() - LISTED) " more, of " (counts.len()) " stages" } }
                }
            }
        }
    }
}

/// Writes a link to another span of the page's trace.
fn link(span: SpanId, text: &str) -> Markup {
    let id = span.to_string();
    html! { a href={ "#span=" (id) } data-span=(id) { (name(text)) } }
}
