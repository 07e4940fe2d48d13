//! Tags: `key:value`, as Datadog accepts them.

/// The largest number of tags of a log. `LONGEST` is the largest number of characters of a tag
/// (Datadog, "Log Collection", "Attributes and tags").
const MOST: usize = 100;
const LONGEST: usize = 256;

/// The tags of one entry, separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tags {
    text: String,
    number: usize,
}

impl Tags {
    /// Adds a tag with a key and a value, unless the value is empty.
    pub(super) fn add(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.add_whole(&format!("{key}:{value}"));
        }
    }

    /// Adds a tag, unless nothing of it is valid, it is already there, or there are too many.
    pub(super) fn add_whole(&mut self, tag: &str) {
        let tag = normalized(tag);
        if tag.is_empty() || self.number == MOST || self.all().any(|known| known == tag) {
            return;
        }
        if self.number > 0 {
            self.text.push(',');
        }
        self.text.push_str(&tag);
        self.number += 1;
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the tags in alphabetical order, so that the result does not depend on the order in
    /// which they were added.
    pub(super) fn sorted(&self) -> String {
        let mut all: Vec<_> = self.all().collect();
        all.sort_unstable();
        all.join(",")
    }

    /// Returns an iterator over the tags.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.text.split(',').filter(|tag| !tag.is_empty())
    }
}

/// Returns a tag as Datadog stores it (Datadog, "Getting Started with Tags", "Define tags"): it
/// begins with a letter, consists of lower-case letters, digits and `_ - : . /`, and has at most
/// 256 characters. Invalid characters become underscores.
fn normalized(tag: &str) -> String {
    let mut normal = String::with_capacity(tag.len());
    let from_letter = tag.trim().trim_start_matches(|sign: char| !sign.is_alphabetic());
    for sign in from_letter.chars().flat_map(char::to_lowercase) {
        let is_allowed = sign.is_alphanumeric() || matches!(sign, '_' | '-' | ':' | '.' | '/');
        let sign = if is_allowed { sign } else { '_' };
        if sign != '_' || !normal.ends_with('_') {
            normal.push(sign);
        }
    }
    if let Some((end, _)) = normal.char_indices().nth(LONGEST) {
        normal.truncate(end);
    }
    normal.truncate(normal.trim_end_matches('_').len());
    normal
}

/// Parses `DD_TAGS`: tags separated by commas or, if there is no comma, by white space.
pub(crate) fn parse(text: &str) -> Vec<String> {
    let separated: Vec<&str> =
        if text.contains(',') { text.split(',').collect() } else { text.split_whitespace().collect() };
    separated.into_iter().map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_parted_by_commas_or_by_white_space() {
        assert_eq!(parse("team:search, owner:Ann Lee ,,"), ["team:search", "owner:Ann Lee"]);
        assert_eq!(parse(" team:search\towner:ann "), ["team:search", "owner:ann"]);
        assert_eq!(parse(" , "), [""; 0]);
    }

    #[test]
    fn a_tag_becomes_what_datadog_would_make_of_it() {
        assert_eq!(normalized("Env:Production"), "env:production");
        assert_eq!(normalized("owner:Ann, Lee!"), "owner:ann_lee");
        assert_eq!(normalized("1st:x"), "st:x");
        assert_eq!(normalized("größe:Ärger"), "größe:ärger");
        assert_eq!(normalized(" \u{0}\n__ "), "");
        assert_eq!(normalized(&"é".repeat(300)).chars().count(), LONGEST);
    }

    #[test]
    fn there_are_at_most_a_hundred_and_none_twice() {
        let mut tags = Tags::default();
        (0..150).for_each(|number| tags.add("key", Some(&number.to_string())));
        tags.add("key", Some("0"));
        tags.add("none", Some(""));
        assert_eq!(tags.all().count(), MOST);
        assert!(tags.as_str().starts_with("key:0,key:1,"));
    }
}
