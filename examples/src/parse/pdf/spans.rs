//! Mends the runs of text of a page before the library lays them out in lines.
//!
//! Two words that stand closely become one in the library's layout, which takes a gap for a space
//! only from 0.15 em on. Characters that are none are told as losses of their font.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use pdfboss_core::content::{ContentOps, Op};
use pdfboss_text::TextSpan;
use unicode_normalization::char::is_combining_mark;

use crate::document::LossKind;

/// The narrowest gap between two words, in parts of the size of the type. Kerning moves letters
/// less, and a space that was shrunk to justify a line is hardly narrower. pdftotext uses it too.
const WORD_GAP: f32 = 0.1;

/// The widest distance of the baselines of two runs on one line, in parts of the size of the type.
const SAME_LINE: f32 = 0.1;

/// The largest error of a position, in parts of the size of the type.
const PRECISE: f32 = 0.03;

/// The farthest that kerning moves a run back before the space that it cancels, in parts of the
/// size of the type.
const FARTHEST_BACK: f32 = 0.2;

/// The zero-width non-joiner.
const NON_JOINER: char = '\u{200c}';

/// Private characters are told if they are more than one in so many of the characters of a page:
/// fewer are the bullets and arrows of a font of symbols.
const PRIVATE_SHARE: usize = 10;

/// Puts spaces where words stand apart. `content` returns the content of the page.
pub(super) fn separate_words(spans: &mut [TextSpan], content: &dyn Fn() -> Vec<u8>) {
    let spacings = OnceCell::new();
    // A mark is drawn over the letter before it: the next letter stands apart from that one.
    let letters: Vec<usize> = (0..spans.len()).filter(|at| !spans[*at].text.chars().all(is_mark)).collect();
    for (before, after) in letters.iter().zip(letters.iter().skip(1)) {
        let Ok([before, after]) = spans.get_disjoint_mut([*before, *after]) else { continue };
        let Some(gap) = gap(before, after) else { continue };
        if is_cancelled(before, after) {
            before.text.pop();
            before.text.push(NON_JOINER);
        }
        let size = before.size.max(after.size);
        if gap < -WORD_GAP * size
            && before.text.chars().nth(1).is_some()
            && spacings
                .get_or_init(|| letter_spacings(&content()))
                .iter()
                .any(|spacing| (spacing * before.size + gap).abs() < PRECISE * size)
        {
            spread(before);
        }
        if gap > WORD_GAP * size
            && gap <= size
            && !before.text.ends_with(char::is_whitespace)
            && !after.text.starts_with(char::is_whitespace)
        {
            after.text.insert(0, ' ');
            if !after.glyph_x.is_empty() {
                after.glyph_x = std::iter::once(after.x).chain(after.glyph_x.iter().copied()).collect();
            }
        }
    }
}

/// Returns `true` for accents, points and vowels, which have no width of their own, and for the
/// presentation forms of those of Arabic.
fn is_mark(character: char) -> bool {
    is_combining_mark(character) || matches!(character, '\u{fc5e}'..='\u{fc63}' | '\u{fe70}'..='\u{fe7f}')
}

/// Returns the distance from the end of a run to the start of the next along the line, or `None` if
/// they are not on one line.
fn gap(before: &TextSpan, after: &TextSpan) -> Option<f32> {
    if before.rotate != after.rotate || before.vertical || after.vertical {
        return None;
    }
    let (x, y) = (after.x - before.end_x, after.y - before.end_y);
    let (along, across) = match before.rotate {
        90 => (y, x),
        180 => (-x, y),
        270 => (-y, x),
        _ => (x, y),
    };
    (across.abs() <= SAME_LINE * before.size.max(after.size)).then_some(along)
}

/// Returns `true` if the next run is moved back over the space that ends a run in Arabic letters.
/// This is how the non-joiner is set, which divides parts of one Persian word.
fn is_cancelled(before: &TextSpan, after: &TextSpan) -> bool {
    let is_arabic = |span: &TextSpan| {
        span.text.contains(|c| matches!(c, '\u{600}'..='\u{6ff}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'))
    };
    let space = if before.text == " " { Some(&before.x) } else { before.glyph_x.last() };
    before.text.ends_with(' ')
        && before.rotate == 0
        && (is_arabic(before) || is_arabic(after))
        && space.is_some_and(|space| (-FARTHEST_BACK..PRECISE).contains(&((after.x - space) / before.size)))
}

/// Puts a space between all characters of a run.
fn spread(span: &mut TextSpan) {
    let mut text = String::with_capacity(2 * span.text.len());
    for character in span.text.chars() {
        if !text.is_empty() && !character.is_whitespace() && !text.ends_with(char::is_whitespace) {
            text.push(' ');
        }
        text.push(character);
    }
    // The positions of the glyphs only matter for marks, which no run that is set apart has.
    span.text = text;
    span.glyph_x = Box::default();
}

/// Returns the spaces that are set between letters by the character spacing (`Tc`) on a page, in
/// parts of the size of the type, as far as they are as wide as a space between words. Ghostscript
/// sets `d` and `c` of "invoked command" so, and then moves back what stands behind the `c`.
fn letter_spacings(content: &[u8]) -> Vec<f32> {
    let (mut spacing, mut size, mut saved) = (0.0, 0.0, Vec::new());
    let mut found = Vec::new();
    let mut operators = ContentOps::new(content);
    while let Ok(Some((operator, _))) = operators.next_op() {
        match operator {
            Op::Save => saved.push((spacing, size)),
            Op::Restore => (spacing, size) = saved.pop().unwrap_or((spacing, size)),
            Op::SetFont(_, points) => size = points,
            Op::SetCharSpacing(points) | Op::NextLineShowTextSpaced(_, points, _) => spacing = points,
            _ => continue,
        }
        let relative = spacing / size;
        if relative > WORD_GAP && relative.is_finite() && !found.contains(&relative) {
            found.push(relative);
        }
    }
    found
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
