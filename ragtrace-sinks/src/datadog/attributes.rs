//! Writes the attributes of an entry within Datadog's limits.
//!
//! A log has fewer than 256 attributes, each with a key of fewer than 50 characters on fewer than
//! 10 levels, and values of facets have fewer than 1,024 characters (Datadog, "Log Collection",
//! "Attributes and tags"). Datadog does not refuse what exceeds these limits, but loses it in
//! various ways. So it is made to fit here: JSON that exceeds a limit becomes a string, a string is
//! cut with a mark, and a field is left out and counted if there are too many fields, or if its cut
//! key equals another field's.

use std::borrow::Cow;

use ragtrace::__json::{FieldValue, Object, write_float, write_text, write_whole};
use ragtrace::Record;

/// The longest value for people to search by, in bytes.
const LONGEST_FACET: usize = 1_023;
/// The longest key, in characters.
const LONGEST_KEY: usize = 49;
/// The largest number of levels of an attribute, including its own.
const MOST_LEVELS: usize = 9;
/// The start of the mark at the end of a cut text. The number of removed bytes follows, as in the
/// records themselves.
const MARK: &str = "…[truncated ";

/// The attributes that an entry may still contain, and what did not fit.
#[derive(Clone, Debug)]
pub(super) struct Budget<'a> {
    record: &'a Record,
    /// The number of attributes that may still be added.
    pub(super) attributes: usize,
    /// The longest text, in bytes.
    pub(super) longest_text: usize,
    pub(super) left_out: u64,
    /// The keys in the current object that differ from the names of their fields.
    changed_keys: Vec<String>,
}

impl<'a> Budget<'a> {
    pub(super) fn new(record: &'a Record, attributes: usize, longest_text: usize) -> Self {
        Self { record, attributes, longest_text, left_out: 0, changed_keys: Vec::new() }
    }

    /// Writes a text, cut if it is too long.
    pub(super) fn write_text(&self, out: &mut Vec<u8>, text: &str) {
        match shortened(text, self.longest_text) {
            None => write_text(out, text),
            Some(cut) => write_text(out, &cut),
        }
    }

    /// Begins another object, whose keys are independent of the previous one's.
    pub(super) fn begin_object(&mut self) {
        self.changed_keys.clear();
    }

    /// Takes a number of attributes from the budget. Returns `false` if there are too few left.
    pub(super) fn take(&mut self, attributes: usize) -> bool {
        let has_room = attributes <= self.attributes;
        if has_room {
            self.attributes -= attributes;
        }
        has_room
    }

    /// Writes a field whose name lies below `levels` other levels.
    pub(super) fn write_field(&mut self, object: &mut Object<'_>, levels: usize, name: &str, value: &FieldValue<'_>) {
        let (name, own_levels) = key(name, MOST_LEVELS - levels);
        // Of two values with the same key, Datadog keeps only one.
        if matches!(&name, Cow::Owned(changed) if self.has_key(changed)) || !self.take(1) {
            self.left_out += 1;
            return;
        }
        if let Cow::Owned(changed) = &name {
            self.changed_keys.push(changed.clone());
        }
        let out = object.value(&name);
        match value {
            FieldValue::Null => out.extend_from_slice(b"null"),
            FieldValue::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            FieldValue::U64(number) => write_unsigned(out, *number),
            FieldValue::I64(number) => write_whole(out, *number),
            FieldValue::F64(number) => write_float(out, *number),
            FieldValue::Text(text) => self.write_text(out, text),
            FieldValue::Json(json) => self.write_json(out, levels + own_levels, json),
        }
    }

    /// Returns `true` if another field has this changed key.
    fn has_key(&self, changed: &str) -> bool {
        let is_name = self.record.field(changed).is_some() || self.record.metric(changed).is_some();
        is_name || self.changed_keys.iter().any(|known| known == changed)
    }

    /// Writes JSON as it is if it fits the limits, else as a string.
    fn write_json(&mut self, out: &mut Vec<u8>, levels: usize, json: &str) {
        let shape = Shape::of(json);
        let fits = levels + shape.levels <= MOST_LEVELS
            && shape.longest_key <= LONGEST_KEY
            && json.len() <= self.longest_text
            && self.take(shape.values.saturating_sub(1));
        if fits {
            out.extend_from_slice(json.as_bytes());
        } else {
            self.write_text(out, json);
        }
    }
}

/// Writes an unsigned integer. A number beyond 63 bits loses its last digits, since Datadog has
/// only signed integers and floats.
#[expect(clippy::cast_precision_loss, reason = "see above")]
pub(super) fn write_unsigned(out: &mut Vec<u8>, number: u64) {
    match i64::try_from(number) {
        Ok(number) => write_whole(out, number),
        Err(_) => write_float(out, number as f64),
    }
}

