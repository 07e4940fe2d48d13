//! The store in a SQLite file.
//!
//! SQLite plans a statement before it knows which parameters are NULL. So each way to narrow a
//! search has a statement of its own, which names the index to use.

mod conditions;
mod counts;
mod database;
mod file;
mod lists;
mod logs;
mod requests;
mod rows;
mod scores;
mod stored;
mod sums;
mod tail;
mod trace;

pub(crate) use file::{PATIENCE, SqliteFile};
