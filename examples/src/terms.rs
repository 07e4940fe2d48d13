//! Cuts text into the terms by which it is searched.
//!
//! A term is a word in lower case, without accents and, in English, without its ending, so that
//! "Batteries" and "battery" are one. Scripts that are written without spaces, such as Chinese and
//! Thai, have no words that a rule could find; there, a term is a pair of neighbouring characters.
//! Documents and questions go through the same function, so that they meet.

mod near;
mod stem;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

pub use near::is_near;
pub use stem::related;

/// Returns the terms of `text` in their order.
pub fn terms(text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    // The characters of a run of a script without spaces, and where it ends.
    let mut run: Vec<char> = Vec::new();
    let mut end = 0;
    for (at, word) in text.unicode_word_indices() {
        let unspaced = word.chars().all(is_unspaced);
        if !unspaced || at != end {
            add_pairs(&mut run, &mut terms);
        }
        if unspaced {
            run.extend(word.chars());
            end = at + word.len();
        } else {
            add_word(word, &mut terms);
        }
    }
    add_pairs(&mut run, &mut terms);
    terms
}

/// Returns `true` if words of the character's script are not separated by spaces. Korean separates
/// them, but its particles are attached to the words, so that pairs find more there, too.
pub fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{0E00}'..='\u{0EFF}' // Thai, Lao
        | '\u{1000}'..='\u{109F}' // Myanmar
        | '\u{1100}'..='\u{11FF}' // Hangul Jamo
        | '\u{1780}'..='\u{17FF}' // Khmer
        | '\u{3005}'..='\u{3007}' // ideographic marks and zero
        | '\u{3040}'..='\u{30FF}' // Hiragana, Katakana
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' // Han
        | '\u{AC00}'..='\u{D7AF}' // Hangul
        | '\u{20000}'..='\u{3FFFF}') // Han
}

/// Adds the pairs of neighbouring characters of `run`, or its only character, and empties it.
fn add_pairs(run: &mut Vec<char>, terms: &mut Vec<String>) {
    if let [one] = run[..] {
        terms.push(one.to_string());
    }
    terms.extend(run.windows(2).map(|pair| pair.iter().collect::<String>()));
    run.clear();
}

/// Adds the parts of a word: what stands between apostrophes, and a number apart from its unit.
fn add_word(word: &str, terms: &mut Vec<String>) {
    for part in word.split(['\'', '\u{2019}', '_']) {
        let (number, unit) = number_and_unit(part);
        if !number.is_empty() {
            terms.push(plain_number(number));
        }
        // It says nothing.
        let is_genitive = unit.eq_ignore_ascii_case("s") && part.len() < word.len();
        if !unit.is_empty() && !is_genitive {
            terms.push(stem::stem(&folded(unit)));
        }
    }
}

/// Splits "41mm" into "41" and "mm". A word that does not begin with a digit has no number.
fn number_and_unit(word: &str) -> (&str, &str) {
    let end = word
        .find(|character: char| !character.is_ascii_digit() && !matches!(character, '.' | ','))
        .unwrap_or(word.len());
    let (number, unit) = word.split_at(end);
    if number.starts_with(|first: char| first.is_ascii_digit()) { (number, unit) } else { ("", word) }
}

/// Returns a number without the commas between its thousands.
fn plain_number(number: &str) -> String {
    let mut groups = number.split(',');
    let grouped = groups.next().is_some_and(|first| !first.is_empty()) && groups.all(|group| group.len() == 3);
    if grouped { number.replace(',', "") } else { number.to_owned() }
}

/// Returns the word in lower case and without accents.
fn folded(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    let lower = word.to_lowercase();
    let bare: String = lower.nfd().filter(|character| !is_combining_mark(*character)).nfc().collect();
    // In some scripts, marks are all that there is to a character.
    if bare.is_empty() { lower } else { bare }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_are_one_term() {
        assert_eq!(terms("Batteries, battery's CAFÉ"), ["battery", "battery", "caf"]);
        assert_eq!(terms("l’eau Straße"), ["l", "eau", "straße"]);
    }

    #[test]
    fn a_number_is_apart_from_its_unit_and_without_commas() {
        assert_eq!(terms("41mm 12,500 3.5 IPv6"), ["41", "mm", "12500", "3.5", "ipv6"]);
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_pairs() {
        assert_eq!(terms("電池は、もつ"), ["電池", "池は", "もつ"]);
        assert_eq!(terms("PDF文書"), ["pdf", "文書"]);
        assert_eq!(terms("ฝนตก").len(), 3);
        assert_eq!(terms("雨"), ["雨"]);
    }
}
