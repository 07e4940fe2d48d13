//! Splits text into words and sentences, by the rules of Unicode (UAX #29). All other modules that
//! examine text use these functions.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// The number of characters after which a word counts as more than one token, as it would for a
/// language model, so that a number of tokens bounds the length of a text.
const CHARS_PER_TOKEN: usize = 16;

/// Returns the words of `text` in lower case, without punctuation and white space.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.unicode_words().map(str::to_lowercase)
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
/// sentence before it.
pub fn sentences(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    text.split_sentence_bound_indices().map(|(start, sentence)| start..start + sentence.len())
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
    fn a_language_is_told_only_from_enough_text() {
        let german = "Der Behälter wird einmal in der Woche mit klarem Wasser gefüllt und danach geschlossen.";
        assert_eq!(language(german), Some("de"));
        assert_eq!(language("42"), None);
        assert!(stop_words(Some("de")).contains(&"der"));
        assert!(stop_words(None).is_empty());
    }
}
