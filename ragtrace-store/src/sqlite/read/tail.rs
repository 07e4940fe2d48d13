//! Follows the store: reads the rows written since a cursor.

use super::database::SqliteStore;
use super::rows::select_rows;
use crate::error::StoreError;
use crate::read::{LogRow, TAIL_ROWS, Tail, TailCursor, TailPoint};
use crate::sqlite::fault::while_reading;

impl SqliteStore {
    /// Returns the rows written since a cursor. There is one writer at a time, so row numbers grow
    /// in the order of commits and none is given twice; a later row always has a larger number. A
    /// file that was restored to an earlier state is followed from its end.
    pub(crate) async fn tail(&self, cursor: Option<TailCursor>) -> Result<Tail, StoreError> {
        let state = sqlx::query!(
            "SELECT id AS \"store!: String\",
                coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'logs'), 0) AS \"last!: i64\"
            FROM store"
        );
        let state = state.fetch_one(&self.pool).await.map_err(while_reading)?;
        let seen = match cursor {
            // The cursor belongs to another store, which this one has replaced: all rows are new.
            Some(TailCursor(TailPoint::Row { store, .. })) if store != state.store => 0,
            Some(TailCursor(TailPoint::Row { number, .. })) => number.min(state.last),
            _ => state.last,
        };
        let limit = i64::try_from(TAIL_ROWS).unwrap_or(i64::MAX);
        // A row keeps its number when it is moved to the archive.
        let last = sqlx::query_scalar!(
            "SELECT max(number) AS \"number?: i64\" FROM (
                SELECT number FROM logs WHERE number > ?1
                UNION ALL SELECT number FROM logs_archive INDEXED BY logs_archive_number WHERE number > ?1
                ORDER BY number LIMIT ?2)",
            seen,
            limit
        );
        let last = last.fetch_one(&self.pool).await.map_err(while_reading)?.unwrap_or(seen);
        let rows = select_rows!(
            ["FROM (
                SELECT * FROM logs WHERE number > ?1 AND number <= ?2
                UNION ALL SELECT * FROM logs_archive INDEXED BY logs_archive_number WHERE number > ?1 AND number <= ?2)
            ORDER BY number"],
            seen,
            last
        );
        let rows = rows.fetch_all(&self.pool).await.map_err(while_reading)?;
        let rows = rows.into_iter().map(LogRow::try_from).collect::<Result<_, _>>()?;
        Ok(Tail { rows, cursor: TailCursor(TailPoint::Row { store: state.store, file: self.file, number: last }) })
    }
}
