//! The kind of fact that an English question asks for.
//!
//! A passage can contain every word of "When was the mill built?" and still not say when. So a
//! passage without any date, number or name counts less where one is asked for.

use crate::terms::terms;
use crate::words;

/// The kind of fact that an answer contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    kind: Kind,
    /// Words that show the fact without a number, such as "daily", and the units of a number.
    signs: &'static [&'static str],
    /// The question's own words for the fact, such as "heavy".
    asked_by: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A number, in digits or as a word.
    Number,
    /// A number with one of the signs, or a sign.
    Measure,
    /// A year, a month, a weekday or a time.
    Time,
    /// A name, which is written with a capital letter.
    Name,
}

/// A beginning of a question, and the fact that it asks for.
struct Form {
    beginnings: &'static [&'static str],
    kind: Kind,
    signs: &'static [&'static str],
    asked_by: &'static [&'static str],
}

const LENGTHS: &[&str] = &[
    "m", "cm", "mm", "km", "metre", "meter", "centimetre", "centimeter", "millimetre", "millimeter", "kilometre", "kilometer", "mile",
    "foot", "feet", "inch", "yard", "pace", "fathom",
];
const DURATIONS: &[&str] = &[
    "second", "minute", "hour", "day", "night", "week", "fortnight", "month", "season", "year", "decade", "century",
    "generation", "min", "h",
];
const WEIGHTS: &[&str] = &["kg", "g", "gram", "kilogram", "kilo", "ton", "tonne", "pound", "ounce", "lb", "stone", "weigh", "weight"];
const MONEY: &[&str] = &[
    "euro", "dollar", "pound", "cent", "penny", "pence", "crown", "franc", "shilling", "guinea", "usd", "eur", "gbp", "free", "price",
    "cost",
];
const DEGREES: &[&str] = &["degree", "celsius", "fahrenheit", "kelvin"];
const RATES: &[&str] = &[
    "every", "each", "daily", "weekly", "monthly", "yearly", "annually", "hourly", "once", "twice", "thrice", "time", "per", "always",
    "never", "rarely", "seldom",
];
const SPEEDS: &[&str] = &["knot", "kmh", "mph", "km", "kilometre", "mile", "metre", "per", "hour", "second"];

/// The longer beginnings stand first.
const FORMS: &[Form] = &[
    Form { beginnings: &["how heavy", "how much does", "what weight"], kind: Kind::Measure, signs: WEIGHTS, asked_by: &["heavy"] },
    Form { beginnings: &["how often", "how frequently"], kind: Kind::Measure, signs: RATES, asked_by: &["often", "frequently"] },
    Form {
        beginnings: &["how tall", "how high", "how deep", "how wide", "how far", "how thick", "how big", "how broad"],
        kind: Kind::Measure,
        signs: LENGTHS,
        asked_by: &["tall", "high", "deep", "wide", "far", "thick", "big", "broad"],
    },
    Form { beginnings: &["how old"], kind: Kind::Measure, signs: DURATIONS, asked_by: &["old"] },
    Form { beginnings: &["how fast", "how quickly"], kind: Kind::Measure, signs: SPEEDS, asked_by: &["fast", "quickly"] },
    Form {
        beginnings: &["how hot", "how cold", "how warm", "what temperature", "at what temperature", "at which temperature"],
        kind: Kind::Measure,
        signs: DEGREES,
        asked_by: &["hot", "cold", "warm", "temperature"],
    },
    Form { beginnings: &["how long ago"], kind: Kind::Time, signs: DURATIONS, asked_by: &["long", "ago"] },
    Form { beginnings: &["how many", "how much", "how large", "what percentage"], kind: Kind::Number, signs: &[], asked_by: &[] },
    Form {
        beginnings: &["when", "what year", "which year", "in what year", "in which year", "what date", "on what date", "which day"],
        kind: Kind::Time,
        signs: &[],
        asked_by: &["year", "date", "day"],
    },
    Form { beginnings: &["who", "whose", "whom", "by whom"], kind: Kind::Name, signs: &[], asked_by: &[] },
];

impl Expected {
    /// Returns the fact that a question in English asks for, or `None` if its beginning does not
    /// tell.
    pub fn of(question: &str) -> Option<Self> {
        let asked = format!("{} ", words::words(question).collect::<Vec<_>>().join(" "));
        let starts = |beginning: &&str| asked.strip_prefix(*beginning).is_some_and(|rest| rest.starts_with(' '));
        if asked.starts_with("how long ") && !asked.starts_with("how long ago ") {
            return Some(Self::how_long(&asked));
        }
        if asked.starts_with("how much does ") || asked.starts_with("how much did ") || asked.starts_with("how much is ") {
            return Some(Self::how_much(&asked));
        }
        let form = FORMS.iter().find(|form| form.beginnings.iter().any(starts))?;
        Some(Self { kind: form.kind, signs: form.signs, asked_by: form.asked_by })
    }

