//! A run's fields as values of `tracing`.
//!
//! They are the application's own fields, shown to the application's own layers, so nothing is
//! redacted: a `Secret` is already a mark, and the rules of a redactor run on the worker. Texts are
//! cut, because a formatter writes the fields of a span into each line inside of it.

use std::borrow::Cow;

use ragtrace_core::value::encoding::{EncodedFields, EncodedText, EncodedValue, field_id};
use tracing_core::field::{DisplayValue, FieldSet, Value, ValueSet, display};

use super::stage_sites::SpanNames;

/// The maximum length of a shown text in bytes. A longer text is cut at the end of a character,
/// and ends in `…`.
pub(super) const MAX_SHOWN_TEXT: usize = 1_024;

/// The number of names up to which no allocation is needed.
const FEW: usize = 24;

/// Fields with the positions of their names.
#[derive(Default)]
pub(super) struct ShownFields<'a>(Vec<(usize, Shown<'a>)>);

enum Shown<'a> {
    Bool(bool),
    U64(u64),
    I64(i64),
    F64(f64),
    Text(&'a str),
    OwnedText(String),
    /// A text that is shown without quotes.
    Verbatim(DisplayValue<Cow<'a, str>>),
}

impl<'a> ShownFields<'a> {
    /// Reads the fields that a span shows: those that the stage declares, and those that every
    /// stage has.
    pub(super) fn read(fields: &'a [u64], names: &SpanNames) -> Self {
        let mut shown = Self::default();
        for field in EncodedFields(fields) {
            if field.is_item() || field.is_of_item() {
                continue;
            }
            let place = match field.name {
                field_id::COUNT => Some(names.count),
                field_id::FIRST_ITEM => Some(names.first_item_ms),
                name => names.declared(name),
            };
            if let (Some(place), Some(value)) = (place, Shown::of(field.value)) {
                shown.0.push((place, value));
            }
        }
        shown
    }

    /// Adds a text.
    pub(super) fn text(&mut self, place: usize, text: impl Into<Cow<'a, str>>) {
        self.0.push((place, Shown::text(cut(text.into()))));
    }

    /// Adds a text that is shown without quotes.
    pub(super) fn verbatim(&mut self, place: usize, text: impl Into<Cow<'a, str>>) {
        self.0.push((place, Shown::Verbatim(display(cut(text.into())))));
    }

    /// Returns `true` if there are no fields.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Passes the fields to `take` as values of `names`. If a name occurs twice, the first value
    /// counts.
    pub(super) fn give<T>(&self, names: &FieldSet, take: impl FnOnce(&ValueSet<'_>) -> T) -> T {
        let (mut few, mut many) = ([None; FEW], Vec::new());
        let values: &mut [Option<&dyn Value>] = if let Some(values) = few.get_mut(..names.len()) {
            values
        } else {
            many.resize(names.len(), None);
            &mut many
        };
        for (place, shown) in &self.0 {
            if let Some(value) = values.get_mut(*place) {
                value.get_or_insert(match shown {
                    Shown::Bool(value) => value,
                    Shown::U64(number) => number,
                    Shown::I64(number) => number,
                    Shown::F64(number) => number,
                    Shown::Text(text) => text,
                    Shown::OwnedText(text) => text,
                    Shown::Verbatim(text) => text,
                });
            }
        }
        take(&names.value_set_all(values))
    }
}

impl<'a> Shown<'a> {
    fn of(value: EncodedValue<'a>) -> Option<Self> {
        let text_of = |text: EncodedText<'a>| cut(text.as_str());
        Some(match value {
            EncodedValue::Bool(value) => Self::Bool(value),
            EncodedValue::U64(number) => Self::U64(number),
            EncodedValue::I64(number) => Self::I64(number),
            EncodedValue::F64(number) => Self::F64(number),
            EncodedValue::Text(text) => Self::text(text_of(text)),
            EncodedValue::Json(json) => Self::Verbatim(display(text_of(json))),
            EncodedValue::Descriptor(_) => return None,
        })
    }

    fn text(text: Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::Text(text),
            Cow::Owned(text) => Self::OwnedText(text),
        }
    }
}

/// Cuts a text that is too long to be shown.
pub(super) fn cut(text: Cow<'_, str>) -> Cow<'_, str> {
    const MARK: char = '…';
    if text.len() <= MAX_SHOWN_TEXT {
        return text;
    }
    let end = text.floor_char_boundary(MAX_SHOWN_TEXT - MARK.len_utf8());
    format!("{}{MARK}", &text[..end]).into()
}
