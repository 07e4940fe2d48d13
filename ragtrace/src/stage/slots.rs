//! The fields of a stage on their way to the worker: a fixed size, numbers in place, names as numbers.
//!
//! A stage declares all its field names, so a slot holds the index of its name in the descriptor instead of the name.
//! Four words of value and index fit where a name and a [`Value`] would take one.

use std::borrow::Cow;
use std::fmt::{Debug, Display};
use std::time::Duration;

use crate::stage::StageDescriptor;
use crate::value::{ToValue, Value};

/// The index that stands for `count`, which every stage has.
const COUNT: u16 = u16::MAX;

/// The index that stands for `first_item_ms`, which every stage that is a stream has.
const FIRST_ITEM: u16 = COUNT - 1;

/// How many slots lie in place; more go to the heap.
const IN_PLACE: usize = 3;

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
        self.slots.put(Slot::U64(self.name, number));
    }

    #[inline(never)]
    pub(crate) fn i64(self, number: i64) {
        self.slots.put(Slot::I64(self.name, number));
    }

    #[inline(never)]
    pub(crate) fn f64(self, number: f64) {
        self.slots.put(Slot::F64(self.name, number));
    }

    #[inline(never)]
    pub(crate) fn value(self, value: Value) {
        self.slots.value(self.name, value);
    }
}

/// One field: the index of its name, and its value in at most eight bytes.
#[derive(Debug, Default)]
enum Slot {
    #[default]
    Empty,
    Bool(u16, bool),
    U64(u16, u64),
    I64(u16, i64),
    F64(u16, f64),
    Text(u16, Box<Cow<'static, str>>),
}

impl Slot {
    fn new(name: u16, value: Value) -> Self {
        match value {
            Value::Null => Self::Empty,
            Value::Bool(value) => Self::Bool(name, value),
            Value::U64(number) => Self::U64(name, number),
            Value::I64(number) => Self::I64(name, number),
            Value::F64(number) => Self::F64(name, number),
            Value::Text(text) => Self::Text(name, Box::new(text)),
        }
    }

    fn into_parts(self) -> Option<(u16, Value)> {
        match self {
            Self::Empty => None,
            Self::Bool(name, value) => Some((name, Value::Bool(value))),
            Self::U64(name, number) => Some((name, Value::U64(number))),
            Self::I64(name, number) => Some((name, Value::I64(number))),
            Self::F64(name, number) => Some((name, Value::F64(number))),
            Self::Text(name, text) => Some((name, Value::Text(*text))),
        }
    }
}

/// The fields that a stage recorded, filled by generated code.
#[derive(Debug)]
pub struct Slots {
    in_place: [Slot; IN_PLACE],
    used: u8,
    // A thin pointer: a `Vec` in place would cost every record two words more.
    #[expect(clippy::box_collection, reason = "a thin pointer keeps the record small")]
    more: Option<Box<Vec<Slot>>>,
}

impl Slots {
    pub(crate) const fn new() -> Self {
        Self { in_place: [const { Slot::Empty }; IN_PLACE], used: 0, more: None }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Moves the fields out.
    pub(crate) fn take(&mut self) -> Self {
        Self { in_place: self.in_place.each_mut().map(std::mem::take), used: self.used, more: self.more.take() }
    }

    /// Records a value as it is.
    #[inline]
    pub fn set(&mut self, name: u16, value: &(impl ToValue + ?Sized)) {
        value.put(Field { slots: self, name });
    }

    fn value(&mut self, name: u16, value: Value) {
        self.put(Slot::new(name, value));
    }

    /// Records the `Display` of a value.
    pub fn display(&mut self, name: u16, value: &dyn Display) {
        self.value(name, Value::Text(Cow::Owned(value.to_string())));
    }

    /// Records the `Debug` of a value.
    pub fn debug(&mut self, name: u16, value: &dyn Debug) {
        self.value(name, Value::Text(Cow::Owned(format!("{value:?}"))));
    }

    /// Records how many items the stage yielded.
    pub fn count(&mut self, count: u64) {
        self.put(Slot::U64(COUNT, count));
    }

    /// Records how long the first item of a stream took.
    pub(crate) fn first_item(&mut self, first: Duration) {
        self.put(Slot::F64(FIRST_ITEM, first.as_secs_f64() * 1_000.0));
    }

    #[inline]
    fn put(&mut self, slot: Slot) {
        if matches!(slot, Slot::Empty) {
            return;
        }
        match self.in_place.get_mut(usize::from(self.used)) {
            Some(place) => {
                *place = slot;
                self.used += 1;
            }
            None => self.more.get_or_insert_default().push(slot),
        }
    }

    /// The recorded fields under the names that `stage` declares, the last of a name winning, and the count apart.
    pub(crate) fn named(self, stage: &StageDescriptor) -> (Vec<(&'static str, Value)>, Option<u64>) {
        let mut fields: Vec<(&'static str, Value)> = Vec::new();
        let mut count = None;
        let slots = self.in_place.into_iter().chain(self.more.into_iter().flat_map(|more| *more));
        for (index, value) in slots.filter_map(Slot::into_parts) {
            let name = match index {
                COUNT => {
                    count = value.as_u64();
                    continue;
                }
                FIRST_ITEM => "first_item_ms",
                _ => match stage.fields().get(usize::from(index)) {
                    Some(field) => field.name(),
                    None => continue,
                },
            };
            match fields.iter_mut().find(|(earlier, _)| *earlier == name) {
                Some((_, earlier)) => *earlier = value,
                None => fields.push((name, value)),
            }
        }
        (fields, count)
    }
}
