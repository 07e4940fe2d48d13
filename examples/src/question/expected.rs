//! The kind of fact that an English question asks for.
//!
//! A passage can contain every word of "When was the mill built?" and still not say when. So a
//! passage without any date, number or name counts less where one is asked for.

use crate::terms::terms;
use crate::words;

/// The kind of fact that an answer contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A number, in digits or as a word.
    Number,
    /// One of these words, mostly the unit of a number.
    Measure(&'static [&'static str]),
    /// A year, a month, a weekday, a time or a duration.
    Time,
    /// A name, which is written with a capital letter, or a person's role.
    Name,
}

const LENGTHS: &[&str] = &[
    "m",
    "cm",
    "mm",
    "km",
    "metre",
    "meter",
    "centimetre",
    "centimeter",
    "millimetre",
    "millimeter",
    "kilometre",
    "kilometer",
    "mile",
    "foot",
    "feet",
    "inch",
    "yard",
    "pace",
    "fathom",
];
const DURATIONS: &[&str] = &[
    "second",
    "minute",
    "hour",
    "day",
    "night",
    "week",
    "fortnight",
    "month",
    "season",
    "year",
    "decade",
    "century",
    "generation",
    "min",
    "h",
];
const WEIGHTS: &[&str] =
    &["kg", "g", "gram", "kilogram", "kilo", "ton", "tonne", "pound", "ounce", "lb", "stone", "weigh", "weight"];
const MONEY: &[&str] = &[
    "euro", "dollar", "pound", "cent", "penny", "pence", "crown", "franc", "shilling", "guinea", "usd", "eur", "gbp",
    "free", "price", "cost", "€", "$", "£", "¥",
];
const DEGREES: &[&str] = &["degree", "celsius", "fahrenheit", "kelvin", "°"];
const RATES: &[&str] = &[
    "every", "each", "daily", "weekly", "monthly", "yearly", "annually", "hourly", "once", "twice", "thrice", "time",
    "per", "always", "never", "rarely", "seldom",
];
const SPEEDS: &[&str] = &["knot", "kmh", "mph", "km", "kilometre", "mile", "metre", "per", "hour", "second"];

/// The beginnings of questions, and the facts that they ask for. The longer ones stand first.
const FORMS: &[(&[&str], Expected)] = &[
    (&["how long is", "how long was", "how long are", "how long were"], Expected::Number),
    (&["how long ago", "how long since"], Expected::Time),
    (&["how long", "for how long", "how old", "how soon"], Expected::Measure(DURATIONS)),
    (&["how heavy", "what weight", "how much does it weigh"], Expected::Measure(WEIGHTS)),
    (&["how often", "how frequently", "how many times"], Expected::Measure(RATES)),
    (
        &["how tall", "how high", "how deep", "how wide", "how far", "how thick", "how broad", "how large", "how big"],
        Expected::Measure(LENGTHS),
    ),
    (&["how fast", "how quickly"], Expected::Measure(SPEEDS)),
    (
        &[
            "how hot",
            "how cold",
            "how warm",
            "what temperature",
            "at what temperature",
            "at which temperature",
            "to what temperature",
        ],
        Expected::Measure(DEGREES),
    ),
    (&["how many", "how much", "what percentage", "what share", "at what speed"], Expected::Number),
    (
        &[
            "when",
            "since when",
            "until when",
            "what year",
            "which year",
            "in what year",
            "in which year",
            "what date",
            "on what date",
            "which day",
            "on which day",
            "what day",
            "what time",
            "at what time",
            "which month",
            "in which month",
        ],
        Expected::Time,
    ),
    (&["who", "whose", "whom", "by whom"], Expected::Name),
];

/// Words by which a question asks for a fact, and others by which a passage states the same one.
/// The tower that is asked how high it is may have a height.
const SYNONYMS: &[(&[&str], &[&str])] = &[
    (&["heavy", "weigh", "weight"], WEIGHTS),
    (&["hot", "cold", "warm", "temperature"], DEGREES),
    (
        &["cost", "price", "fee", "charge", "fare", "expensive", "pay"],
        &["cost", "price", "fee", "charge", "fare", "rent", "ticket", "pay"],
    ),
    (&["cost", "price", "fee", "charge", "fare", "expensive", "pay"], MONEY),
    (&["tall", "high", "height"], &["tall", "high", "height", "above"]),
    (&["deep", "depth"], &["deep", "depth", "below"]),
    (&["wide", "width", "broad", "diameter"], &["wide", "width", "broad", "across", "span", "diameter"]),
    (&["far", "distance"], &["far", "distance", "reach", "away", "kilometre", "mile", "metre"]),
    (&["fast", "speed", "quickly"], SPEEDS),
    (&["often", "frequently"], RATES),
    (&["thick", "thickness"], &["thick", "thickness"]),
    (
        &["begin", "start", "founded", "opened"],
        &["begin", "start", "founded", "found", "opened", "established", "since"],
    ),
    (
        &["build", "construct", "erect", "raise"],
        &["build", "construct", "erect", "raise", "finish", "complete", "put up"],
    ),
    (&["buy", "purchase"], &["buy", "purchase", "sell", "acquire"]),
    (&["rescue", "save"], &["rescue", "save", "bring"]),
    (&["allow", "permit", "forbid"], &["allow", "permit", "may", "forbid", "must", "forbidden"]),
    (&["die", "death", "kill"], &["die", "death", "kill", "lose", "life", "lives"]),
    (&["lead", "leader", "head", "chair", "run"], &["lead", "leader", "head", "chair", "keeper", "director"]),
];

