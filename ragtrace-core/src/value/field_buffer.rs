//! Buffers for the fields that a stage records, before they are written to the queue. Fields are
//! stored encoded in the thread's scratch buffer, so they cost no allocation once that has enough
//! memory.
//!
//! A stage declares all names of its fields, so a field contains the index of its name in the
//! descriptor instead of the name.
//!
//! Expressions that are recorded may run stages themselves. The fields of those stages are stored
//! in the same buffer above the outer stage's fields, and are removed before the outer stage
//! continues.

use std::borrow::Cow;
use std::fmt::{self, Debug, Display, Write};
use std::mem;
use std::time::Duration;

use super::encoding::{self, SMALL_LIMIT, Tag, field_id};
use super::{Value, json_text, scratch};
use crate::event::{ErrorInfo, Failure};
use crate::guard;

/// The destination of a value: the field to which [`ToValue`](super::ToValue) writes it.
#[derive(Debug)]
pub struct Field<'a> {
    buffer: &'a mut FieldBuffer,
    name: u16,
}

impl Field<'_> {
    // These methods take two words each, so that no `Value` is built and taken apart.

    #[inline(never)]
    pub(crate) fn u64(self, number: u64) {
        self.buffer.u64(self.name, number);
    }

    #[inline(never)]
    pub(crate) fn i64(self, number: i64) {
        match u64::try_from(number) {
            Ok(number) if number < SMALL_LIMIT => self.buffer.u64(self.name, number),
            _ => self.buffer.wide(self.name, Tag::I64, number.cast_unsigned()),
        }
    }

    #[inline(never)]
    pub(crate) fn f64(self, number: f64) {
        self.buffer.wide(self.name, Tag::F64, number.to_bits());
    }

    #[inline(never)]
    pub(crate) fn bool(self, value: bool) {
        self.buffer.push(encoding::head(self.name, Tag::Bool, value.into()));
    }

    #[inline(never)]
    pub(crate) fn text(self, text: &str) {
        self.buffer.text(self.name, text);
    }

    /// Writes a structured value, given as valid JSON without white space between its parts. The
    /// text is not checked.
    #[cfg(feature = "serde")]
    #[inline(never)]
    pub(crate) fn json(self, json: &str) {
        self.buffer.json(self.name, json);
    }

    /// Writes the value that `read` returns. `read` calls the application's code, so its panics are
    /// caught.
    #[inline(never)]
    pub(crate) fn computed(self, read: &dyn Fn() -> Value) {
        match guard::call(read) {
            Ok(value) => self.value(value),
            Err(panic) => self.text(&guard::mark("to_value", &panic)),
        }
    }

    #[inline(never)]
    pub(crate) fn value(self, value: Value) {
        match value {
            Value::Null => {}
            Value::Bool(value) => self.bool(value),
            Value::U64(number) => self.u64(number),
            Value::I64(number) => self.i64(number),
            Value::F64(number) => self.f64(number),
            Value::Text(text) => self.text(&text),
            Value::Json(json) => self.given_json(json),
        }
    }

    /// Writes JSON made by the application, which may be invalid and is checked.
    #[cold]
    #[inline(never)]
    fn given_json(self, json: Cow<'static, str>) {
        match json_text::recordable(json) {
            Value::Json(json) => self.buffer.json(self.name, &json),
            other => self.value(other),
        }
    }
}

/// The fields that a stage has recorded: the part of the thread's scratch buffer from `start` on.
/// Generated code fills it, and dropping it removes the fields.
#[derive(Debug)]
pub struct FieldBuffer {
    start: usize,
}

impl FieldBuffer {
    /// Creates a buffer without fields.
    #[inline]
    pub fn begin() -> Self {
        Self { start: scratch::used() }
    }

    /// Creates the buffer of a run that is not recorded. It starts beyond the used part of the
    /// scratch buffer, so it has no fields.
    #[inline]
    pub(crate) const fn unwanted() -> Self {
        Self { start: usize::MAX }
    }

    /// Returns `true` if the run is recorded and its fields should be read.
    #[inline]
    pub const fn is_wanted(&self) -> bool {
        self.start != usize::MAX
    }

