//! Joins lines that were broken to fit a page, and decides which hyphens at their ends stay.
//!
//! A word that a typesetter hyphenated becomes one word again, and a compound that happens to be
//! broken at its hyphen ("well-known") keeps it. The document itself tells: the word stands
//! elsewhere in it in one of the two forms, or both parts do. If it does not, the parts tell: a
//! beginning such as "well" or "multi" makes compounds, and an ending such as "tion" is no word.

use std::collections::HashSet;

use crate::words;

/// Beginnings of English compounds that are written with a hyphen. Numbers and single letters are
/// such beginnings too.
const COMPOUNDING: &[&str] = &[
    "all", "anti", "auto", "back", "bi", "built", "by", "co", "cross", "de", "down", "eight", "ex", "extra", "far",
    "first", "five", "four", "free", "full", "get", "go", "half", "hard", "high", "ill", "in", "infra", "inter",
    "intra", "know", "large", "left", "less", "life", "like", "long", "low", "macro", "mega", "micro", "mid", "mini",
    "mono", "more", "much", "multi", "near", "never", "new", "nine", "no", "non", "off", "old", "on", "one", "open",
    "out", "over", "post", "pre", "pseudo", "quasi", "re", "read", "real", "right", "self", "semi", "seven", "short",
    "six", "small", "so", "soft", "state", "still", "sub", "super", "ten", "third", "three", "to", "top", "tri", "two",
    "ultra", "under", "up", "vice", "well", "wide", "write", "year",
];

/// Ends of words that are no words themselves.
const ENDINGS: &[&str] = &[
    "able", "al", "ally", "ance", "ances", "ation", "ations", "cal", "cally", "ced", "cial", "cy", "ded", "ding", "ed",
    "ence", "ences", "ent", "er", "ers", "est", "ful", "fully", "ger", "ging", "ible", "ic", "ical", "ically", "ies",
    "ily", "ing", "ings", "ious", "ish", "ism", "ist", "ists", "ities", "ity", "ive", "ively", "ize", "ized", "izes",
    "ling", "lize", "lized", "lar", "lars", "lates", "lated", "lation", "ly", "lying", "mation", "ment", "ments",
    "mental", "ming", "nal", "nally", "ness", "ning", "nition", "nous", "ous", "ously", "ping", "ral", "rally",
    "ration", "rations", "rial", "ring", "rity", "sary", "sequent", "sible", "sing", "sion", "sions", "sive", "tain",
    "tained", "tains", "tary", "ted", "tem", "tems", "ter", "tered", "ters", "tial", "tially", "tic", "tical",
    "tically", "ting", "tion", "tional", "tions", "tive", "tively", "tor", "tors", "tory", "tual", "ture", "tures",
    "ty", "uments", "ument", "ules", "ule", "ure", "ures", "vided", "ware",
];

/// The part of a text by which its language is recognized, in bytes.
const LANGUAGE_SAMPLE: usize = 8 << 10;

/// Decides about the hyphens at the ends of a document's lines.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    /// Those words of the text, in lower case, that decide about a hyphen.
    words: HashSet<String>,
    /// `true` if a hyphen goes where nothing else decides: in a language other than English, in
    /// which compounds mostly have no hyphens, and in a typeset document, where the typesetter put
    /// most.
    goes_by_default: bool,
}

impl Joiner {
    /// Looks for the words of `text` that are broken at a hyphen elsewhere in it.
    pub(super) fn of(text: &str) -> Self {
        let mut asked = HashSet::new();
        let mut lines = text.lines().map(str::trim).peekable();
        while let Some(line) = lines.next() {
            if let Some((first, second)) = lines.peek().and_then(|next| broken_word(line, next)) {
                let (first, second) = (first.to_lowercase(), second.to_lowercase());
                asked.extend([format!("{first}{second}"), format!("{first}-{second}"), first, second]);
            }
        }
        if asked.is_empty() {
            return Self::default();
        }
        let mut words = HashSet::new();
        let mut is_broken = false;
        for line in text.lines().map(str::trim) {
            let broken_before = std::mem::replace(&mut is_broken, line.ends_with('-'));
            let found: Vec<&str> =
                line.split(|character| !is_in_word(character)).filter(|word| !word.is_empty()).collect();
            let whole = usize::from(broken_before).min(found.len())..found.len().saturating_sub(usize::from(is_broken));
            for word in found.get(whole).unwrap_or_default() {
                let word = word.to_lowercase();
                if asked.contains(&word) {
                    words.insert(word);
                }
            }
        }
        let sample = &text[..text.floor_char_boundary(LANGUAGE_SAMPLE)];
        Self { words, goes_by_default: words::language(sample).is_some_and(|language| language != "en") }
    }

    /// Looks for the words of a typeset document that are broken at a hyphen elsewhere in it.
    pub(super) fn of_typeset(text: &str) -> Self {
        Self { goes_by_default: true, ..Self::of(text) }
    }

