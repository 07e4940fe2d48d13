//! Takes the ending off an English word.
//!
//! The result is no word but a name for all forms of one. A rule that joins two words which have
//! nothing to do with each other costs more than one that misses a form, so there are few.

/// Forms that no rule makes, each list led by the word itself.
const IRREGULAR: &[&[&str]] = &[
    &["be", "am", "are", "been", "is", "was", "were"],
    &["become", "became"],
    &["begin", "began", "begun"],
    &["bite", "bitten"],
    &["blow", "blew", "blown"],
    &["break", "broke", "broken"],
    &["bring", "brought"],
    &["build", "built"],
    &["buy", "bought"],
    &["catch", "caught"],
    &["child", "children"],
    &["choose", "chose", "chosen"],
    &["deal", "dealt"],
    &["draw", "drawn", "drew"],
    &["drink", "drank", "drunk"],
    &["drive", "driven", "drove"],
    &["eat", "ate", "eaten"],
    &["fall", "fallen", "fell"],
    &["feed", "fed"],
    &["feel", "felt"],
    &["fight", "fought"],
    &["find", "found"],
    &["fly", "flew", "flown"],
    &["foot", "feet"],
    &["forget", "forgot", "forgotten"],
    &["freeze", "froze", "frozen"],
    &["get", "got", "gotten"],
    &["give", "gave", "given"],
    &["go", "gone", "went"],
    &["goose", "geese"],
    &["grow", "grew", "grown"],
    &["hang", "hung"],
    &["have", "had", "has"],
    &["hear", "heard"],
    &["hide", "hid", "hidden"],
    &["hold", "held"],
    &["keep", "kept"],
    &["know", "knew", "known"],
    &["lay", "laid"],
    &["lead", "led"],
    &["leave", "left"],
    &["lend", "lent"],
    &["lose", "lost"],
    &["make", "made"],
    &["man", "men"],
    &["meet", "met"],
    &["mouse", "mice"],
    &["pay", "paid"],
    &["ride", "ridden", "rode"],
    &["ring", "rang", "rung"],
    &["rise", "risen", "rose"],
    &["run", "ran"],
    &["say", "said"],
    &["see", "saw", "seen"],
    &["sell", "sold"],
    &["send", "sent"],
    &["shoot", "shot"],
    &["sing", "sang", "sung"],
    &["sink", "sank", "sunk"],
    &["sleep", "slept"],
    &["speak", "spoke", "spoken"],
    &["spend", "spent"],
    &["stand", "stood"],
    &["steal", "stole", "stolen"],
    &["strike", "struck"],
    &["sweep", "swept"],
    &["swim", "swam", "swum"],
    &["take", "taken", "took"],
    &["teach", "taught"],
    &["tear", "tore", "torn"],
    &["tell", "told"],
    &["think", "thought"],
    &["throw", "threw", "thrown"],
    &["tooth", "teeth"],
    &["wear", "wore", "worn"],
    &["weigh", "weight"],
    &["win", "won"],
    &["woman", "women"],
    &["write", "written", "wrote"],
];

/// Endings that make a noun of a verb, with the least length of what is left.
const NOUNS: &[(&str, usize)] = &[("ation", 4), ("ment", 4), ("ness", 4)];

/// Returns the stem of a word in lower case. A word with other letters than a to z is returned as
/// it is.
pub(super) fn stem(word: &str) -> String {
    if word.len() < 3 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return word.to_owned();
    }
    let base = IRREGULAR.iter().find(|forms| forms.contains(&word)).map_or(word, |forms| forms[0]);
    let mut stem = without_inflection(&without_plural(base));
    if let Some(rest) = stem.strip_suffix("ly").filter(|rest| rest.len() > 3) {
        stem.truncate(rest.len());
    }
    if let Some(rest) =
        NOUNS.iter().find_map(|(ending, least)| stem.strip_suffix(ending).filter(|rest| rest.len() >= *least))
    {
        stem.truncate(rest.len());
    }
    // A visitor visits, and a conductor conducts.
    if let Some(rest) = stem.strip_suffix("or").filter(|rest| rest.len() > 4 && rest.ends_with('t')) {
        stem.truncate(rest.len());
    }
    // What "-ation" leaves of "operation" is what this leaves of "operate".
    if let Some(rest) = stem.strip_suffix("ate").or_else(|| stem.strip_suffix("at")).filter(|rest| rest.len() > 3) {
        stem.truncate(rest.len());
    }
    if stem.len() > 3 && stem.ends_with('e') {
        stem.pop();
    }
    stem
}

/// Returns the irregular forms of the word with a stem.
pub fn related(stemmed: &str) -> impl Iterator<Item = &'static str> {
    let forms = IRREGULAR.iter().find(|forms| stem(forms[0]) == stemmed);
    forms.into_iter().flat_map(|forms| forms.iter().copied())
}

fn without_plural(word: &str) -> String {
    if let Some(rest) = word.strip_suffix("ies").filter(|rest| rest.len() > 1) {
        return format!("{rest}y");
    }
    if let Some(rest) = word.strip_suffix("es")
        && ["ss", "x", "ch", "sh", "zz"].iter().any(|end| rest.ends_with(end))
    {
        return rest.to_owned();
    }
    let plural = word.ends_with('s') && !["ss", "us", "is"].iter().any(|end| word.ends_with(end));
    if plural && word.len() > 3 { word[..word.len() - 1].to_owned() } else { word.to_owned() }
}

/// Returns the word without "-ed" and "-ing", and without the letter that they double.
fn without_inflection(word: &str) -> String {
    if let Some(rest) = word.strip_suffix("ied").filter(|rest| rest.len() > 1) {
        return format!("{rest}y");
    }
    // "Need" and "feed" end with what they are.
    let rest = word.strip_suffix("ing").or_else(|| word.strip_suffix("ed").filter(|_| !word.ends_with("eed")));
    let Some(rest) = rest.filter(|rest| rest.len() > 1 && rest.contains(['a', 'e', 'i', 'o', 'u', 'y'])) else {
        return word.to_owned();
    };
    let mut end = rest.bytes().rev();
    let doubled = rest.len() > 2 && end.next() == end.next() && !rest.ends_with(['l', 's', 'z', 'e', 'o']);
    rest[..rest.len() - usize::from(doubled)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for forms in [
            &["charge", "charged", "charges", "charging"][..],
            &["stop", "stopped", "stopping", "stops"],
            &["carry", "carried", "carries", "carrying"],
            &["battery", "batteries"],
            &["box", "boxes"],
            &["install", "installed", "installation"],
            &["operate", "operation", "operating"],
            &["replace", "replacement", "replaced"],
            &["build", "built", "building"],
            &["write", "wrote", "writes"],
            &["fill", "filled", "filling"],
        ] {
            for form in forms {
                assert_eq!(stem(form), stem(forms[0]), "{form}");
            }
        }
    }

    #[test]
    fn words_that_only_look_alike_keep_apart() {
        for (one, other) in [("station", "state"), ("bus", "bu"), ("sing", "s"), ("need", "ne"), ("glass", "glas")] {
            assert_ne!(stem(one), stem(other), "{one} {other}");
        }
    }

    #[test]
    fn other_scripts_are_left_alone() {
        assert_eq!(stem("станции"), "станции");
        assert_eq!(stem("mp3s"), "mp3s");
    }
}