    /// Removes the fields from the scratch buffer.
    #[inline]
    pub(crate) fn clear(self) {
        scratch::clear_to(self.detach());
    }

    /// Leaves the fields in the scratch buffer, and returns their position for
    /// [`FieldBuffer::attach`] on the same thread.
    #[inline]
    pub(crate) fn detach(self) -> usize {
        let start = self.start;
        mem::forget(self);
        start
    }

    /// Takes back the fields that [`FieldBuffer::detach`] left.
    #[inline]
    pub(crate) const fn attach(start: usize) -> Self {
        Self { start }
    }

    /// Creates a buffer with fields that were encoded before.
    pub(crate) fn from_encoded(words: &[u64]) -> Self {
        let mut buffer = Self::begin();
        buffer.append(words);
        buffer
    }

    /// Returns the number of words that the fields take.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        scratch::used().saturating_sub(self.start)
    }

    /// Returns `true` if the whole scratch buffer is inline, as it is for the fields of most
    /// stages.
    #[inline]
    pub(crate) fn is_inline() -> bool {
        scratch::used() <= scratch::INLINE_WORDS
    }

    /// Returns the word at index `at`, which must be inline.
    #[inline]
    pub(crate) fn word(&self, at: usize) -> u64 {
        scratch::word(self.start + at)
    }

    /// Makes the following fields those of the log descriptor at `address`.
    pub(crate) fn descriptor(&mut self, address: u64) {
        self.wide(encoding::field_id::DESCRIPTOR, Tag::Descriptor, address);
    }

    /// Adds fields that were encoded before.
    pub(crate) fn append(&mut self, words: &[u64]) {
        for word in words {
            self.push(*word);
        }
    }

    /// Returns a copy of the fields' words.
    pub fn to_encoded(&self) -> Vec<u64> {
        scratch::words_from(self.start)
    }

    /// Returns the destination for the value of the field `name`.
    #[inline]
    pub(super) fn field(&mut self, name: u16) -> Field<'_> {
        Field { buffer: self, name }
    }

    /// Records the `Display` of a value.
    pub fn display(&mut self, name: u16, value: &dyn Display) {
        self.format(name, "Display", format_args!("{value}"));
    }

    /// Records the `Debug` of a value.
    pub fn debug(&mut self, name: u16, value: &dyn Debug) {
        self.format(name, "Debug", format_args!("{value:?}"));
    }

    /// Records the number of items that the stage yielded.
    pub fn count(&mut self, count: u64) {
        self.u64(field_id::COUNT, count);
    }

    /// Records the time until the first item of a stream.
    pub(crate) fn first_item(&mut self, first: Duration) {
        self.wide(field_id::FIRST_ITEM, Tag::F64, (first.as_secs_f64() * 1_000.0).to_bits());
    }

    /// Records the error of a failed stage.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        let Failure { error: ErrorInfo { type_name, message, chain }, stack_trace } = failure;
        self.text(field_id::ERROR_TYPE, type_name);
        self.text(field_id::ERROR_MESSAGE, message);
        for source in chain {
            self.text(field_id::ERROR_SOURCE, source);
        }
        if let Some(stack_trace) = stack_trace {
            self.text(field_id::STACK_TRACE, stack_trace);
        }
    }

    /// Records a text.
    pub(crate) fn text(&mut self, name: u16, text: &str) {
        encoding::encode_text_field(name, Tag::Text, text, |word| self.push(word));
    }

    /// Records the id of an item of type `name`.
    pub(crate) fn item(&mut self, name: u16, id: &str) {
        encoding::encode_text_field(name, Tag::Item, id, |word| self.push(word));
    }

    /// Records a floating-point number.
    pub(crate) fn float(&mut self, name: u16, number: f64) {
        self.wide(name, Tag::F64, number.to_bits());
    }

    /// Records an integer.
    pub(crate) fn whole(&mut self, name: u16, number: u64) {
        self.u64(name, number);
    }

    /// Records a structured value, given as JSON without white space between its parts.
    pub(crate) fn json(&mut self, name: u16, json: &str) {
        encoding::encode_text_field(name, Tag::Json, json, |word| self.push(word));
    }

    /// Records the text that `text` formats to, keeping the part written before a failure or panic.
    /// The name of the formatting trait, `of`, is used in the mark that is added.
    fn format(&mut self, name: u16, of: &str, text: fmt::Arguments<'_>) {
        if let Some(text) = text.as_str() {
            return self.text(name, text);
        }
        let at = scratch::used();
        self.push(0);
        let mut writer = TextWriter { buffer: self, name, at, word: [0; 8], bytes: 0 };
        // An error comes from the value's own `fmt`, and the text written before it is kept.
        if let Err(panic) = guard::call(|| writer.write_fmt(text)) {
            let _ = writer.write_str(&guard::mark(of, &panic));
        }
    }

    fn u64(&mut self, name: u16, number: u64) {
        if number < SMALL_LIMIT {
            self.push(encoding::head(name, Tag::SmallU64, number));
        } else {
            self.wide(name, Tag::U64, number);
        }
    }

    // Not inlined, so that code for small numbers stays short.
    #[inline(never)]
    fn wide(&mut self, name: u16, tag: Tag, word: u64) {
        self.push(encoding::head(name, tag, 0));
        self.push(word);
    }

    #[inline]
    #[expect(clippy::unused_self, reason = "only an owner of fields may add to them")]
    fn push(&mut self, word: u64) {
        scratch::push(word);
    }
}

