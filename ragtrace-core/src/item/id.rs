//! Ids of items.

use std::borrow::Cow;

use uuid::Uuid;

/// The id of an item: a string, a UUID or an integer.
///
/// An id is recorded as text: a UUID in its hyphenated form, an integer in decimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemId<'a>(pub(super) Id<'a>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Id<'a> {
    Text(Cow<'a, str>),
    Uuid(Uuid),
    Unsigned(u128),
    Signed(i128),
}
