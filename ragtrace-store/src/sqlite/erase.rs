//! Removes the bytes of deleted rows, and gives free space back.
//!
//! A deleted row leaves its bytes in the file until something else is written there: in free pages,
//! in gaps of other pages, and in SQLite's log. Only rewriting the whole file is sure to remove
//! them all.

use sqlx::SqliteConnection;

use super::fault::{is_busy, while_writing};
use crate::fault::Fault;

/// The number of attempts to rewrite the file. Each of them has waited for the write lock.
const ATTEMPTS: usize = 6;

/// Rewrites the file without what was deleted. Writers wait for that, readers do not. Returns
/// `true` if SQLite's log contains none of it either; readers hold the log while they read.
pub(super) async fn rewrite(connection: &mut SqliteConnection) -> Result<bool, Fault> {
    let mut attempts = 1;
    loop {
        match sqlx::query("VACUUM").execute(&mut *connection).await {
            Ok(_) => break,
            Err(error) if is_busy(&error) && attempts < ATTEMPTS => attempts += 1,
            Err(error) => return Err(while_writing(error)),
        }
    }
    // A log whose pages were all moved still contains them until it is truncated.
    let cut: (i64, i64, i64) =
        sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await.map_err(while_writing)?;
    Ok(cut.0 == 0)
}

/// Returns the number of free bytes in the file. They are used before the file grows.
pub(super) async fn free_bytes(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let (pages,): (i64,) = sqlx::query_as("PRAGMA freelist_count").fetch_one(&mut *connection).await?;
    let (size,): (i64,) = sqlx::query_as("PRAGMA page_size").fetch_one(connection).await?;
    Ok(u64::try_from(pages * size).unwrap_or_default())
}
