//! Normalizes text, of documents and of questions alike, so that one is found by the other.
//!
//! - **Compatibility characters** become ordinary ones by Unicode's normalization form NFKC (UAX
//!   #15): ligatures, full width, presentation forms, separate accents, special spaces. A raised
//!   digit after a digit keeps its meaning as `10^6`, and a fraction after one as `2 1/2`.
//!   Characters stay that NFKC would tear apart: spacing accents, which would become a space and a
//!   combining accent, and the vowel AM of Thai and Lao.
//! - **Invisible characters** are left out: soft hyphens, zero-width spaces, marks of direction,
//!   tags, variants of glyphs. A joiner or non-joiner stays where it spells a word (Persian, the
//!   scripts of India) or makes one emoji of several.
//! - **Control characters** are left out, with the escape sequences of terminals. A character that
//!   is printed over another one, as in formatted manual pages, takes its place.
//! - **Line ends** of all kinds become `\n`.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';

/// Normalizes `text`. What is normalized does not change again.
pub fn normalize(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b'\n' | b'\t' | b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let visible = if text.chars().any(is_special) { Cow::Owned(visible(text)) } else { Cow::Borrowed(text) };
    match composed(&visible) {
        Some(composed) => Cow::Owned(composed),
        None => visible,
    }
}

/// Turns the line ends of all kinds into `\n`, and leaves everything else. A form feed stays, since
/// it ends a page.
pub(crate) fn with_line_ends(text: String) -> String {
    if !text.contains(['\r', '\u{b}', '\u{85}', '\u{2028}', '\u{2029}']) {
        return text;
    }
    let mut lines = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                let _ = characters.next_if_eq(&'\n');
                lines.push('\n');
            }
            '\u{b}' | '\u{85}' | '\u{2028}' => lines.push('\n'),
            '\u{2029}' => lines.push_str("\n\n"),
            character => lines.push(character),
        }
    }
    lines
}

/// Returns the text as a printer leaves it: without the escape sequences and overprinted characters
/// that make lines longer than they are.
pub(crate) fn printed(text: &str) -> Cow<'_, str> {
    if text.contains(['\u{8}', '\u{1b}']) { Cow::Owned(visible(text)) } else { Cow::Borrowed(text) }
}

/// Returns `true` for a character that [`visible`] may not copy.
fn is_special(character: char) -> bool {
    match character {
        '\t' | '\n' | ' '..='~' => false,
        '\u{ad}' | '\u{2028}' | '\u{2029}' | '\u{fffc}' | NON_JOINER | JOINER | '\u{fe0e}' | '\u{fe0f}' => true,
        character => {
            character.is_control() || is_invisible(character) || is_raised(character) || is_fraction(character)
        }
    }
}

/// Returns the text as it is seen: without controls and invisible characters.
fn visible(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let last = seen.chars().next_back();
        match character {
            '\t' | '\n' => seen.push(character),
            '\r' => {
                let _ = rest.next_if_eq(&'\n');
                seen.push('\n');
            }
            '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' => seen.push('\n'),
            '\u{2029}' => seen.push_str("\n\n"),
            '\u{8}' => print_over(&mut seen, &mut rest),
            '\u{1b}' => skip_escape_sequence(&mut rest),
            // It stands for an object between the words.
            '\u{fffc}' => seen.push(' '),
            NON_JOINER | JOINER if !joins(character, last, rest.peek().copied()) => {}
            '\u{e0020}'..='\u{e007f}'
                if last.is_some_and(|last| matches!(last, '\u{1f3f4}' | '\u{e0020}'..='\u{e007e}')) =>
            {
                // The region of a flag.
                seen.push(character);
            }
            '\u{fe0e}' | '\u{fe0f}' if last.is_none_or(char::is_whitespace) => {}
            character if character.is_control() || is_invisible(character) => {}
            character => {
                let after_digit = last.is_some_and(|last| last.is_ascii_digit());
                if after_digit && is_raised(character) {
                    seen.push('^');
                } else if after_digit && is_fraction(character) {
                    seen.push(' ');
                }
                seen.push(character);
            }
        }
    }
    seen
}

/// Handles a backspace: the next character is printed over the last one. An underscore below or
/// above a character underlines it.
fn print_over(seen: &mut String, rest: &mut Peekable<Chars<'_>>) {
    let below = seen.chars().next_back().filter(|below| *below != '\n');
    let Some((below, above)) = below.zip(rest.peek().copied().filter(|above| *above != '\n')) else { return };
    if above == '_' && !below.is_whitespace() {
        rest.next();
    } else {
        seen.pop();
    }
}

