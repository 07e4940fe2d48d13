//! The store in PostgreSQL.
//!
//! One statement serves all filters: the server plans it for the actual parameters, so that
//! conditions on parameters that are NULL disappear and the others use their index. A search
//! without a selective index walks back in time, in windows that grow, and stops when it has enough
//! rows. So the newest rows are found without an index on time over every row.

mod conditions;
mod counts;
mod database;
mod lists;
mod logs;
mod requests;
mod rows;
mod scores;
mod snapshot;
mod stored;
mod sums;
mod tail;
mod trace;

pub(crate) use database::PostgresStore;
