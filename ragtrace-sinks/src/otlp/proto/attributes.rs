//! Writes attributes: `KeyValue` and `AnyValue` of `opentelemetry/proto/common/v1/common.proto`.

use std::ops::Range;

use ragtrace::Value;

use super::writer::{Writer, varint_length};

/// `KeyValue`.
const KEY: u32 = 1;
const VALUE: u32 = 2;
/// `AnyValue`.
const TEXT: u32 = 1;
const BOOL: u32 = 2;
const INT: u32 = 3;
const DOUBLE: u32 = 4;
const ARRAY: u32 = 5;
/// `ArrayValue`.
const VALUES: u32 = 1;

/// The value of an attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attribute<'a> {
    Text(&'a str),
    Bool(bool),
    Int(i64),
    Float(f64),
    Texts(&'a [&'a str]),
}

impl<'a> From<&'a str> for Attribute<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Attribute<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Attribute<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u64> for Attribute<'_> {
    /// Converts a number. One beyond 63 bits becomes the nearest float, since OTLP has only signed
    /// integers.
    #[expect(clippy::cast_precision_loss, reason = "documented")]
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::Float(number as f64), Self::Int)
    }
}

impl From<f64> for Attribute<'_> {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl<'a> From<&'a Value> for Attribute<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Bool(value) => Self::Bool(*value),
            Value::U64(number) => Self::from(*number),
            Value::I64(number) => Self::Int(*number),
            Value::F64(number) => Self::Float(*number),
            Value::Text(text) | Value::Json(text) => Self::Text(text),
            // Later versions may add other values, which are written as empty text.
            _ => Self::Text(""),
        }
    }
}

/// Writes the attributes of one span, event, log record or resource. Each key occurs once: a field
/// of the application is left out if its name is taken.
#[derive(Debug)]
pub(crate) struct Attributes<'w> {
    writer: &'w mut Writer,
    /// The field number of the attributes in their message.
    field: u32,
    /// The positions of the keys written so far.
    keys: &'w mut Vec<Range<usize>>,
}

impl<'w> Attributes<'w> {
    pub(crate) fn new(writer: &'w mut Writer, field: u32, keys: &'w mut Vec<Range<usize>>) -> Self {
        keys.clear();
        Self { writer, field, keys }
    }

    /// Writes an attribute of ragtrace's own, whose key is unique.
    #[inline]
    pub(crate) fn put<'a>(&mut self, key: &str, value: impl Into<Attribute<'a>>) {
        self.put_parts(&[key], value);
    }

    /// Writes an attribute of ragtrace's own, if it has a value.
    #[inline]
    pub(crate) fn put_some<'a>(&mut self, key: &str, value: Option<impl Into<Attribute<'a>>>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    /// Writes an attribute whose key is given in parts.
    pub(crate) fn put_parts<'a>(&mut self, key: &[&str], value: impl Into<Attribute<'a>>) {
        match value.into() {
            Attribute::Text(text) => self.put_text(key, text),
            Attribute::Bool(value) => self.put_other(key, |any| any.unsigned(BOOL, u64::from(value))),
            Attribute::Int(number) => self.put_other(key, |any| any.signed(INT, number)),
            Attribute::Float(number) if number.is_finite() => {
                self.put_other(key, |any| any.double(DOUBLE, number));
            }
            Attribute::Float(number) => self.put_text(key, name_of(number)),
            Attribute::Texts(texts) => self.put_other(key, |any| {
                any.message(ARRAY, |array| {
                    for text in texts {
                        array.message(VALUES, |value| value.text(TEXT, text));
                    }
                });
            }),
        }
    }

    /// Writes a field of the application under a key in parts, unless the key is taken or empty
    /// ("Common specification concepts", "Attribute": a key is a non-empty string).
    pub(crate) fn put_field(&mut self, key: &[&str], value: &Value) {
        let is_empty = key.iter().all(|part| part.is_empty());
        if *value != Value::Null && !is_empty && !self.has(key) {
            self.put_parts(key, value);
        }
    }

    /// Returns `true` if an attribute with this key was written.
    pub(crate) fn has(&self, key: &[&str]) -> bool {
        let length: usize = key.iter().map(|part| part.len()).sum();
        let bytes = self.writer.as_bytes();
        let is_key = |range: &Range<usize>| {
            let mut rest = &bytes[range.clone()];
            rest.len() == length
                && key.iter().all(|part| match rest.strip_prefix(part.as_bytes()) {
                    Some(after) => {
                        rest = after;
                        true
                    }
                    None => false,
                })
        };
        self.keys.iter().any(is_key)
    }

    /// Writes a text, whose lengths are known in advance.
    #[inline]
    fn put_text(&mut self, key: &[&str], text: &str) {
        if text.as_bytes().contains(&0) {
            // Replacing U+0000 changes the length.
            return self.put_other(key, |any| any.text(TEXT, text));
        }
        let length: usize = key.iter().map(|part| part.len()).sum();
        let of = |length: usize| 1 + varint_length(length as u64) + length;
        let any = of(text.len());
        self.writer.length_of(self.field, of(length) + of(any));
        self.put_key(key, length);
        self.writer.length_of(VALUE, any);
        self.writer.bytes(TEXT, text.as_bytes());
    }

    #[inline]
    fn put_other(&mut self, key: &[&str], write: impl FnOnce(&mut Writer)) {
        let open = self.writer.open(self.field);
        self.put_key(key, key.iter().map(|part| part.len()).sum());
        self.writer.message(VALUE, write);
        let end = self.writer.len();
        self.writer.close(open);
        // If the message is long, it is moved, and its key with it.
        let moved = self.writer.len() - end;
        if let Some(range) = self.keys.last_mut() {
            *range = range.start + moved..range.end + moved;
        }
    }

    #[inline]
    fn put_key(&mut self, key: &[&str], length: usize) {
        self.writer.length_of(KEY, length);
        let start = self.writer.len();
        for part in key {
            self.writer.raw(part.as_bytes());
        }
        self.keys.push(start..self.writer.len());
    }
}

/// Returns the name of a number that JSON cannot represent, as in the JSON of Protocol Buffers.
/// Most backends store attributes as JSON, and a number that they cannot store would lose the whole
/// batch.
fn name_of(number: f64) -> &'static str {
    match number {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    }
}
