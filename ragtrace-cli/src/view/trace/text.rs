//! Recorded text, for a page. Text is escaped by type; what is left to do is to show the characters
//! that hide or reorder others, and to fold what is long.

use std::borrow::Cow;

use maud::{Markup, html};
use ragtrace_store::printable;

use crate::view::show;

/// The longest name, in characters.
const NAME: usize = 300;
/// The longest text that is shown unfolded, in characters and in lines.
const UNFOLDED: (usize, usize) = (1_500, 30);
/// The part of a folded text that is shown, in characters and in lines.
const BEGINNING: (usize, usize) = (600, 12);
/// The longest text that a page contains, in bytes. The trace's JSON has it whole.
const WHOLE: usize = 256 << 10;

/// Writes a name on one line, which keeps its writing direction to itself.
pub(crate) fn name(text: &str) -> Markup {
    let cut = start(text, NAME, usize::MAX);
    html! { bdi { (printable(cut)) @if cut.len() < text.len() { "…" } } }
}

/// Writes a text of any length. A long one is folded after some lines.
pub(crate) fn block(text: &str) -> Markup {
    let shown = start(text, UNFOLDED.0, UNFOLDED.1);
    if shown.len() == text.len() {
        return html! { span.text dir="auto" { (visible(text)) } };
    }
    let beginning = start(text, BEGINNING.0, BEGINNING.1);
    let whole = whole(text);
    html! {
        span.text dir="auto" { (visible(beginning)) "…" }
        details.folded {
            summary { "Show all " (show::count(text.chars().count() as u64)) " characters" }
            div.text dir="auto" tabindex="0" { (visible(whole)) }
            @if whole.len() < text.len() { p.meta { "The rest is in the trace's JSON." } }
        }
    }
}

/// Writes the beginning of a text.
pub(crate) fn beginning(text: &str) -> Markup {
    let shown = start(text, BEGINNING.0, BEGINNING.1);
    html! { span.text dir="auto" { (visible(shown)) @if shown.len() < text.len() { "…" } } }
}

/// Writes preformatted text, such as JSON.
pub(crate) fn code(text: &str) -> Markup {
    let shown = start(text, 2 * UNFOLDED.0, 2 * UNFOLDED.1);
    let whole = whole(text);
    html! {
        @if shown.len() == text.len() { pre.code { (visible(text)) } }
        @else {
            pre.code { (visible(shown)) "…" }
            details.folded {
                summary { "Show all " (show::count(text.chars().count() as u64)) " characters" }
                pre.code tabindex="0" { (visible(whole)) }
                @if whole.len() < text.len() { p.meta { "The rest is in the trace's JSON." } }
            }
        }
    }
}

/// Writes a stack trace, folded.
pub(crate) fn stack(text: &str) -> Markup {
    html! {
        details.folded.stack {
            summary { "Stack trace" }
            pre.code tabindex="0" { (visible(whole(text))) }
        }
    }
}

/// Returns the start of a text: at most this many characters and lines.
fn start(text: &str, characters: usize, lines: usize) -> &str {
    let end = text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at);
    let text = &text[..end];
    let line = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').nth(lines.saturating_sub(1));
    line.map_or(text, |(at, _)| &text[..at])
}

fn whole(text: &str) -> &str {
    &text[..text.floor_char_boundary(WHOLE)]
}

/// Returns a text with its lines and tabs, and other characters that control or hide written out.
fn visible(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| (b.is_ascii() && !b.is_ascii_control()) || matches!(b, b'\n' | b'\t')) {
        return Cow::Borrowed(text);
    }
    let lines = text.split('\n').map(|line| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        line.split('\t').map(printable).collect::<Vec<_>>().join("\t")
    });
    Cow::Owned(lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_tabs_stay_and_hidden_characters_are_seen() {
        assert_eq!(visible("a\n\tb\r\nc"), "a\n\tb\nc");
        assert_eq!(visible("fdp\u{202e}exe.\u{200b}\u{1b}[31m"), "fdp\\u{202e}exe.\\u{200b}\\u{1b}[31m");
    }

    #[test]
    fn a_start_ends_between_characters() {
        assert_eq!(start("äöü", 2, 9), "äö");
        assert_eq!(start("a\nb\nc", 99, 2), "a\nb");
        assert_eq!(start("a\nb", 99, 2), "a\nb");
    }

    #[test]
    fn a_long_text_is_folded_and_escaped() {
        let written = block(&"<script>".repeat(300)).into_string();
        assert!(written.contains("Show all 2,400 characters") && !written.contains("<script"), "{written}");
    }
}