/// Returns the terms by which a passage may say the same as `term` of an English question.
pub(super) fn synonyms(term: &str) -> Vec<String> {
    let is_asked = |asked: &[&str]| asked.iter().any(|word| terms(word).iter().any(|one| one == term));
    let said = SYNONYMS.iter().filter(|(asked, _)| is_asked(asked)).flat_map(|(_, said)| said.iter());
    said.flat_map(|word| terms(word)).filter(|one| one != term).collect()
}

impl Expected {
    /// Returns the fact that a question in English asks for, or `None` if its beginning does not
    /// tell.
    pub fn of(question: &str) -> Option<Self> {
        let asked = words::words(question).collect::<Vec<_>>().join(" ");
        let starts = |beginning: &&str| asked.strip_prefix(*beginning).is_some_and(|rest| rest.starts_with(' '));
        let (_, expected) = FORMS.iter().find(|(beginnings, _)| beginnings.iter().any(starts))?;
        let says = |word: &str| asked.split(' ').any(|one| one.starts_with(word));
        Some(match expected {
            // "How much does it weigh", "how many euros does it cost".
            Self::Number if says("weigh") => Self::Measure(WEIGHTS),
            Self::Number if says("cost") || says("price") => Self::Measure(MONEY),
            other => *other,
        })
    }

    /// Returns `true` if the text contains a fact of this kind.
    pub fn is_in(self, text: &str) -> bool {
        match self {
            Self::Number => has_number(text),
            Self::Measure(signs) => has_sign(text, signs),
            Self::Time => has_time(text),
            Self::Name => has_name(text),
        }
    }
}

fn has_sign(text: &str, signs: &[&str]) -> bool {
    let said = terms(text);
    signs.iter().any(|sign| {
        let of_sign = terms(sign);
        if of_sign.is_empty() { text.contains(sign) } else { of_sign.iter().all(|term| said.contains(term)) }
    })
}

/// The numbers that prose writes out.
const NUMBERS: &[&str] = &[
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
    "hundred",
    "thousand",
    "million",
    "dozen",
    "half",
    "quarter",
    "third",
    "once",
    "twice",
    "pair",
    "single",
    "both",
    "none",
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
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "spring",
    "summer",
    "autumn",
    "fall",
    "winter",
    "morning",
    "noon",
    "afternoon",
    "evening",
    "night",
    "midnight",
    "dawn",
    "dusk",
    "sunrise",
    "sunset",
    "yesterday",
    "today",
    "tomorrow",
    "century",
    "easter",
    "christmas",
    "daily",
    "weekly",
    "after",
    "before",
    "until",
    "during",
    "whenever",
    "when",
    "once",
    "year",
    "week",
    "month",
    "day",
    "hour",
];

fn has_time(text: &str) -> bool {
    text.contains(|character: char| character.is_numeric())
        || words::words(text).any(|word| TIMES.contains(&word.as_str()))
}

/// Words for people that stand for a name.
const PEOPLE: &[&str] = &[
    "owner",
    "farmer",
    "keeper",
    "teacher",
    "doctor",
    "captain",
    "engineer",
    "priest",
    "monk",
    "king",
    "queen",
    "builder",
    "driver",
    "president",
    "director",
    "manager",
    "mayor",
    "clerk",
    "guard",
    "baker",
    "miller",
    "volunteers",
    "children",
    "members",
    "committee",
    "council",
    "family",
    "men",
    "women",
    "man",
    "woman",
    "widow",
    "daughter",
    "son",
    "brother",
    "sister",
    "father",
    "mother",
    "crew",
    "staff",
    "anyone",
    "everyone",
    "nobody",
    "person",
    "people",
    "company",
    "society",
    "guild",
    "you",
    "i",
    "we",
    "they",
    "he",
    "she",
];

/// Returns `true` if a word within a sentence begins with a capital letter, or a person is named by
/// a role.
fn has_name(text: &str) -> bool {
    let capital = words::sentences(text).any(|range| {
        let mut words = text[range].split_whitespace();
        words.next();
        words.any(|word| {
            word.trim_start_matches(|character: char| !character.is_alphanumeric()).starts_with(char::is_uppercase)
        })
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