/// Skips what follows the escape character in a terminal's control sequence (ECMA-48): `[`,
/// parameters and a final character, or `]` and text up to a terminator.
fn skip_escape_sequence(rest: &mut Peekable<Chars<'_>>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            while rest.next_if(|character| matches!(character, ' '..='?')).is_some() {}
            let _ = rest.next_if(|character| matches!(character, '@'..='~'));
        }
        Some(']') => {
            // Only if there is a terminator on the line is it a sequence.
            let ends = |character: &char| matches!(character, '\u{7}' | '\u{1b}' | '\n');
            let mut ahead = rest.clone();
            let found = ahead.by_ref().skip(1).find(ends);
            let is_ended = found == Some('\u{7}') || (found == Some('\u{1b}') && ahead.next() == Some('\\'));
            if is_ended {
                *rest = ahead;
            }
        }
        Some('(' | ')') => {
            rest.next();
            let _ = rest.next_if(char::is_ascii_alphanumeric);
        }
        _ => {}
    }
}

/// Returns `true` if a joiner or non-joiner is part of the spelling between two characters.
fn joins(joiner: char, last: Option<char>, next: Option<char>) -> bool {
    let Some(last) = last else { return false };
    if is_virama(last) {
        return true;
    }
    let Some(next) = next else { return false };
    let is_symbol =
        |character: char| character >= '\u{2190}' && !character.is_alphanumeric() && !is_invisible(character);
    (is_joining(last) && is_joining(next)) || (joiner == JOINER && is_symbol(last) && is_symbol(next))
}

/// Returns `true` for the letters and marks of scripts whose letters join: from Arabic over those
/// of India to Sinhala, Myanmar, Khmer, Mongolian, and the presentation forms of Arabic.
fn is_joining(character: char) -> bool {
    matches!(character, '\u{610}'..='\u{61b}' | '\u{620}'..='\u{dff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{18af}'
        | '\u{fb50}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
}

/// Returns `true` for the sign that takes a consonant's vowel, in the scripts of India and Sinhala.
fn is_virama(character: char) -> bool {
    matches!(
        character,
        '\u{94d}'
            | '\u{9cd}'
            | '\u{a4d}'
            | '\u{acd}'
            | '\u{b4d}'
            | '\u{bcd}'
            | '\u{c4d}'
            | '\u{ccd}'
            | '\u{d4d}'
            | '\u{dca}'
    )
}

/// Returns `true` for characters that take no space and spell nothing: soft hyphen, combining
/// grapheme joiner, zero-width space and word joiner, marks of direction, invisible operators,
/// variation selectors, marks of annotations, tags, and code points that are no characters.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0d}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}'
        | '\u{e0100}'..='\u{e01ef}')
}

fn is_raised(character: char) -> bool {
    matches!(character, '\u{b2}' | '\u{b3}' | '\u{b9}' | '\u{2070}' | '\u{2074}'..='\u{207b}')
}

fn is_fraction(character: char) -> bool {
    matches!(character, '\u{bc}'..='\u{be}' | '\u{2150}'..='\u{215e}' | '\u{2189}')
}

/// Returns the text in NFKC, or `None` if it is already. Only the parts that are not ASCII are
/// looked at, each with the character before it, which an accent may belong to.
fn composed(text: &str) -> Option<String> {
    let mut composed = String::new();
    let mut done = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find(|character: char| !character.is_ascii()) {
        let first = at + found;
        let end =
            text[first..].find(|character: char| character.is_ascii()).map_or(text.len(), |length| first + length);
        let start = first.saturating_sub(1).max(done);
        let start = if text.is_char_boundary(start) { start } else { first };
        let part = &text[start..end];
        if is_nfkc_quick(part.chars()) != IsNormalized::Yes || part.contains(['\u{2010}', '\u{2044}']) {
            composed.push_str(&text[done..start]);
            compose(part, &mut composed);
            done = end;
        }
        at = end;
    }
    if done == 0 {
        return None;
    }
    composed.push_str(&text[done..]);
    Some(composed)
}

fn compose(part: &str, composed: &mut String) {
    for piece in part.split_inclusive(stays) {
        let (before, kept) = match piece.char_indices().next_back() {
            Some((at, last)) if stays(last) => (&piece[..at], Some(last)),
            _ => (piece, None),
        };
        composed.extend(before.nfkc().map(|character| match character {
            '\u{2010}' => '-',
            '\u{2044}' => '/',
            character => character,
        }));
        composed.extend(kept);
    }
}

