//! The store in a SQLite file.
//!
//! Each way to narrow a search has a statement of its own that names the index it uses, since
//! SQLite plans a statement before it knows which parameters are NULL.

mod database;
mod file;
mod lists;
mod logs;
mod rows;
mod scores;
mod tail;
mod trace;

pub(crate) use file::{PATIENCE, SqliteFile};