    /// Adds a line to its paragraph.
    pub(super) fn join(&self, paragraph: &mut String, line: &str) {
        if paragraph.ends_with('\u{ad}') {
            paragraph.pop();
        } else if let Some((first, second)) = broken_word(paragraph, line) {
            if !self.keeps_hyphen(first, second) {
                paragraph.pop();
            }
        } else if wants_space(paragraph, line) && !is_at_hyphen(paragraph, line) {
            paragraph.push(' ');
        }
        paragraph.push_str(line);
    }

    fn keeps_hyphen(&self, first: &str, second: &str) -> bool {
        let (first, second) = (first.to_lowercase(), second.to_lowercase());
        let stands = |word: &str| self.words.contains(word);
        if stands(&format!("{first}{second}")) {
            return false;
        }
        if stands(&format!("{first}-{second}")) || first.contains('-') || second.contains('-') {
            return true;
        }
        let is_odd = first.chars().nth(1).is_none() || first.contains(|character: char| character.is_numeric());
        if is_odd || (stands(&first) && stands(&second)) {
            return true;
        }
        if self.goes_by_default {
            return false;
        }
        if ENDINGS.contains(&second.as_str()) {
            return false;
        }
        // Few English words end in these vowels, and short ones that do not compound are syllables.
        let is_syllable = first.ends_with(['a', 'i', 'o', 'u']) || first.len() <= 3;
        !is_syllable || COMPOUNDING.contains(&first.as_str())
    }
}

/// Returns the two parts of a word that is broken at a hyphen between two lines.
fn broken_word<'a>(line: &'a str, next: &'a str) -> Option<(&'a str, &'a str)> {
    let before = line.strip_suffix('-').or_else(|| line.strip_suffix('\u{2010}'))?;
    let first = &before[before.rfind(|character| !is_in_word(character)).map_or(0, |at| at + width(before, at))..];
    let second = &next[..next.find(|character| !is_in_word(character)).unwrap_or(next.len())];
    let is_word = first.ends_with(char::is_alphabetic) && second.starts_with(char::is_lowercase);
    is_word.then_some((first, second))
}

/// Returns `true` if the lines are broken after a hyphen between letters or digits, as in a name or
/// a range.
fn is_at_hyphen(line: &str, next: &str) -> bool {
    line.strip_suffix('-').is_some_and(|line| line.ends_with(char::is_alphanumeric))
        && next.starts_with(char::is_alphanumeric)
}

fn width(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(0, char::len_utf8)
}

fn is_in_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '-' | '\u{300}'..='\u{36f}')
}

/// Returns `true` if a space has to stand between two lines of a paragraph. There is none between
/// Chinese or Japanese characters.
pub(super) fn wants_space(paragraph: &str, line: &str) -> bool {
    let Some((last, next)) = paragraph.chars().next_back().zip(line.chars().next()) else { return false };
    let is_spaced = last.is_whitespace() || next.is_whitespace();
    !is_spaced && (!is_cjk(last) || !is_cjk(next))
}

/// Returns `true` for the characters of Chinese and Japanese, with their punctuation.
fn is_cjk(character: char) -> bool {
    matches!(character, '\u{2e80}'..='\u{312f}' | '\u{31a0}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}'
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str) -> String {
        let joiner = Joiner::of(text);
        let mut paragraph = String::new();
        for line in text.lines() {
            joiner.join(&mut paragraph, line);
        }
        paragraph
    }

    #[test]
    fn a_compound_keeps_its_hyphen_and_a_broken_word_does_not() {
        let cases = [
            (
                "a well-\nknown state-of-the-\nart long-\nterm re-\nentry",
                "a well-known state-of-the-art long-term re-entry",
            ),
            ("co-\noperation multi-\nline X-\nray", "co-operation multi-line X-ray"),
            ("user-\nfriendly cost-\neffective decision-\nmaking", "user-friendly cost-effective decision-making"),
            ("a para-\ngraph of informa-\ntion, a docu-\nment", "a paragraph of information, a document"),
            ("the sys-\ntem con-\nnects", "the system connects"),
            ("Report it. The re-\nport is long.", "Report it. The report is long."),
            ("A pump-house. The pump-\nhouse.", "A pump-house. The pump-house."),
            ("ser\u{ad}\nvice", "service"),
            ("pages 10-\n12 -\nall", "pages 10-12 - all"),
            ("the 40-\nvolt line", "the 40-volt line"),
            ("漢字の\nかな", "漢字のかな"),
            ("한국어\n문장", "한국어 문장"),
        ];
        for (text, expected) in cases {
            assert_eq!(joined(text), expected);
        }
    }

    #[test]
    fn a_german_word_is_joined() {
        let text = "Der Behälter wird einmal in der Woche mit klarem Wasser gefüllt und danach von der Wetter-\nstation geleert.";
        assert!(joined(text).ends_with("von der Wetterstation geleert."));
    }
}