/// Returns `true` for a character that NFKC would tear apart.
fn stays(character: char) -> bool {
    matches!(character, '\u{a8}' | '\u{af}' | '\u{b4}' | '\u{b8}' | '\u{2d8}'..='\u{2dd}' | '\u{37a}' | '\u{384}' | '\u{385}'
        | '\u{1fbd}'..='\u{1fc1}' | '\u{1fcd}'..='\u{1fcf}' | '\u{1fdd}'..='\u{1fdf}' | '\u{1fed}'..='\u{1fef}'
        | '\u{1ffd}' | '\u{1ffe}' | '\u{2017}' | '\u{203e}' | '\u{e33}' | '\u{eb3}' | '\u{f0c}' | '\u{f77}' | '\u{f79}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compatibility_characters_become_ordinary_ones() {
        let cases = [
            ("con\u{fb01}guration \u{fb01}le", "configuration file"),
            ("ＰＵＭＰ　１２", "PUMP 12"),
            ("Cafe\u{301} re\u{301}sume\u{301}", "Café résumé"),
            ("40\u{a0}l, 5\u{202f}%", "40 l, 5 %"),
            ("Wait… ½ and 2½, 10⁶ and 10⁻⁶, m² and H₂O", "Wait... 1/2 and 2 1/2, 10^6 and 10^−6, m2 and H2O"),
            ("ｶﾞｽ ㎏ ℃ Ⅳ", "ガス kg °C IV"),
            ("\u{fefb} \u{fe8d}", "لا ا"),
            ("well\u{2011}known", "well-known"),
        ];
        for (text, expected) in cases {
            assert_eq!(normalize(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_has_no_ordinary_form_stays() {
        for text in ["it´s ¨", "น้ำ", "— “quoted” €", "漢字かな", "한국어", "Ω\u{338}x", "a\tb\nc", "plain"]
        {
            assert_eq!(normalize(text), text);
        }
    }

    #[test]
    fn what_is_not_seen_is_left_out() {
        let cases = [
            ("ser\u{ad}vice", "service"),
            ("pu\u{200b}mp\u{200c}\u{200d}\u{feff}", "pump"),
            ("\u{202e}abc\u{202c} \u{2066}d\u{2069}\u{200f}", "abc d"),
            ("a\0b\u{7}c\u{9f}", "abc"),
            ("葛\u{e0100}飾", "葛飾"),
            ("hidden\u{e0041}\u{e0042}", "hidden"),
            ("\u{1b}[1;31mred\u{1b}[0m \u{1b}]8;;http://a\u{7}link\u{1b}]8;;\u{1b}\\ \u{1b}(Bend", "red link end"),
            ("Auf\u{200c}lage", "Auflage"),
        ];
        for (text, expected) in cases {
            assert_eq!(normalize(text), expected, "{text:?}");
        }
    }

    #[test]
    fn joiners_that_spell_a_word_or_an_emoji_stay() {
        for text in [
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "ന്\u{200d} ",
            "👩\u{200d}👧",
            "❤\u{fe0f}\u{200d}🔥",
            "🏴\u{e0067}\u{e0062}\u{e007f}",
        ] {
            assert_eq!(normalize(text), text, "{text:?}");
        }
    }

    #[test]
    fn what_is_printed_over_takes_the_place() {
        let cases = [
            ("N\u{8}NA\u{8}AM\u{8}ME\u{8}E", "NAME"),
            ("_\u{8}f_\u{8}i_\u{8}l_\u{8}e", "file"),
            ("f\u{8}_i\u{8}_", "fi"),
            ("+\u{8}o item", "o item"),
            ("\u{8}a\u{8}\n\u{8}b\u{8}", "a\nb"),
        ];
        for (text, expected) in cases {
            assert_eq!(normalize(text), expected, "{text:?}");
        }
    }

    #[test]
    fn line_ends_of_all_kinds_are_one() {
        assert_eq!(normalize("a\r\nb\rc\u{85}d\u{2028}e\u{2029}f\u{b}g\u{c}h"), "a\nb\nc\nd\ne\n\nf\ng\nh");
        assert_eq!(
            with_line_ends("a\r\nb\rc\u{85}d\u{2028}e\u{2029}f\u{b}g\u{c}h".into()),
            "a\nb\nc\nd\ne\n\nf\ng\u{c}h"
        );
    }
}
