//! Writes items into the fields of a stage, within their limits.

use std::fmt::Write as _;

use super::id::{Id, ItemId};
use super::item::Item;
use crate::guard;
use crate::value::FieldBuffer;
use crate::value::encoding::{EncodedFields, field_id};

/// The maximum number of used items, and of generated items, that a run keeps.
pub const MOST_ITEMS: usize = 1_000;
/// The maximum length of an id that is kept, in bytes.
pub const LONGEST_ID: usize = 256;
/// The maximum length of an item's content in a record, in bytes.
pub const LONGEST_CONTENT: usize = 2 << 10;
/// The maximum length of an item's source in a record, in bytes.
pub const LONGEST_SOURCE: usize = 1 << 10;
/// The number of bytes beyond the limit that are sent to the worker, which looks for secrets before
/// it cuts a text. A secret that spans the cut is thus seen whole.
const MARGIN: usize = 1 << 10;
/// The maximum number of items that are counted after the limit is reached, if an iterator does not
/// know its length. It may be endless.
const MOST_COUNTED: u32 = 10_000;

/// Conversion into an item, implemented for every type that is `Into<Item>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used as an item",
    label = "neither an id nor a `ragtrace::Item`",
    note = "an item is an id (a string, a `Uuid` or an integer), a pair `(id, score)`, or a `ragtrace::Item`",
    note = "or implement `From<{Self}>` for `ragtrace::Item<'_>`"
)]
pub trait IntoItem<'a> {
    /// Converts this value into an item.
    fn into_item(self) -> Item<'a>;
}

#[diagnostic::do_not_recommend]
impl<'a, T: Into<Item<'a>>> IntoItem<'a> for T {
    fn into_item(self) -> Item<'a> {
        self.into()
    }
}

/// Returns `fields` without the items among them, whose number is added to the field `dropped`.
pub(crate) fn without_items(fields: &[u64], dropped: u16) -> Vec<u64> {
    let (mut kept, mut items, mut number) = (Vec::new(), 0, 0_u64);
    for field in EncodedFields(fields) {
        if field.is_item() {
            items += 1;
        } else if field.name == dropped {
            number = field.value.as_u64().unwrap_or(0);
        } else if !field.is_of_item() {
            kept.extend_from_slice(field.words);
        }
    }
    let mut mark = FieldBuffer::begin();
    mark.whole(dropped, number.saturating_add(items));
    kept.extend(mark.to_encoded());
    kept
}

/// Returns `true` if there are items among the fields.
pub(crate) fn has_items(fields: &[u64]) -> bool {
    EncodedFields(fields).any(|field| field.is_item())
}

/// Writes the items of one direction. When dropped, it records how many items were not kept.
#[derive(Debug)]
pub struct ItemWriter<'a> {
    fields: &'a mut FieldBuffer,
    direction: Direction,
    kept: usize,
    /// The number of items, and of ids that items derive from, that were not kept.
    dropped: u64,
}

/// An item's role in a run.
#[derive(Clone, Copy, Debug)]
enum Direction {
    Used,
    Generated,
}

impl FieldBuffer {
    /// Returns a writer for the items that the stage uses.
    pub fn used(&mut self) -> ItemWriter<'_> {
        ItemWriter { fields: self, direction: Direction::Used, kept: 0, dropped: 0 }
    }

    /// Returns a writer for the items that the stage generated.
    pub(crate) fn generated(&mut self) -> ItemWriter<'_> {
        ItemWriter { fields: self, direction: Direction::Generated, kept: 0, dropped: 0 }
    }
}

impl ItemWriter<'_> {
    /// Adds the items of the declared type `name`. If the application's iterator or conversion
    /// panics, the items before the panic are kept, followed by a mark.
    pub fn add<'i, I>(mut self, name: u16, items: I) -> Self
    where
        I: IntoIterator,
        I::Item: IntoItem<'i>,
    {
        let read = guard::call(|| {
            let mut items = items.into_iter();
            while self.kept < MOST_ITEMS && self.dropped < u64::from(MOST_COUNTED) {
                let Some(item) = items.next() else { return };
                self.write(name, &item.into_item());
            }
            let (least, most) = items.size_hint();
            // An iterator that knows its length is not read any further.
            let rest = if most == Some(least) { least as u64 } else { (0..MOST_COUNTED).zip(items).count() as u64 };
            self.dropped = self.dropped.saturating_add(rest);
        });
        if let Err(panic) = read {
            let name = match self.direction {
                Direction::Used => field_id::USED_UNREADABLE,
                Direction::Generated => field_id::GENERATED_UNREADABLE,
            };
            self.fields.text(name, &guard::mark("Iterator", &panic));
        }
        self
    }

    // Not generic, so that each item type adds only a loop to the program and not a copy of this
    // function.
    fn write(&mut self, name: u16, item: &Item<'_>) {
        let fields = &mut *self.fields;
        if !with_text(&item.id, |id| fields.item(name, id)) {
            self.dropped += 1;
            return;
        }
        self.kept += 1;
        if let Some(score) = item.score.filter(|score| score.is_finite()) {
            fields.float(field_id::ITEM_SCORE, score);
        }
        if let Some(content) = item.content {
            text(fields, field_id::ITEM_CONTENT, content, LONGEST_CONTENT);
        }
        if let Some(source) = item.source {
            text(fields, field_id::ITEM_SOURCE, source, LONGEST_SOURCE);
        }
        if let Some(id) = &item.derived_from
            && !with_text(id, |id| fields.text(field_id::ITEM_DERIVED_FROM, id))
        {
            self.dropped += 1;
        }
    }
}

