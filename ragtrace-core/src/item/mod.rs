//! Items that a stage uses and generates, identified by type and id. The attribute's arguments
//! `used` and `generated` declare the types and provide the items.
//!
//! Limits apply while items are written, on the caller's thread: a run keeps at most [`MOST_ITEMS`]
//! items per direction, with ids of at most [`LONGEST_ID`] bytes. Ids are never shortened: an item
//! with a longer id is counted but not kept.

mod convert;
mod id;
#[expect(clippy::module_inception, reason = "the module `item` contains the type `Item`")]
mod item;
mod writer;

pub use id::ItemId;
pub use item::Item;
pub use writer::{IntoItem, ItemWriter, LONGEST_CONTENT, LONGEST_ID, LONGEST_SOURCE, MOST_ITEMS};
pub(crate) use writer::{has_items, without_items};