impl Drop for FieldBuffer {
    // Not inlined, because each stage contains a call for a panic of the code that reads its
    // fields.
    #[inline(never)]
    fn drop(&mut self) {
        scratch::clear_to(self.start);
    }
}

/// Encodes text piece by piece as a formatter writes it. Dropping it completes the text, even after
/// a panic of the formatter.
struct TextWriter<'a> {
    buffer: &'a mut FieldBuffer,
    name: u16,
    /// The position of the head, which is written last.
    at: usize,
    word: [u8; 8],
    bytes: usize,
}

impl Drop for TextWriter<'_> {
    fn drop(&mut self) {
        if !self.bytes.is_multiple_of(8) {
            self.buffer.push(u64::from_le_bytes(self.word));
        }
        scratch::set(self.at, encoding::head(self.name, Tag::Text, self.bytes as u64));
    }
}

impl Write for TextWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.word[self.bytes % 8] = byte;
            self.bytes += 1;
            if self.bytes.is_multiple_of(8) {
                self.buffer.push(u64::from_le_bytes(self.word));
                self.word = [0; 8];
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(buffer: &FieldBuffer) -> Vec<(u16, Value)> {
        encoding::DecodedFields(&buffer.to_encoded()).collect()
    }

    #[test]
    fn numbers_and_truth_values_are_read_as_they_were_set() {
        let mut buffer = FieldBuffer::begin();
        buffer.set(0, &u64::MAX);
        buffer.set(1, &SMALL_LIMIT);
        buffer.set(2, &(SMALL_LIMIT - 1));
        buffer.set(3, &i64::MIN);
        buffer.set(4, &f64::MIN_POSITIVE);
        buffer.set(5, &true);
        buffer.set(6, &None::<u8>);
        buffer.count(7);
        let values = [
            (0, Value::U64(u64::MAX)),
            (1, Value::U64(SMALL_LIMIT)),
            (2, Value::U64(SMALL_LIMIT - 1)),
            (3, Value::I64(i64::MIN)),
            (4, Value::F64(f64::MIN_POSITIVE)),
            (5, Value::Bool(true)),
            (field_id::COUNT, Value::U64(7)),
        ];
        assert_eq!(read(&buffer), values);
    }

    proptest! {
        #[test]
        fn texts_of_any_length_are_read_as_they_were_set(texts in prop::collection::vec(".{0,40}", 0..8)) {
            let mut buffer = FieldBuffer::begin();
            for (name, text) in (0..).zip(&texts) {
                if name % 2 == 0 { buffer.set(name, text) } else { buffer.display(name, &format_args!("{}{}", text, "")) }
            }
            let values: Vec<_> = read(&buffer).into_iter().map(|(_, value)| value.to_string()).collect();
            prop_assert_eq!(values, texts);
        }
    }
}