    /// A duration, or a length: "how long is the bridge", "how long does it take".
    fn how_long(asked: &str) -> Self {
        let is_length = asked.starts_with("how long is ") || asked.starts_with("how long was ") || asked.starts_with("how long are ");
        let kind = if is_length { Kind::Number } else { Kind::Measure };
        Self { kind, signs: DURATIONS, asked_by: &["long"] }
    }

    /// A price, or a weight.
    fn how_much(asked: &str) -> Self {
        if asked.contains(" weigh") {
            return Self { kind: Kind::Measure, signs: WEIGHTS, asked_by: &[] };
        }
        let signs = if asked.contains(" cost") { MONEY } else { &[] };
        Self { kind: if signs.is_empty() { Kind::Number } else { Kind::Measure }, signs, asked_by: &["cost"] }
    }

    /// Returns `true` if the question uses this term only to say which fact it asks for.
    pub(super) fn asks_by(&self, term: &str) -> bool {
        self.asked_by.iter().any(|word| terms(word).iter().any(|one| one == term))
    }

    /// Returns `true` if the text contains a fact of this kind.
    pub fn is_in(&self, text: &str) -> bool {
        match self.kind {
            Kind::Number => has_number(text),
            Kind::Measure => self.has_sign(text),
            Kind::Time => has_time(text) || self.has_sign(text),
            Kind::Name => has_name(text),
        }
    }

    fn has_sign(&self, text: &str) -> bool {
        let said = terms(text);
        let symbol = if self.signs == MONEY { text.contains(['€', '$', '£', '¥']) } else { text.contains('°') && self.signs == DEGREES };
        symbol || self.signs.iter().any(|sign| terms(sign).iter().all(|term| said.contains(term)))
    }
}

/// The numbers that prose writes out.
const NUMBERS: &[&str] = &[
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen",
    "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
    "hundred", "thousand", "million", "dozen", "half", "quarter", "third", "once", "twice", "pair", "single", "both", "none",
];

fn has_number(text: &str) -> bool {
    text.contains(|character: char| character.is_numeric()) || words::words(text).any(|word| is_number(&word))
}

/// Returns `true` for "twelve", and for "forty-one", whose parts are words of their own.
fn is_number(word: &str) -> bool {
    NUMBERS.contains(&word)
}

/// The words of times that are not numbers.
const TIMES: &[&str] = &[
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december", "monday",
    "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "spring", "summer", "autumn", "fall", "winter", "morning",
    "noon", "afternoon", "evening", "night", "midnight", "dawn", "dusk", "sunrise", "sunset", "yesterday", "today", "tomorrow",
    "century", "easter", "christmas", "daily", "weekly", "after", "before", "until", "during", "whenever", "when", "once", "year", "week",
    "month", "day", "hour",
];

fn has_time(text: &str) -> bool {
    text.contains(|character: char| character.is_numeric()) || words::words(text).any(|word| TIMES.contains(&word.as_str()))
}

/// Words for people that stand for a name.
const PEOPLE: &[&str] = &[
    "owner", "farmer", "keeper", "teacher", "doctor", "captain", "engineer", "priest", "monk", "king", "queen", "builder", "driver",
    "president", "director", "manager", "mayor", "clerk", "guard", "baker", "miller", "volunteers", "children", "members", "committee",
    "council", "family", "men", "women", "man", "woman", "widow", "daughter", "son", "brother", "sister", "father", "mother", "crew",
    "staff", "anyone", "everyone", "nobody", "person", "people", "company", "society", "guild", "you", "i", "we", "they", "he", "she",
];

/// Returns `true` if a word within a sentence begins with a capital letter, or a person is named by
/// a role.
fn has_name(text: &str) -> bool {
    let capital = words::sentences(text).any(|range| {
        let mut words = text[range].split_whitespace();
        words.next();
        words.any(|word| word.trim_start_matches(|character: char| !character.is_alphanumeric()).starts_with(char::is_uppercase))
    });
    capital || words::words(text).any(|word| PEOPLE.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(question: &str, text: &str) -> bool {
        Expected::of(question).expect("a kind").is_in(text)
    }

    #[test]
    fn a_text_without_the_kind_of_fact_is_no_answer() {
        assert!(answers("When was the mill built?", "It was built in 1802."));
        assert!(!answers("When was the mill built?", "The mill was built of oak."));
        assert!(answers("How heavy is the anchor?", "The anchor weighs four tonnes."));
        assert!(!answers("How heavy is the anchor?", "The anchor is 4 metres long."));
        assert!(answers("Who founded it?", "It was founded by Ada Quill."));
        assert!(!answers("Who founded it?", "It was founded in the north."));
        assert!(answers("How often is it cleaned?", "Clean it every spring."));
        assert!(answers("How much does a vane cost?", "The vane is 24 €."));
    }

    #[test]
    fn other_questions_expect_nothing() {
        assert_eq!(Expected::of("Why does it squeak?"), None);
        assert_eq!(Expected::of("battery"), None);
    }
}
