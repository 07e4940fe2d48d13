//! Removing the bytes of what was deleted, and giving back the room.
//!
//! A row that is deleted leaves its bytes in the file until something else is written there: in
//! pages that are free, in gaps of those that are not, and in SQLite's log. Only writing the whole
//! file anew is sure to leave none.

use sqlx::SqliteConnection;

use super::fault::{is_busy, while_writing};
use crate::fault::Fault;

/// How often the file is tried to be written anew. Each attempt has waited in line for the write
/// lock.
const ATTEMPTS: usize = 6;

/// Writes the file anew, without what was deleted. Writers wait for that; readers do not. Returns
/// `true` if no byte of it is left in SQLite's log either, which readers hold while they read.
pub(super) async fn rewrite(connection: &mut SqliteConnection) -> Result<bool, Fault> {
    let mut attempts = 1;
    loop {
        match sqlx::query("VACUUM").execute(&mut *connection).await {
            Ok(_) => break,
            Err(error) if is_busy(&error) && attempts < ATTEMPTS => attempts += 1,
            Err(error) => return Err(while_writing(error)),
        }
    }
    // A log whose pages were all moved still has them, until it is cut.
    let cut: (i64, i64, i64) =
        sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await.map_err(while_writing)?;
    Ok(cut.0 == 0)
}

/// Returns how many bytes of the file hold nothing. They are used before the file grows.
pub(super) async fn free_bytes(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let (pages,): (i64,) = sqlx::query_as("PRAGMA freelist_count").fetch_one(&mut *connection).await?;
    let (size,): (i64,) = sqlx::query_as("PRAGMA page_size").fetch_one(connection).await?;
    Ok(u64::try_from(pages * size).unwrap_or_default())
}
