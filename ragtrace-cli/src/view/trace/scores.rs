//! Scores of a trace and of its spans, and the form that gives one.

use maud::{Markup, html};
use ragtrace::{SpanId, TraceId};
use ragtrace_store::ScoreRow;

use super::columns::score_text;
use super::text::{block, name};
use crate::view::show;

/// Writes scores, oldest first.
pub(super) fn list(scores: &[&ScoreRow]) -> Markup {
    html! {
        ul.scores hidden[scores.is_empty()] {
            @for score in scores {
                li {
                    span.score-value { "★ " (name(&score_text(score))) }
                    @if let Some(by) = score.by() { " " span.meta { "by " (name(by)) } }
                    " " span.meta { (show::time(score.timestamp())) }
                    @if let Some(comment) = score.comment() { div.comment { (block(comment)) } }
                }
            }
        }
    }
}

/// Writes the form that gives a score to a trace, or to one of its spans.
///
/// A script sends it as JSON to `/api/scores`, with the page's token in the header `x-csrf-token`:
/// `{trace_id, span_id?, name, value, comment?}`, where `value` is a number, a boolean or a text.
pub(super) fn form(trace: TraceId, span: Option<SpanId>) -> Markup {
    let prefix = span.map_or_else(|| "trace".to_owned(), |span| span.to_string());
    let id = |part: &str| format!("score-{part}-{prefix}");
    html! {
        details.give-score {
            summary { "Give a score" }
            form.score-form data-trace=(trace) data-span=[span] {
                p {
                    label for=(id("name")) { "Name" }
                    input id=(id("name")) name="name" type="text" required maxlength="128" placeholder="helpful" autocomplete="off";
                }
                p {
                    label for=(id("type")) { "Type" }
                    select id=(id("type")) name="type" {
                        option value="flag" { "Yes or no" }
                        option value="number" { "Number" }
                        option value="label" { "Label" }
                    }
                }
                p data-type="flag" {
                    label for=(id("flag")) { "Value" }
                    select id=(id("flag")) name="flag" { option { "yes" } option { "no" } }
                }
                p data-type="number" hidden {
                    label for=(id("number")) { "Value" }
                    input id=(id("number")) name="number" type="number" step="any" required disabled;
                }
                p data-type="label" hidden {
                    label for=(id("label")) { "Value" }
                    input id=(id("label")) name="label" type="text" required maxlength="256" disabled;
                }
                p.wide {
                    label for=(id("comment")) { "Comment (optional)" }
                    input id=(id("comment")) name="comment" type="text" maxlength="4000";
                }
                p.wide { button type="submit" { "Give score" } " " span.score-state role="status" {} }
            }
        }
    }
}