impl Drop for ItemWriter<'_> {
    fn drop(&mut self) {
        if self.dropped > 0 {
            let name = match self.direction {
                Direction::Used => field_id::USED_DROPPED,
                Direction::Generated => field_id::GENERATED_DROPPED,
            };
            self.fields.whole(name, self.dropped);
        }
    }
}

/// Calls `write` with the text of an id and returns `true`, or returns `false` if the id is too
/// long to keep.
fn with_text(id: &ItemId<'_>, write: impl FnOnce(&str)) -> bool {
    let mut digits = String::new();
    let text = match &id.0 {
        Id::Text(text) => &**text,
        // Writing to a `String` never fails.
        Id::Uuid(id) => {
            let _ = write!(digits, "{id}");
            &digits
        }
        Id::Unsigned(number) => {
            let _ = write!(digits, "{number}");
            &digits
        }
        Id::Signed(number) => {
            let _ = write!(digits, "{number}");
            &digits
        }
    };
    let is_kept = text.len() <= LONGEST_ID;
    if is_kept {
        write(text);
    }
    is_kept
}

/// Writes a text of which the worker keeps `longest` bytes.
fn text(fields: &mut FieldBuffer, name: u16, text: &str, longest: usize) {
    if text.len() <= longest + MARGIN {
        return fields.text(name, text);
    }
    let end = text.floor_char_boundary(longest + MARGIN);
    fields.text(name, &format!("{}…[truncated {} bytes]", &text[..end], text.len() - end));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Value;
    use crate::value::encoding::DecodedFields;

    fn written(write: impl FnOnce(ItemWriter<'_>)) -> Vec<(u16, Value)> {
        let mut fields = FieldBuffer::begin();
        write(fields.generated());
        DecodedFields(&fields.to_encoded()).collect()
    }

    #[test]
    fn an_iterator_without_an_end_is_read_as_far_as_the_limits() {
        let fields = written(|items| drop(items.add(0, std::iter::repeat("an id"))));
        assert_eq!(fields.len(), MOST_ITEMS + 1);
        assert_eq!(fields.last(), Some(&(field_id::GENERATED_DROPPED, Value::from(MOST_COUNTED))));
    }

    #[test]
    fn the_limit_is_of_all_types_together_and_what_knows_its_length_is_not_read_to_its_end() {
        let unread = (0_u64..u64::MAX).inspect(|number| assert!(*number < 500, "it is not read"));
        let fields = written(|items| drop(items.add(0, 0..500_u32).add(1, unread).add(2, ["one more"])));
        assert_eq!(fields.iter().filter(|(name, _)| *name < 2).count(), MOST_ITEMS);
        let dropped = u64::MAX - 500 + 1;
        assert_eq!(fields.last(), Some(&(field_id::GENERATED_DROPPED, Value::U64(dropped))));
    }

    #[test]
    fn a_panic_leaves_what_was_read_and_a_mark() {
        let items = (0..9_u8).map(|number| if number < 2 { number } else { panic!("no more") });
        let mark = "[could not be read: its `Iterator` panicked: no more]";
        let expected = [
            (4, Value::from("0")),
            (4, Value::from("1")),
            (field_id::GENERATED_UNREADABLE, Value::from(mark)),
            (5, Value::from("next")),
        ];
        assert_eq!(written(|writer| drop(writer.add(4, items).add(5, ["next"]))), expected);
    }

    proptest! {
        #[test]
        fn ids_are_kept_whole_or_counted(ids in prop::collection::vec("[a-zé🦀]{0,150}", 0..8)) {
            let fields = written(|items| drop(items.add(0, &ids)));
            let kept: Vec<_> = ids.iter().filter(|id| id.len() <= LONGEST_ID).map(|id| Value::from(&**id)).collect();
            let items = fields.iter().filter(|(name, _)| *name == 0).map(|(_, id)| id.clone());
            prop_assert_eq!(items.collect::<Vec<_>>(), kept.clone());
            let dropped = fields.iter().find(|(name, _)| *name == field_id::GENERATED_DROPPED);
            let dropped = dropped.and_then(|(_, number)| number.as_u64()).unwrap_or(0);
            prop_assert_eq!(kept.len() as u64 + dropped, ids.len() as u64);
        }
    }
}
