//! The words of a language that carry no meaning of their own, such as "the" and "of", as sets.

use std::collections::{HashMap, HashSet};
use std::sync::{LazyLock, OnceLock};

/// The sets of all languages with a list, each made when it is first asked for.
static SETS: LazyLock<HashMap<&'static str, OnceLock<HashSet<&'static str>>>> =
    LazyLock::new(|| stop_words::available_languages().iter().map(|language| (*language, OnceLock::new())).collect());

/// The set of a language without a list.
static NONE: LazyLock<HashSet<&'static str>> = LazyLock::new(HashSet::new);

/// Returns the stop words, in lower case, of the language with a two-letter code (ISO 639-1), or an
/// empty set for a language without a list.
pub fn of(language: Option<&str>) -> &'static HashSet<&'static str> {
    let known = language.and_then(|language| SETS.get_key_value(language));
    known.map_or(&NONE, |(language, set)| {
        set.get_or_init(|| stop_words::lookup(language).unwrap_or_default().iter().copied().collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_its_own_words() {
        assert!(of(Some("en")).contains("the") && !of(Some("en")).contains("der"));
        assert!(of(Some("de")).contains("der"));
        assert!(of(Some("xx")).is_empty() && of(None).is_empty());
    }
}
