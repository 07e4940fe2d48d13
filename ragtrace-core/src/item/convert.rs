//! Conversions into ids and items from strings, UUIDs, integers, and pairs of one of these and a
//! score.

use std::borrow::Cow;
use std::sync::Arc;

use uuid::Uuid;

use super::id::{Id, ItemId};
use super::item::Item;

/// Implements conversions of each type into an id, and into an item with only that id.
macro_rules! ids {
    ($($(#[$attribute:meta])* $type:ty => |$value:ident| $id:expr;)*) => {$(
        $(#[$attribute])*
        impl<'a> From<$type> for ItemId<'a> {
            fn from($value: $type) -> Self {
                Self($id)
            }
        }

        $(#[$attribute])*
        impl<'a> From<$type> for Item<'a> {
            fn from(id: $type) -> Self {
                Self::new(id)
            }
        }
    )*};
}

ids! {
    &'a str => |text| Id::Text(Cow::Borrowed(text));
    &'a &str => |text| Id::Text(Cow::Borrowed(text));
    String => |text| Id::Text(Cow::Owned(text));
    &'a String => |text| Id::Text(Cow::Borrowed(text));
    &'a &String => |text| Id::Text(Cow::Borrowed(text));
    Box<str> => |text| Id::Text(Cow::Owned(text.into()));
    &'a Box<str> => |text| Id::Text(Cow::Borrowed(text));
    Arc<str> => |text| Id::Text(Cow::Owned(String::from(&*text)));
    &'a Arc<str> => |text| Id::Text(Cow::Borrowed(text));
    Cow<'a, str> => |text| Id::Text(text);
    &'a Cow<'_, str> => |text| Id::Text(Cow::Borrowed(text));
    Uuid => |id| Id::Uuid(id);
    &Uuid => |id| Id::Uuid(*id);
}

macro_rules! numbers {
    ($($variant:ident: $($type:ty),*;)*) => {$($(
        ids! {
            $type => |number| Id::$variant(number.into());
            &$type => |number| Id::$variant((*number).into());
        }
    )*)*};
}

numbers! {
    Unsigned: u8, u16, u32, u64, u128;
    Signed: i8, i16, i32, i64, i128;
}

ids! {
    usize => |number| Id::Unsigned(number as u128);
    &usize => |number| Id::Unsigned(*number as u128);
    isize => |number| Id::Signed(number as i128);
    &isize => |number| Id::Signed(*number as i128);
}

impl<'a> From<&ItemId<'a>> for ItemId<'a> {
    fn from(id: &ItemId<'a>) -> Self {
        id.clone()
    }
}

impl<'a> From<ItemId<'a>> for Item<'a> {
    fn from(id: ItemId<'a>) -> Self {
        Self::new(id)
    }
}

impl<'a> From<&Item<'a>> for Item<'a> {
    fn from(item: &Item<'a>) -> Self {
        item.clone()
    }
}

impl<'a, I: Into<ItemId<'a>>, S: Into<f64>> From<(I, S)> for Item<'a> {
    /// Creates an item from an id and a score.
    fn from((id, score): (I, S)) -> Self {
        Self::new(id).score(score.into())
    }
}

impl<'a, I, S: Copy + Into<f64>> From<&'a (I, S)> for Item<'a>
where
    &'a I: Into<ItemId<'a>>,
{
    /// Creates an item from an id and a score.
    fn from((id, score): &'a (I, S)) -> Self {
        Self::new(id).score((*score).into())
    }
}
