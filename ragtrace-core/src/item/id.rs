//! The id of an item.

use std::borrow::Cow;

use uuid::Uuid;

/// The id of an item: a text, a UUID or an integer.
///
/// It is recorded as a text: a UUID in its hyphenated form, an integer in decimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemId<'a>(pub(super) Id<'a>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Id<'a> {
    Text(Cow<'a, str>),
    Uuid(Uuid),
    Unsigned(u128),
    Signed(i128),
}
