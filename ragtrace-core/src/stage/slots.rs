//! The fields that a stage records, on their way to the worker: words on a desk that each thread has, so that they cost
//! no allocation once the desk has memory.
//!
//! A stage declares all its field names, so a field holds the index of its name in the descriptor instead of the name.
//!
//! Expressions that are recorded may run stages themselves, whose fields lie on the same desk then: above those of the
//! stage around them, and gone before that goes on.

use std::fmt::{self, Debug, Display, Write};
use std::mem;
use std::time::Duration;

use crate::event::ErrorInfo;
use crate::stage::desk;
use crate::stage::entry::Failure;
use crate::stage::words::{self, SMALL_LIMIT, Tag, name};
use crate::value::{ToValue, Value};

/// Where one value goes: a place that [`ToValue`] fills.
#[derive(Debug)]
pub struct Field<'a> {
    slots: &'a mut Slots,
    name: u16,
}

impl Field<'_> {
    // Calls with two words each, instead of a `Value` that would be built and taken apart.

    #[inline(never)]
    pub(crate) fn u64(self, number: u64) {
        self.slots.u64(self.name, number);
    }

    #[inline(never)]
    pub(crate) fn i64(self, number: i64) {
        match u64::try_from(number) {
            Ok(number) if number < SMALL_LIMIT => self.slots.u64(self.name, number),
            _ => self.slots.wide(self.name, Tag::I64, number.cast_unsigned()),
        }
    }

    #[inline(never)]
    pub(crate) fn f64(self, number: f64) {
        self.slots.wide(self.name, Tag::F64, number.to_bits());
    }

    #[inline(never)]
    pub(crate) fn bool(self, value: bool) {
        self.slots.push(words::head(self.name, Tag::Bool, value.into()));
    }

    #[inline(never)]
    pub(crate) fn text(self, text: &str) {
        self.slots.text(self.name, text);
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
        }
    }
}

/// The fields that a stage recorded, filled by generated code: what lies on the thread's desk from `start` on. Whoever drops
/// it clears the desk that far.
#[derive(Debug)]
pub struct Slots {
    start: usize,
}

impl Slots {
    /// No fields yet.
    #[inline]
    pub fn begin() -> Self {
        Self { start: desk::used() }
    }

    /// Leaves the fields on the desk, and says where they begin, for [`Slots::found`] on this thread.
    #[inline]
    pub(crate) fn leave(self) -> usize {
        let start = self.start;
        mem::forget(self);
        start
    }

    /// The fields that were left.
    #[inline]
    pub(crate) const fn found(start: usize) -> Self {
        Self { start }
    }

    /// The same fields again, from their words.
    pub(crate) fn of(words: &[u64]) -> Self {
        let mut slots = Self::begin();
        for word in words {
            slots.push(*word);
        }
        slots
    }

