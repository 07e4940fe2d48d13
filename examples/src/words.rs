//! Splits text into words and sentences, by the rules of Unicode (UAX #29). All other modules that
//! examine text use these functions.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::normalize::normalize;

/// The number of characters after which a word counts as more than one token, as it would for a
/// language model, so that a number of tokens bounds the length of a text.
const CHARS_PER_TOKEN: usize = 16;

/// Returns the words of `text` in lower case and [normalized](normalize), without punctuation and
/// white space. Joiners and non-joiners inside a word are left out, since not everybody types them.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.unicode_words().map(|word| {
        if word.is_ascii() {
            return word.to_ascii_lowercase();
        }
        let word = normalize(word).to_lowercase();
        if word.contains(['\u{200c}', '\u{200d}']) { word.replace(['\u{200c}', '\u{200d}'], "") } else { word }
    })
}

/// Returns the number of tokens in `text`: one for each word, number or punctuation mark, and one
/// more for every further 16 characters of a long word. No model counts exactly like this. It is
/// close to what subword tokenizers give for prose, and needs no vocabulary.
pub fn count_tokens(text: &str) -> usize {
    text.split_word_bounds()
        .filter(|part| !part.trim().is_empty())
        .map(|part| part.chars().count().div_ceil(CHARS_PER_TOKEN))
        .sum()
}

/// Returns the sentences of `text`, as byte ranges without gaps: white space belongs to the
/// sentence before it. The number of an item, an initial and a usual abbreviation do not end one.
pub fn sentences(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut bounds = text.split_sentence_bound_indices().map(|(start, sentence)| start..start + sentence.len());
    std::iter::from_fn(move || {
        let mut sentence = bounds.next()?;
        while goes_on(&text[sentence.clone()]) {
            let Some(next) = bounds.next() else { break };
            sentence.end = next.end;
        }
        Some(sentence)
    })
}

/// Returns `true` if the full stop at the end of `part` belongs to its last word.
fn goes_on(part: &str) -> bool {
    const ABBREVIATIONS: [&str; 28] = [
        "mr", "mrs", "ms", "dr", "prof", "st", "vs", "cf", "e.g", "i.e", "fig", "figs", "eq", "no", "nos", "nr", "vol",
        "sec", "ch", "p", "pp", "approx", "z.b", "d.h", "bzw", "abb", "tab", "ca",
    ];
    // A line end is the end of a sentence, whatever stands before it.
    let Some(before) = part.strip_suffix(' ').map(str::trim_end).and_then(|part| part.strip_suffix('.')) else {
        return false;
    };
    let last =
        before.rsplit(|character: char| character.is_whitespace() || character == '(').next().unwrap_or_default();
    let is_whole = last.len() == before.trim_start().len();
    let is_number = is_whole && !last.is_empty() && last.len() <= 3 && last.bytes().all(|byte| byte.is_ascii_digit());
    let is_initial = last.chars().count() == 1 && last.starts_with(char::is_uppercase) && last != "I";
    is_number || is_initial || ABBREVIATIONS.contains(&last.to_lowercase().as_str())
}

/// Returns the two-letter code (ISO 639-1) of the language of `text`, if it can be recognized
/// reliably.
pub fn language(text: &str) -> Option<&'static str> {
    let found = whatlang::detect(text).filter(whatlang::Info::is_reliable)?;
    two_letters(found.lang())
}

/// Returns the words of a language that carry no meaning of their own, or none for a language
/// without a list.
pub fn stop_words(language: Option<&str>) -> &'static [&'static str] {
    language.and_then(stop_words::lookup).unwrap_or_default()
}

/// Returns the code of a language that can be recognized, has a list of stop words, and is common
/// in documents.
fn two_letters(language: whatlang::Lang) -> Option<&'static str> {
    use whatlang::Lang;
    Some(match language {
        Lang::Eng => "en",
        Lang::Deu => "de",
        Lang::Fra => "fr",
        Lang::Spa => "es",
        Lang::Ita => "it",
        Lang::Por => "pt",
        Lang::Nld => "nl",
        Lang::Swe => "sv",
        Lang::Dan => "da",
        Lang::Nob => "no",
        Lang::Fin => "fi",
        Lang::Pol => "pl",
        Lang::Ces => "cs",
        Lang::Hun => "hu",
        Lang::Ron => "ro",
        Lang::Tur => "tr",
        Lang::Ell => "el",
        Lang::Rus => "ru",
        Lang::Ukr => "uk",
        Lang::Ara => "ar",
        Lang::Heb => "he",
        Lang::Hin => "hi",
        Lang::Cmn => "zh",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Vie => "vi",
        Lang::Ind => "id",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_word_counts_as_several_tokens() {
        assert_eq!(count_tokens("Fill the tank, then wait."), 7);
        assert_eq!(count_tokens(&"x".repeat(33)), 3);
        assert_eq!(count_tokens(" \n "), 0);
    }

    #[test]
    fn sentences_leave_no_gap() {
        let text = "It rains. Does it?\n\nYes!  ";
        let found: Vec<&str> = sentences(text).map(|range| &text[range]).collect();
        assert_eq!(found.concat(), text);
        assert_eq!(found[..2], ["It rains. ", "Does it?\n"]);
    }

    #[test]
    fn a_full_stop_inside_a_sentence_does_not_end_it() {
        let text = "1. Press it. See Fig. 3 by J. Smith, e.g. Page 2. It was in 12. May be.\n2.\nEnd.";
        let found: Vec<&str> = sentences(text).map(|range| text[range].trim()).collect();
        let expected =
            ["1. Press it.", "See Fig. 3 by J. Smith, e.g. Page 2.", "It was in 12.", "May be.", "2.", "End."];
        assert_eq!(found, expected);
    }

    #[test]
    fn words_are_normalized_as_documents_are() {
        let found = |text: &str| words(text).collect::<Vec<_>>();
        assert_eq!(found("Con\u{fb01}guration \u{fb01}le, ＰＵＭＰ"), ["configuration", "file", "pump"]);
        assert_eq!(found("ser\u{ad}vice Cafe\u{301}"), ["service", "café"]);
        assert_eq!(found("می\u{200c}خواهم"), ["میخواهم"]);
    }

    #[test]
    fn a_language_is_told_only_from_enough_text() {
        let german = "Der Behälter wird einmal in der Woche mit klarem Wasser gefüllt und danach geschlossen.";
        assert_eq!(language(german), Some("de"));
        assert_eq!(language("42"), None);
        assert!(stop_words(Some("de")).contains(&"der"));
        assert!(stop_words(None).is_empty());
    }
}
