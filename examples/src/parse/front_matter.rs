//! Reads the front matter of Markdown: YAML between `---` and `---` (or `...`), or TOML between
//! `+++`, from the first byte on.
//!
//! Lists become one text with commas, and a value inside another one has the names of both. What
//! stands between two rules and is no mapping is text, not front matter.

use granit_parser::{Event, Parser};
use toml::Value;

use super::outline::Outline;
use crate::document::LossKind;

/// The largest front matter in bytes.
const LONGEST: usize = 64 << 10;

/// The number of nested values that are read.
const DEEPEST: usize = 8;

/// Adds the facts of the front matter to `outline`, and returns the text after it.
pub(super) fn read<'a>(text: &'a str, outline: &mut Outline) -> &'a str {
    let facts = |mark: &str, ends: &[&str]| {
        let (matter, rest) = cut(text, mark, ends)?;
        (matter.len() <= LONGEST).then_some((matter, rest))
    };
    if let Some((matter, rest)) = facts("---", &["---", "..."]) {
        return match yaml(matter) {
            Ok(found) => add(found, rest, outline),
            Err(Fault::NoMapping) => text,
            Err(Fault::Broken(cause)) => by_line(matter, &cause, outline).map_or(text, |()| rest),
        };
    }
    if let Some((matter, rest)) = facts("+++", &["+++"]) {
        return match matter.parse::<toml::Table>() {
            Ok(table) => {
                let mut found = Vec::new();
                flatten("", &Value::Table(table), 0, &mut found);
                add(found, rest, outline)
            }
            Err(error) => {
                let cause = format!("the front matter is not TOML and was kept as text: {}", error.message());
                outline.lose(LossKind::Metadata, cause);
                text
            }
        };
    }
    text
}

fn add<'a>(found: Vec<(String, String)>, rest: &'a str, outline: &mut Outline) -> &'a str {
    for (name, value) in found {
        outline.fact(&name, &value);
    }
    rest
}

/// Returns what is between a first line `mark` and the next line that is one of `ends`, and what
/// follows.
fn cut<'a>(text: &'a str, mark: &str, ends: &[&str]) -> Option<(&'a str, &'a str)> {
    let (first, body) = text.split_once('\n')?;
    if first.trim_end() != mark {
        return None;
    }
    let mut at = 0;
    for line in body.split_inclusive('\n') {
        if ends.contains(&line.trim_end()) {
            return Some((&body[..at], &body[at + line.len()..]));
        }
        at += line.len();
    }
    None
}

/// The reason why YAML has no facts.
enum Fault {
    /// It is not a mapping.
    NoMapping,
    /// It is not YAML.
    Broken(String),
}

/// A collection that is open while YAML is read.
struct Open {
    is_mapping: bool,
    /// The name of the value that comes next in a mapping.
    key: Option<String>,
    /// The number of names in front of it.
    names: usize,
}

fn yaml(matter: &str) -> Result<Vec<(String, String)>, Fault> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut is_mapping = false;
    for event in Parser::new_from_str(matter) {
        let (event, _) = event.map_err(|error| Fault::Broken(error.to_string()))?;
        let value = match event {
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                let key = open.last_mut().and_then(|parent| parent.key.take());
                let opens_mapping = matches!(event, Event::MappingStart(..));
                if open.is_empty() && !opens_mapping {
                    return Err(Fault::NoMapping);
                }
                is_mapping = true;
                open.push(Open { is_mapping: opens_mapping, key: None, names: names.len() });
                names.extend(key);
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => {
                if let Some(closed) = open.pop() {
                    names.truncate(closed.names);
                }
                continue;
            }
            Event::Scalar(value, ..) => value.into_owned(),
            // A value that is repeated is read once, where it is first.
            Event::Alias(_) => String::new(),
            _ => continue,
        };
        let Some(parent) = open.last_mut() else { return Err(Fault::NoMapping) };
        if parent.is_mapping && parent.key.is_none() {
            parent.key = Some(value);
            continue;
        }
        let name: Vec<&str> = names.iter().chain(&parent.key).map(String::as_str).collect();
        push(&mut found, name[..name.len().min(DEEPEST)].join("."), &value);
        parent.key = None;
    }
    if is_mapping { Ok(found) } else { Err(Fault::NoMapping) }
}

/// Adds a value, after a comma if it is a further one of a list.
fn push(found: &mut Vec<(String, String)>, name: String, value: &str) {
    let is_empty = matches!(value, "" | "~" | "null");
    match found.last_mut() {
        _ if is_empty => {}
        Some((last, list)) if *last == name => {
            list.push_str(", ");
            list.push_str(value);
        }
        _ => found.push((name, value.to_owned())),
    }
}

