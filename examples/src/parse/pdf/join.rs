//! Joins the lines of a paragraph that were broken to fit the page.

use std::collections::HashSet;

/// The words of a document that are written with a hyphen inside a line, in lower case.
#[derive(Debug, Default)]
pub(super) struct Compounds(HashSet<String>);

impl Compounds {
    /// Adds the compounds of a line, except for a word that the line's end divides.
    pub(super) fn add(&mut self, line: &str) {
        if line.contains('-') {
            let words = line.split(|character: char| !character.is_alphanumeric() && character != '-');
            let compounds = words.filter(|word| word.trim_matches('-').contains('-') && !word.ends_with('-'));
            self.0.extend(compounds.map(str::to_lowercase));
        }
    }

    /// Returns `true` if the two parts of a divided word make a word that has a hyphen elsewhere.
    fn contain(&self, first: &str, second: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&format!("{first}-{second}").to_lowercase())
    }
}

/// Joins lines to one. A word that was divided with a hyphen at a line's end becomes one word
/// again, without the hyphen unless the document writes it with one elsewhere.
pub(super) fn joined(lines: &[String], compounds: &Compounds) -> String {
    let mut text = String::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
    for line in lines {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if divides_word(&text, line) {
            let first = text.trim_end_matches(is_hyphen).rsplit(|character: char| !is_of_word(character)).next();
            let second = line.split(|character: char| !is_of_word(character)).next();
            if !compounds.contain(first.unwrap_or_default(), second.unwrap_or_default()) {
                text.pop();
            }
        } else if !text.is_empty()
            && !(text.ends_with(is_set_without_spaces) && line.starts_with(is_set_without_spaces))
        {
            text.push(' ');
        }
        text.push_str(line);
    }
    text
}

/// Returns `true` if the text ends with the first part of a divided word, and the line may begin
/// with its second.
fn divides_word(text: &str, line: &str) -> bool {
    let mut ends = text.chars().rev();
    ends.next().is_some_and(is_hyphen)
        && ends.next().is_some_and(char::is_alphabetic)
        && line.starts_with(char::is_lowercase)
}

/// Returns `true` for the hyphens that a word is divided with: of ASCII, the soft one, and U+2010.
fn is_hyphen(character: char) -> bool {
    matches!(character, '-' | '\u{ad}' | '\u{2010}')
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '-'
}

/// Returns `true` for the characters of Chinese and Japanese, which have no spaces between words.
fn is_set_without_spaces(character: char) -> bool {
    matches!(character,
        '\u{2e80}'..='\u{2fdf}' | '\u{3000}'..='\u{30ff}' | '\u{31f0}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff01}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(lines: &[&str]) -> String {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let mut compounds = Compounds::default();
        lines.iter().for_each(|line| compounds.add(line));
        joined(&lines, &compounds)
    }

    #[test]
    fn a_divided_word_is_one_word_again() {
        assert_eq!(join(&["the con-", "figuration file"]), "the configuration file");
        assert_eq!(join(&["the con\u{ad}", "figuration"]), "the configuration");
        assert_eq!(join(&["Über-", "prüfung"]), "Überprüfung");
    }

    #[test]
    fn a_word_that_has_a_hyphen_elsewhere_keeps_it() {
        assert_eq!(join(&["A well-known pump, a Well-", "known valve"]), "A well-known pump, a Well-known valve");
    }

    #[test]
    fn other_hyphens_at_the_end_of_a_line_stay() {
        assert_eq!(join(&["from 1990-", "1995 and -", "then"]), "from 1990- 1995 and - then");
        assert_eq!(join(&["North-", "South"]), "North- South");
    }

    #[test]
    fn chinese_and_japanese_lines_are_joined_without_a_space() {
        assert_eq!(join(&["水箱", "每月", "と Linux", "で"]), "水箱每月と Linux で");
        assert_eq!(join(&["한국어", "문서"]), "한국어 문서");
    }
}