    /// How many words there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        desk::used().saturating_sub(self.start)
    }

    /// Whether all words on the desk lie in place, as the fields of most stages do.
    #[inline]
    pub(crate) fn are_in_place() -> bool {
        desk::used() <= desk::PLACES
    }

    /// A word that lies in place.
    #[inline]
    pub(crate) fn word(&self, at: usize) -> u64 {
        desk::word(self.start + at)
    }

    /// The words in a place of their own.
    pub fn to_words(&self) -> Vec<u64> {
        desk::words_from(self.start)
    }

    /// Records a value as it is.
    #[inline]
    pub fn set(&mut self, name: u16, value: &(impl ToValue + ?Sized)) {
        value.put(Field { slots: self, name });
    }

    /// Records the `Display` of a value.
    pub fn display(&mut self, name: u16, value: &dyn Display) {
        self.format(name, format_args!("{value}"));
    }

    /// Records the `Debug` of a value.
    pub fn debug(&mut self, name: u16, value: &dyn Debug) {
        self.format(name, format_args!("{value:?}"));
    }

    /// Records how many items the stage yielded.
    pub fn count(&mut self, count: u64) {
        self.u64(name::COUNT, count);
    }

    /// Records how long the first item of a stream took.
    pub(crate) fn first_item(&mut self, first: Duration) {
        self.wide(name::FIRST_ITEM, Tag::F64, (first.as_secs_f64() * 1_000.0).to_bits());
    }

    /// Records why the stage failed.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        let Failure { error: ErrorInfo { type_name, message, chain }, stack_trace } = failure;
        self.text(name::ERROR_TYPE, type_name);
        self.text(name::ERROR_MESSAGE, message);
        for source in chain {
            self.text(name::ERROR_SOURCE, source);
        }
        if let Some(stack_trace) = stack_trace {
            self.text(name::STACK_TRACE, stack_trace);
        }
    }

    /// Records a text.
    pub(crate) fn text(&mut self, name: u16, text: &str) {
        self.push(words::head(name, Tag::Text, text.len() as u64));
        words::text_words(text).for_each(|word| self.push(word));
    }

    fn format(&mut self, name: u16, text: fmt::Arguments<'_>) {
        if let Some(text) = text.as_str() {
            return self.text(name, text);
        }
        let at = desk::used();
        self.push(0);
        let mut writer = TextWriter { slots: self, name, at, word: [0; 8], bytes: 0 };
        // An error here is one of the value's own `fmt`; what it wrote until then is kept.
        let _ = writer.write_fmt(text);
    }

    fn u64(&mut self, name: u16, number: u64) {
        if number < SMALL_LIMIT {
            self.push(words::head(name, Tag::SmallU64, number));
        } else {
            self.wide(name, Tag::U64, number);
        }
    }

    // Out of line, so that a small number takes no more than what it needs.
    #[inline(never)]
    fn wide(&mut self, name: u16, tag: Tag, word: u64) {
        self.push(words::head(name, tag, 0));
        self.push(word);
    }

    #[inline]
    #[expect(clippy::unused_self, reason = "whoever has the fields may add to them")]
    fn push(&mut self, word: u64) {
        desk::push(word);
    }
}

impl Drop for Slots {
    #[inline]
    fn drop(&mut self) {
        desk::clear_to(self.start);
    }
}

/// Makes words of what a `Display` writes, piece by piece. Dropping it ends the text, also when the `Display` panics.
struct TextWriter<'a> {
    slots: &'a mut Slots,
    name: u16,
    /// Where the head will be.
    at: usize,
    word: [u8; 8],
    bytes: usize,
}

impl Drop for TextWriter<'_> {
    fn drop(&mut self) {
        if !self.bytes.is_multiple_of(8) {
            self.slots.push(u64::from_le_bytes(self.word));
        }
        desk::set(self.at, words::head(self.name, Tag::Text, self.bytes as u64));
    }
}

impl Write for TextWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.word[self.bytes % 8] = byte;
            self.bytes += 1;
            if self.bytes.is_multiple_of(8) {
                self.slots.push(u64::from_le_bytes(self.word));
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

    fn read(slots: &Slots) -> Vec<(u16, Value)> {
        words::FieldWords(&slots.to_words()).collect()
    }

    #[test]
    fn numbers_and_truth_values_are_read_as_they_were_set() {
        let mut slots = Slots::begin();
        slots.set(0, &u64::MAX);
        slots.set(1, &SMALL_LIMIT);
        slots.set(2, &(SMALL_LIMIT - 1));
        slots.set(3, &i64::MIN);
        slots.set(4, &f64::MIN_POSITIVE);
        slots.set(5, &true);
        slots.set(6, &None::<u8>);
        slots.count(7);
        let values = [
            (0, Value::U64(u64::MAX)),
            (1, Value::U64(SMALL_LIMIT)),
            (2, Value::U64(SMALL_LIMIT - 1)),
            (3, Value::I64(i64::MIN)),
            (4, Value::F64(f64::MIN_POSITIVE)),
            (5, Value::Bool(true)),
            (name::COUNT, Value::U64(7)),
        ];
        assert_eq!(read(&slots), values);
    }

    proptest! {
        #[test]
        fn texts_of_any_length_are_read_as_they_were_set(texts in prop::collection::vec(".{0,40}", 0..8)) {
            let mut slots = Slots::begin();
            for (name, text) in (0..).zip(&texts) {
                if name % 2 == 0 { slots.set(name, text) } else { slots.display(name, &format_args!("{}{}", text, "")) }
            }
            let values: Vec<_> = read(&slots).into_iter().map(|(_, value)| value.to_string()).collect();
            prop_assert_eq!(values, texts);
        }
    }
}