fn flatten(name: &str, value: &Value, depth: usize, found: &mut Vec<(String, String)>) {
    match value {
        _ if depth > DEEPEST => {}
        Value::Table(table) => {
            for (key, value) in table {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(&name, value, depth + 1, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| flatten(name, value, depth + 1, found)),
        Value::String(text) => push(found, name.to_owned(), text),
        Value::Datetime(time) => push(found, name.to_owned(), &time.to_string()),
        other => push(found, name.to_owned(), &other.to_string()),
    }
}

/// Reads front matter that is not quite YAML, such as `title: Pumps: a guide`, line by line.
/// Returns `None` if it does not look like front matter at all.
fn by_line(matter: &str, cause: &str, outline: &mut Outline) -> Option<()> {
    let lines: Vec<&str> = matter.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).collect();
    let pair = |line: &'_ str| -> Option<(String, String)> {
        let (name, value) = line.split_once(':')?;
        let is_name = !name.is_empty()
            && name.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '-' | '.'));
        let value = value.trim().trim_matches(['"', '\'']);
        is_name.then(|| (name.to_owned(), value.to_owned()))
    };
    let goes_on = |line: &str| line.starts_with([' ', '\t']) || line.starts_with("- ");
    let is_matter = pair(lines.first()?).is_some() && lines.iter().all(|line| pair(line).is_some() || goes_on(line));
    if !is_matter {
        return None;
    }
    let mut name = String::new();
    let mut found = Vec::new();
    for line in lines {
        let value = match pair(line) {
            Some((key, value)) => {
                name = key;
                value
            }
            None => line.trim().trim_start_matches("- ").to_owned(),
        };
        push(&mut found, name.clone(), &value);
    }
    outline.lose(LossKind::Metadata, format!("the front matter is not YAML and was read line by line: {cause}"));
    add(found, "", outline);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> (Vec<(String, String)>, String, usize) {
        let mut outline = Outline::default();
        let rest = read(text, &mut outline).to_owned();
        (outline.metadata, rest, outline.losses.len())
    }

    fn pairs(facts: &[(&str, &str)]) -> Vec<(String, String)> {
        facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn yaml_and_toml_are_read_with_lists_and_nested_values() {
        let yaml = "---\ntitle: \"Pump: a manual\"\ntags:\n  - water\n  - oil\nauthor: {name: Ann, mail: ~}\ndate: 2026-01-02\nabstract: >\n  Long\n  text.\n---\n# Text\n";
        let expected = [
            ("title", "Pump: a manual"),
            ("tags", "water, oil"),
            ("author.name", "Ann"),
            ("date", "2026-01-02"),
            ("abstract", "Long text."),
        ];
        assert_eq!(facts(yaml).1, "# Text\n");
        let found = facts(yaml).0;
        assert_eq!(found.len(), expected.len());
        assert_eq!(found[..4], pairs(&expected)[..4]);
        let toml = "+++\ntitle = \"Pump\"\ntags = [\"a\", \"b\"]\ndraft = false\n[extra]\nrank = 3\n+++\nText";
        let expected = pairs(&[("draft", "false"), ("extra.rank", "3"), ("tags", "a, b"), ("title", "Pump")]);
        let mut found = facts(toml).0;
        found.sort();
        assert_eq!((found, facts(toml).1.as_str()), (expected, "Text"));
    }

    #[test]
    fn what_is_not_quite_yaml_is_read_by_line_and_told() {
        let (found, rest, losses) = facts("---\ntitle: Pumps: a guide\ntags:\n- one\n- two\n---\nText");
        assert_eq!(
            (found, rest.as_str(), losses),
            (pairs(&[("title", "Pumps: a guide"), ("tags", "one, two")]), "Text", 1)
        );
    }

    #[test]
    fn text_between_rules_is_not_front_matter() {
        for text in [
            "---\n**Pump**: serviced every six months.\n\nThe valve is blue.\n\n---\nMore",
            "---\nJust a sentence\n---\nMore",
            "---\n- a list\n---\nMore",
            "---\nno: end\n",
            "\n---\ntitle: late\n---\n",
            "---\n\n---\n",
        ] {
            let (found, rest, losses) = facts(text);
            assert_eq!((found.len(), rest.as_str(), losses), (0, text, 0), "{text}");
        }
        let (found, rest, losses) = facts("+++\nnot toml\n+++\nMore");
        assert_eq!((found.len(), rest.as_str(), losses), (0, "+++\nnot toml\n+++\nMore", 1));
    }
}
