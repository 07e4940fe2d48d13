//! Mends the runs of text of a page before the library lays them out in lines.
//!
//! Two words that stand closely become one in the library's layout, which takes a gap for a space
//! only from 0.15 em on. Characters that are none are told as losses of their font.

use std::collections::BTreeMap;

use pdfboss_text::TextSpan;

use crate::document::LossKind;

/// The narrowest gap between two words, in parts of the size of the type. Kerning moves letters
/// less, and a space that was shrunk to justify a line is hardly narrower. pdftotext uses it too.
const WORD_GAP: f32 = 0.1;

/// The widest distance of the baselines of two runs on one line, in parts of the size of the type.
const SAME_LINE: f32 = 0.1;

/// Private characters are told if they are more than one in so many of the characters of a page:
/// fewer are the bullets and arrows of a font of symbols.
const PRIVATE_SHARE: usize = 10;

/// Puts spaces where words stand apart.
pub(super) fn separate_words(spans: &mut [TextSpan]) {
    for at in 1..spans.len() {
        let [before, after] = &mut spans[at - 1..=at] else { continue };
        if before.rotate != after.rotate || before.vertical || after.vertical {
            continue;
        }
        let size = before.size.max(after.size);
        let (along, across) = offset(before, after);
        let is_apart = across.abs() <= SAME_LINE * size && along > WORD_GAP * size && along <= size;
        if is_apart && !before.text.ends_with(char::is_whitespace) && !after.text.starts_with(char::is_whitespace) {
            after.text.insert(0, ' ');
            if !after.glyph_x.is_empty() {
                after.glyph_x = std::iter::once(after.x).chain(after.glyph_x.iter().copied()).collect();
            }
        }
    }
}

/// Returns the distance from the end of a run to the start of the next, along the line and across.
fn offset(before: &TextSpan, after: &TextSpan) -> (f32, f32) {
    let (x, y) = (after.x - before.end_x, after.y - before.end_y);
    match before.rotate {
        90 => (y, x),
        180 => (-x, y),
        270 => (-y, x),
        _ => (x, y),
    }
}

/// Replaces control characters with spaces, and returns what the fonts do not tell: how many
/// glyphs of each have no character.
pub(super) fn clean(spans: &mut [TextSpan]) -> Vec<(LossKind, String)> {
    let (mut total, mut private) = (0, 0);
    let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
    for span in spans.iter_mut() {
        let mut lost = 0;
        for character in span.text.chars() {
            total += 1;
            lost += usize::from(character == '\u{fffd}' || character.is_control());
            private += usize::from(matches!(character, '\u{e000}'..='\u{f8ff}'));
        }
        if lost > 0 {
            *unknown.entry(span.font_name.clone()).or_default() += lost;
            span.text = span.text.replace(char::is_control, " ");
        }
    }
    let mut losses: Vec<(LossKind, String)> =
        unknown.iter().map(|(font, count)| (LossKind::Font, untold(font, *count))).collect();
    if private * PRIVATE_SHARE > total {
        let cause =
            format!("{private} of its {total} characters are private to their font, which does not tell what they are");
        losses.push((LossKind::Font, cause));
    }
    losses
}

fn untold(font: &str, count: usize) -> String {
    let glyphs = if count == 1 { "1 glyph is".to_owned() } else { format!("{count} glyphs are") };
    let font = if font.is_empty() { "a font without a name".to_owned() } else { format!("the font {font}") };
    format!("{font} does not tell which characters {glyphs}")
}
