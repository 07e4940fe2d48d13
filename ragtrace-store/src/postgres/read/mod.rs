//! The store in PostgreSQL.
//!
//! One statement serves all filters: the server plans it anew for the parameters it gets, so that
//! those which are NULL vanish and the rest find their index. A search that no index narrows walks
//! back in time, in windows that grow, and stops when it has enough: the newest rows are read
//! without an index on every row for it.

mod database;
mod lists;
mod logs;
mod rows;
mod scores;
mod snapshot;
mod tail;
mod trace;

pub(crate) use database::PostgresStore;
