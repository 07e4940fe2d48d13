//! Examines a question: which of its words an answer has to be about, and what kind of fact it asks
//! for.

mod expected;

use std::collections::HashSet;

use unicode_segmentation::UnicodeSegmentation;

pub use expected::Expected;

use crate::terms::{is_near, is_unspaced, terms};
use crate::{stop_words, words};

/// English words that say little about the thing that is asked about, beside the stop words.
const VAGUE: &str = "amount belong call called consist contain exist fit happen happened happens include kind locate \
    located mean means name named number require required situated sort type";

/// The largest number of words that are looked for. A longer question is most likely a pasted text,
/// of which the beginning tells enough.
const WORDS: usize = 64;

/// The weight of a word that is on the language's list of stop words but not pure grammar, such as
/// "old" and "first".
const COMMON: f32 = 0.35;

/// The number of significant words from which a question is long: most likely it tells a story, and
/// asks in one of its clauses.
const LONG: usize = 7;

/// The weight of Hiragana, with which Japanese writes its grammar.
const HIRAGANA: f32 = 0.1;

/// The factor of a word that names the fact: "how heavy", "which colour", "what does it cost".
const WANTED: f32 = 1.5;

/// English words that are grammar, or that every question may contain. The list of stop words is
/// far longer.
const GRAMMAR: &str = "a about am an and any anybody anyone are as at be been being but by can could did do does \
    doing done for from give had has have he her hers him his how i if in into is it its kindly let many may me might \
    much must my no not of off on onto or our ours please s shall she should so some somebody someone t tell than that \
    the their them there these they this those to too under up upon us was we were what whatever when where whether \
    which while who whom whose why will with would you your yours";

/// A question with its significant words.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The text of the question.
    pub text: String,
    /// The significant words in their order, each once.
    pub words: Vec<Word>,
    /// The kind of fact that an answer contains, if the question tells.
    pub expected: Option<Expected>,
    /// The two-letter code (ISO 639-1) of its language, as far as its words tell.
    pub language: Option<&'static str>,
}

/// A significant word of a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// The term by which it is found: see [`terms`].
    pub term: String,
    /// The importance by the word alone, mostly 1, however often it occurs in the documents.
    pub importance: f32,
    /// Other terms by which a passage may say the same.
    pub synonyms: Vec<String>,
    /// `true` if the word names the fact that is asked for.
    pub is_wanted: bool,
}

impl Word {
    fn new(term: String, importance: f32) -> Self {
        Self { term, importance, synonyms: Vec::new(), is_wanted: false }
    }

    /// Returns `true` if the term is characters of a script without spaces.
    pub fn is_unspaced(&self) -> bool {
        self.term.chars().all(is_unspaced)
    }
}

impl Question {
    /// Examines a question in any language.
    pub fn new(text: &str) -> Self {
        let language = language(text);
        let is_english = language == Some("en");
        let mut words = significant(text, language);
        let mut asking = text;
        if words.len() > LONG
            && let Some(core) = core(text)
        {
            let asked = significant(core, language);
            if asked.len() > 1 {
                (words, asking) = (asked, core);
            }
        }
        let expected = is_english.then(|| Expected::of(asking)).flatten();
        if is_english {
            let wanted = wanted(asking);
            // "How long" asks for a time, and no passage that tells one has to be long.
            let says_more = |word: &Word| word.importance >= 1.0 || !wanted.contains(&word.term);
            if expected.is_some() && words.iter().any(says_more) {
                words.retain(says_more);
            }
            for word in &mut words {
                word.synonyms = expected::synonyms(&word.term);
                word.is_wanted = word.importance >= 1.0 && (wanted.contains(&word.term) || !word.synonyms.is_empty());
                word.importance *= if word.is_wanted { WANTED } else { 1.0 };
            }
        }
        if words.is_empty() {
            // A question of nothing but grammar may be about it.
            words = distinct(terms(text).into_iter().map(|term| Word::new(term, COMMON)));
        }
        Self { text: text.to_owned(), words, expected, language }
    }
}

/// Returns `true` if two neighbouring letters of an English word of grammar were swapped.
pub(crate) fn is_swapped_grammar(term: &str) -> bool {
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    let is_swapped = |word: &str| is_near(term, word) == Some(1) && sorted(term) == sorted(word);
    GRAMMAR.split_whitespace().chain(["without", "about", "before", "after"]).any(is_swapped)
}

/// Returns the last clause with an English question word.
fn core(text: &str) -> Option<&str> {
    let asks = |clause: &&str| words::words(clause).any(|word| ASKING.contains(&word.as_str()));
    text.split([',', ';', ':', '.', '!', '?', '\n']).rfind(asks)
}

const ASKING: [&str; 9] = ["how", "what", "which", "who", "whom", "whose", "when", "where", "why"];

/// Returns the terms of the words right behind "how", "what" and "which".
fn wanted(text: &str) -> HashSet<String> {
    let asked: Vec<String> = words::words(text).collect();
    let pairs = asked.windows(2).filter(|pair| ["how", "what", "which"].contains(&pair[0].as_str()));
    pairs.flat_map(|pair| terms(&pair[1])).collect()
}

/// Returns the language of a question, which is mostly too short to recognize it by its letters:
/// then the language with the most stop words in it, and English among equals.
fn language(text: &str) -> Option<&'static str> {
    if let Some(language) = words::language(text) {
        return Some(language);
    }
    let asked: Vec<String> = words::words(text).collect();
    let share = |language| asked.iter().filter(|word| stop_words::of(Some(language)).contains(word.as_str())).count();
    // Of equals, `max_by_key` takes the last.
    LANGUAGES.into_iter().max_by_key(|language| share(*language))
}

