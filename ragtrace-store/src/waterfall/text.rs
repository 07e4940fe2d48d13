//! Escapes text for a terminal, and cuts it to a width.
//!
//! Widths are in terminal columns (Unicode Standard Annex 11). Text is cut only between grapheme
//! clusters (Unicode Standard Annex 29), so an emoji of several code points, or a letter with its
//! marks, is kept whole or left out.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The largest number of bytes of a text whose width is measured as a whole.
const MEASURED: usize = 4_096;
/// The largest number of marks that a letter may carry (Unicode Standard Annex 15, Stream-Safe Text
/// Format). More would be drawn over the lines above and below.
const MARKS: usize = 30;

/// Escapes characters that could control a terminal, or hide text.
///
/// These are control characters, marks that change the direction of writing (Unicode Standard Annex
/// 9, section 2), characters without any shape, and marks from the 31st on above or below one
/// letter. Joiners and variation selectors stay where they are part of a letter or an emoji.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_control()) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    let mut before = None;
    let mut marks = 0;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        marks = if UnicodeWidthChar::width(c) == Some(0) { marks + 1 } else { 0 };
        if marks <= MARKS && is_shown(c, before, rest.as_str().chars().next()) {
            shown.push(c);
            before = Some(c);
        } else {
            shown.extend(c.escape_default());
            before = None;
        }
    }
    if shown == text { Cow::Borrowed(text) } else { Cow::Owned(shown) }
}

/// Returns `true` if a character can be shown as it is between its two neighbours.
fn is_shown(c: char, before: Option<char>, after: Option<char>) -> bool {
    let is_foreign = |c: char| !c.is_ascii();
    let is_joiner = |c: char| matches!(c, '\u{200c}' | '\u{200d}');
    let is_selector = |c: char| matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    let is_tag = |c: char| matches!(c, '\u{e0020}'..='\u{e007f}');
    let is_letter =
        |c: char| is_foreign(c) && !(is_joiner(c) || is_selector(c) || is_tag(c) || c.is_control() || is_format(c));
    match c {
        // ZERO WIDTH NON-JOINER and JOINER, as in Persian, in Indic scripts and in emoji. They join
        // letters that are shown; before an escaped one there is nothing to join.
        _ if is_joiner(c) => before.is_some_and(is_foreign) && after.is_some_and(is_letter),
        _ if is_selector(c) => {
            before.is_some_and(|c| !is_selector(c) && (!c.is_ascii() || c.is_ascii_digit() || matches!(c, '#' | '*')))
        }
        // Tags spell a region after a black flag, such as Scotland's.
        _ if is_tag(c) => before.is_some_and(|c| c == '\u{1f3f4}' || is_tag(c)),
        _ => !(c.is_control() || is_format(c)),
    }
}

/// Returns `true` for invisible characters of the general categories Cf, Zl and Zp, and for fillers
/// and other characters that are ignored if they cannot be shown.
fn is_format(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Returns the number of terminal columns that a text takes, as Unicode recommends. Terminals
/// differ for a few scripts.
pub fn display_width(text: &str) -> usize {
    text.width()
}

/// Returns the text, cut to at most `columns` terminal columns, with an ellipsis in the last one if
/// something was cut. A letter with its marks, or an emoji, is never split.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    // A very long text is measured only as far as it fits.
    let is_long = text.len() > MEASURED;
    if !is_long && display_width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let (mut used, mut end) = (0, 0);
    for (at, cluster) in text.grapheme_indices(true) {
        used += display_width(cluster);
        if used >= columns && (used > columns || !is_long) {
            break;
        }
        if used < columns {
            end = at + cluster.len();
        }
    }
    match columns {
        0 => Cow::Borrowed(""),
        _ if is_long && used <= columns => Cow::Borrowed(text),
        _ => Cow::Owned(format!("{}…", &text[..end])),
    }
}

/// Returns the text in lines of at most `columns` terminal columns, at least two. A line ends at a
/// blank if there is one in its second half, and never within a letter or an emoji.
pub fn wrap(text: &str, columns: usize) -> Vec<&str> {
    let columns = columns.max(2);
    let mut lines = Vec::new();
    // Where the line began, how wide it is, and the last blank in its second half with its end.
    let (mut begin, mut used, mut blank) = (0, 0, None);
    for (at, cluster) in text.grapheme_indices(true) {
        let width = display_width(cluster);
        if used + width > columns && cluster == " " {
            lines.push(&text[begin..at]);
            (begin, used, blank) = (at + 1, 0, None);
            continue;
        }
        if used + width > columns {
            let (end, next) = blank.take().unwrap_or((at, at));
            lines.push(&text[begin..end]);
            (begin, used) = (next, display_width(&text[next..at]));
        }
        used += width;
        if cluster == " " && used > columns / 2 {
            blank = Some((at, at + 1));
        }
    }
    lines.push(&text[begin..]);
    lines
}

/// Returns the text, with its beginning cut off behind an ellipsis if it is too long, since the end
/// of a path or a URL tells more.
pub(super) fn fit_end(text: &str, columns: usize) -> Cow<'_, str> {
    if display_width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let clusters = text.grapheme_indices(true).rev();
    let begins = clusters.scan(0, |used, (at, cluster)| {
        *used += display_width(cluster);
        (*used < columns).then_some(at)
    });
    let from = begins.last().unwrap_or(text.len());
    Cow::Owned(format!("…{}", &text[from..]))
}
