//! Following: rows that were written since.

use super::database::SqliteStore;
use super::rows::select_rows;
use crate::error::StoreError;
use crate::read::{LogRow, TAIL_ROWS, Tail, TailCursor, TailPoint};
use crate::sqlite::fault::while_reading;

impl SqliteStore {
    /// Returns what was written since a cursor. One writer at a time gives numbers in the order of
    /// commits. A file that shrank is followed from its end.
    pub(crate) async fn tail(&self, cursor: Option<TailCursor>) -> Result<Tail, StoreError> {
        let last = sqlx::query_scalar!("SELECT coalesce(max(rowid), 0) AS \"last!: i64\" FROM logs");
        let last = last.fetch_one(&self.pool).await.map_err(while_reading)?;
        let seen = match cursor {
            // What took the place of the file that was followed is new from its beginning.
            Some(TailCursor(TailPoint::Row { file, .. })) if file != self.file => 0,
            Some(TailCursor(TailPoint::Row { number, .. })) => number.min(last),
            _ => last,
        };
        let limit = i64::try_from(TAIL_ROWS).unwrap_or(i64::MAX);
        let rows =
            select_rows!(["FROM logs WHERE rowid > ?1 AND rowid <= ?2 ORDER BY rowid LIMIT ?3"], seen, last, limit);
        let rows: Vec<LogRow> = rows
            .fetch_all(&self.pool)
            .await
            .map_err(while_reading)?
            .into_iter()
            .map(LogRow::try_from)
            .collect::<Result<_, _>>()?;
        let cursor = match rows.last() {
            Some(row) if rows.len() == TAIL_ROWS => {
                let id = row.id().to_string();
                let number = sqlx::query_scalar!("SELECT rowid AS \"number!: i64\" FROM logs WHERE id = ?1", id);
                number.fetch_optional(&self.pool).await.map_err(while_reading)?.unwrap_or(last)
            }
            _ => last,
        };
        Ok(Tail { rows, cursor: TailCursor(TailPoint::Row { file: self.file, number: cursor }) })
    }
}
