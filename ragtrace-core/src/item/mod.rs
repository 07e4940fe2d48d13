//! Items: what a stage works on and what it makes, by id. A stage names their types (`used`,
//! `generated`), and its expressions give the items.
//!
//! Limits hold while items are written, on the caller's side: at most [`MOST_ITEMS`] a run and
//! direction, ids of at most [`LONGEST_ID`] bytes. Ids are never shortened; one that is too long is
//! counted, not kept.

mod convert;
mod id;
#[expect(clippy::module_inception, reason = "the room is about items, and this is one")]
mod item;
mod writer;

pub use id::ItemId;
pub use item::Item;
pub use writer::{IntoItem, ItemWriter, LONGEST_CONTENT, LONGEST_ID, LONGEST_SOURCE, MOST_ITEMS};
pub(crate) use writer::{has_items, without_items};