/// Returns the beginning of a text, short enough to search by.
pub(super) fn facet(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_FACET)]
}

/// Returns a text cut to at most `longest` bytes, with a mark, or `None` if it is short enough.
pub(super) fn shortened(text: &str, longest: usize) -> Option<String> {
    (text.len() > longest).then(|| {
        let end = text.floor_char_boundary(longest);
        format!("{}{MARK}{} bytes]", &text[..end], text.len() - end)
    })
}

/// Returns `true` if a name can be a key without any change.
pub(super) fn is_key(name: &str) -> bool {
    matches!(key(name, MOST_LEVELS), (Cow::Borrowed(_), _))
}

/// Returns the key for a name, and its number of levels. Each dot begins another level.
fn key(name: &str, most_levels: usize) -> (Cow<'_, str>, usize) {
    let levels = 1 + name.bytes().filter(|byte| *byte == b'.').count();
    let is_short = name.len() <= LONGEST_KEY || name.chars().nth(LONGEST_KEY).is_none();
    if levels <= most_levels && is_short && !name.is_empty() {
        return (Cow::Borrowed(name), levels);
    }
    let mut dots = 0;
    let key = name.chars().take(LONGEST_KEY).map(|sign| {
        dots += usize::from(sign == '.');
        if sign == '.' && dots >= most_levels { '_' } else { sign }
    });
    let key: String = key.collect();
    (Cow::Owned(if key.is_empty() { "_".to_owned() } else { key }), levels.min(most_levels))
}

/// The measures of a JSON text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// The number of nested lists and objects.
    pub(super) levels: usize,
    /// The number of values that are neither lists nor objects.
    pub(super) values: usize,
    /// The length of the longest key in characters. A dot in a key counts as a level.
    pub(super) longest_key: usize,
}

impl Shape {
    /// Measures valid JSON in one pass.
    pub(super) fn of(json: &str) -> Self {
        let bytes = json.as_bytes();
        let (mut shape, mut level, mut at, mut dots) = (Self::default(), 0_usize, 0, 0);
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'{' | b'[' => {
                    level += 1;
                    shape.levels = shape.levels.max(level);
                }
                b'}' | b']' => level = level.saturating_sub(1),
                b'"' => {
                    let end = end_of_text(bytes, at + 1);
                    // A string is a key if a colon follows it.
                    if next_sign(bytes, end + 1) == Some(b':') {
                        let name = json.get(at + 1..end).unwrap_or_default();
                        // An empty key is as unsuitable as one that is too long.
                        let length = if name.is_empty() { usize::MAX } else { name.chars().count() };
                        shape.longest_key = shape.longest_key.max(length);
                        dots = dots.max(name.bytes().filter(|byte| *byte == b'.').count());
                    } else {
                        shape.values += 1;
                    }
                    at = end;
                }
                b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => {}
                _ => {
                    shape.values += 1;
                    let rest = bytes[at..].iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b' '));
                    at += rest.unwrap_or(bytes.len() - at).saturating_sub(1);
                }
            }
            at += 1;
        }
        // This is an upper bound, since keys with dots may not be on the deepest levels.
        Self { levels: shape.levels * (1 + dots), ..shape }
    }
}

/// Returns the index of the quote that ends a string.
fn end_of_text(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn next_sign(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at..)?.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_measured_without_being_read() {
        let of = |json| {
            let Shape { levels, values, longest_key } = Shape::of(json);
            (levels, values, longest_key)
        };
        assert_eq!(of(r#"{"a":[1,-2.5e3,true],"bcd":{"e":"x"}}"#), (2, 4, 3));
        assert_eq!(of(r#""a text: with {[ signs""#), (0, 1, 0));
        assert_eq!(of(r#"["{\"a\":1}","\\"]"#), (1, 2, 0));
        assert_eq!(of("[[[[]]]]"), (4, 0, 0));
        assert_eq!(of(r#"{"a.b":1}"#), (2, 1, 3));
        assert_eq!(of(r#"{"":1}"#), (1, 1, usize::MAX));
        assert_eq!(of("null"), (0, 1, 0));
        assert_eq!(of(""), (0, 0, 0));
    }

    #[test]
    fn a_key_has_so_many_characters_and_levels() {
        assert_eq!(key("doc.name", 8), (Cow::Borrowed("doc.name"), 2));
        assert_eq!(key(&"ü".repeat(49), 8).0.chars().count(), 49);
        assert_eq!(key(&"x".repeat(50), 8).0, "x".repeat(49));
        assert_eq!(key("a.b.c.d", 2).0, "a.b_c_d");
        assert_eq!(key("", 8).0, "_");
    }
}