/// The languages with Latin letters that a question is held against, besides those with scripts of
/// their own, which are recognized by their letters.
const LANGUAGES: [&str; 12] = ["hu", "cs", "pl", "fi", "sv", "nl", "pt", "it", "es", "fr", "de", "en"];

/// Returns the words of a question that carry meaning.
fn significant(text: &str, language: Option<&str>) -> Vec<Word> {
    let stop_words = stop_words::of(language);
    let is_english = language == Some("en");
    let list = |words: &'static str| -> HashSet<&str> {
        if is_english { words.split_whitespace().collect() } else { HashSet::new() }
    };
    let (grammar, vague) = (list(GRAMMAR), list(VAGUE));
    let mut found = Vec::new();
    for part in parts(text, stop_words) {
        let lower = part.to_lowercase();
        let bare = lower.strip_suffix("'s").or_else(|| lower.strip_suffix("’s")).unwrap_or(&lower);
        let is_stop_word = stop_words.contains(bare);
        if grammar.contains(bare) || (is_stop_word && !is_english) {
            continue;
        }
        let importance = match part.chars().next() {
            Some(first) if is_hiragana(first) => HIRAGANA,
            _ if is_stop_word || vague.contains(bare) => COMMON,
            _ => 1.0,
        };
        found.extend(
            terms(part).into_iter().filter(|term| says_something(term)).map(|term| Word::new(term, importance)),
        );
    }
    distinct(found.into_iter())
}

/// Returns `true` unless the term is a single letter, as apostrophes leave them.
fn says_something(term: &str) -> bool {
    term.chars().nth(1).is_some() || !term.chars().all(|character| character.is_ascii_alphabetic())
}

/// Returns the words of a text. A run of a script without spaces is cut at its stop words, which
/// are left out.
fn parts<'a>(text: &'a str, stop_words: &HashSet<&str>) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let mut run: Option<(usize, usize)> = None;
    for (at, word) in text.unicode_word_indices() {
        let end = at + word.len();
        if word.chars().all(is_unspaced) {
            run = match run {
                Some((start, before)) if before == at => Some((start, end)),
                Some((start, before)) => {
                    cut(&text[start..before], stop_words, &mut parts);
                    Some((at, end))
                }
                None => Some((at, end)),
            };
            continue;
        }
        if let Some((start, before)) = run.take() {
            cut(&text[start..before], stop_words, &mut parts);
        }
        parts.push(word);
    }
    if let Some((start, before)) = run {
        cut(&text[start..before], stop_words, &mut parts);
    }
    parts
}

/// Cuts a run at its stop words, the longest first.
fn cut<'a>(run: &'a str, stop_words: &HashSet<&str>, parts: &mut Vec<&'a str>) {
    /// The length in characters of the longest stop word that is looked for.
    const LONGEST: usize = 6;
    let (mut start, mut at) = (0, 0);
    while at < run.len() {
        let ends: Vec<usize> = run[at..]
            .char_indices()
            .map(|(offset, character)| at + offset + character.len_utf8())
            .take(LONGEST)
            .collect();
        match ends.iter().rev().find(|end| stop_words.contains(&run[at..**end])) {
            Some(end) => {
                cut_scripts(&run[start..at], parts);
                (start, at) = (*end, *end);
            }
            None => at = ends[0],
        }
    }
    cut_scripts(&run[start..], parts);
}

/// Cuts a run where Hiragana begins or ends: in Japanese, that is mostly the end of a word.
fn cut_scripts<'a>(run: &'a str, parts: &mut Vec<&'a str>) {
    let mut rest = run;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|character| is_hiragana(character) != is_hiragana(first)).unwrap_or(rest.len());
        parts.push(&rest[..end]);
        rest = &rest[end..];
    }
}

fn is_hiragana(character: char) -> bool {
    matches!(character, '\u{3040}'..='\u{309F}')
}

fn distinct(words: impl Iterator<Item = Word>) -> Vec<Word> {
    let mut seen = HashSet::new();
    words.filter(|word| seen.insert(word.term.clone())).take(WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Vec<String> {
        Question::new(text).words.into_iter().map(|word| word.term).collect()
    }

    #[test]
    fn the_words_of_a_question_are_those_with_a_meaning() {
        assert_eq!(asked("Who is the founder of the mill?"), ["founder", "mill"]);
        assert_eq!(asked("mill"), ["mill"]);
        assert_eq!(asked("Please tell me: what does the LF-210 cost?"), ["lf", "210", "cost"]);
    }

    #[test]
    fn a_question_of_grammar_keeps_it() {
        assert_eq!(asked("Who is it?").len(), 3);
        assert!(asked("?!").is_empty());
    }

    #[test]
    fn other_languages_have_their_own_grammar() {
        assert_eq!(asked("Wie lange hält die Batterie ohne Sonne?"), ["halt", "batteri", "sonn"]);
        let japanese = Question::new("電池は何日もちますか");
        let heavy: Vec<&str> =
            japanese.words.iter().filter(|word| word.importance > 0.5).map(|word| word.term.as_str()).collect();
        assert_eq!(heavy[0], "電池");
    }

    #[test]
    fn a_long_question_asks_in_one_of_its_clauses() {
        let long = "Hello, I bought a Larkfield station from you in spring, and my neighbour a blue tractor, so tell me: how \
                    long does the battery last?";
        assert_eq!(asked(long), ["battery", "last"]);
    }
}
