//! The fields that a stage records, on their way to the worker: words in place, so that numbers and short texts cost no
//! allocation.
//!
//! A stage declares all its field names, so a field holds the index of its name in the descriptor instead of the name.

use std::fmt::{self, Debug, Display, Write};
use std::time::Duration;

use crate::record::ErrorInfo;
use crate::stage::entry::Failure;
use crate::stage::words::{self, SMALL_LIMIT, Tag, name};
use crate::value::{ToValue, Value};

/// How many words lie in place; more go to the heap. Eight numbers, or two short texts and two numbers.
const IN_PLACE: usize = 8;

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

/// The fields that a stage recorded, filled by generated code.
#[derive(Debug)]
pub struct Slots {
    in_place: [u64; IN_PLACE],
    /// Words in place that are filled; the whole lies in `more` once that has anything.
    used: usize,
    more: Vec<u64>,
}

impl Slots {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self { in_place: [0; IN_PLACE], used: 0, more: Vec::new() }
    }

    #[inline]
    pub(crate) fn words(&self) -> &[u64] {
        if self.more.is_empty() { self.in_place.get(..self.used).unwrap_or(&[]) } else { &self.more }
    }

    /// The fields as they will be read.
    #[cfg(test)]
    fn fields(&self) -> words::FieldWords<'_> {
        words::FieldWords(self.words())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words().is_empty()
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
        let at = self.words().len();
        self.push(0);
        let mut writer = TextWriter { slots: self, word: [0; 8], bytes: 0 };
        // An error here is one of the value's own `fmt`; what it wrote until then is kept.
        let _ = writer.write_fmt(text);
        let bytes = writer.finish();
        if let Some(head) = self.words_mut().get_mut(at) {
            *head = words::head(name, Tag::Text, bytes as u64);
        }
    }

    fn u64(&mut self, name: u16, number: u64) {
        if number < SMALL_LIMIT {
            self.push(words::head(name, Tag::SmallU64, number));
        } else {
            self.wide(name, Tag::U64, number);
        }
    }

    fn wide(&mut self, name: u16, tag: Tag, word: u64) {
        self.push(words::head(name, tag, 0));
        self.push(word);
    }

    #[inline]
    fn push(&mut self, word: u64) {
        match self.in_place.get_mut(self.used) {
            Some(place) => {
                *place = word;
                self.used += 1;
            }
            None => self.push_more(word),
        }
    }

    #[cold]
    fn push_more(&mut self, word: u64) {
        if self.more.is_empty() {
            self.more.reserve(4 * IN_PLACE);
            self.more.extend_from_slice(&self.in_place);
        }
        self.more.push(word);
    }

    fn words_mut(&mut self) -> &mut [u64] {
        if self.more.is_empty() { &mut self.in_place } else { &mut self.more }
    }
}

/// Makes words of what a `Display` writes, piece by piece.
struct TextWriter<'a> {
    slots: &'a mut Slots,
    word: [u8; 8],
    bytes: usize,
}

impl TextWriter<'_> {
    /// Writes what is left, and says how many bytes there were.
    fn finish(self) -> usize {
        if !self.bytes.is_multiple_of(8) {
            self.slots.push(u64::from_le_bytes(self.word));
        }
        self.bytes
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
        slots.fields().collect()
    }

    #[test]
    fn numbers_and_truth_values_are_read_as_they_were_set() {
        let mut slots = Slots::new();
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
            let mut slots = Slots::new();
            for (name, text) in (0..).zip(&texts) {
                if name % 2 == 0 { slots.set(name, text) } else { slots.display(name, &format_args!("{}{}", text, "")) }
            }
            let values: Vec<_> = read(&slots).into_iter().map(|(_, value)| value.to_string()).collect();
            prop_assert_eq!(values, texts);
        }
    }
}
