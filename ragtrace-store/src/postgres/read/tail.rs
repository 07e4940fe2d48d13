//! Follows the store: reads the rows written since a cursor.

use uuid::Uuid;

use super::database::PostgresStore;
use super::rows::select_rows;
use crate::error::StoreError;
use crate::postgres::fault::while_reading;
use crate::read::{LogRow, TAIL_ROWS, Tail, TailCursor, TailPoint};

impl PostgresStore {
    /// Returns the rows written since a cursor. Snapshots tell which transactions were committed
    /// since, in whichever order they ended.
    pub(crate) async fn tail(&self, cursor: Option<TailCursor>) -> Result<Tail, StoreError> {
        const START: (i64, Uuid) = (-1, Uuid::nil());
        let now = sqlx::query_scalar!(r#"SELECT pg_current_snapshot()::text AS "now!""#);
        let now = now.fetch_one(&self.pool).await.map_err(while_reading)?;
        let cursor_at = |seen: String, seeing: String, after| TailCursor(TailPoint::Snapshot { seen, seeing, after });
        let (seen, seeing, after) = match cursor {
            Some(TailCursor(TailPoint::Snapshot { seen, seeing, after })) if seen != seeing => (seen, seeing, after),
            Some(TailCursor(TailPoint::Snapshot { seen, .. })) => (seen, now, START),
            _ => return Ok(Tail { rows: Vec::new(), cursor: cursor_at(now.clone(), now, START) }),
        };
        let rows = self.written_between(&seen, &seeing, after).await?;
        let last = match rows.last() {
            Some(row) if rows.len() == TAIL_ROWS => self.written_by(&seen, row.id()).await?.map(|by| (by, row.id())),
            _ => None,
        };
        let cursor = match last {
            Some(last) => cursor_at(seen, seeing, last),
            None => cursor_at(seeing.clone(), seeing, START),
        };
        Ok(Tail { rows, cursor })
    }

    /// Returns the rows that the snapshot `seeing` shows and `seen` did not, after a given
    /// transaction and record.
    async fn written_between(&self, seen: &str, seeing: &str, after: (i64, Uuid)) -> Result<Vec<LogRow>, StoreError> {
        // A moved row keeps the number of the transaction that wrote it. The index finds rows
        // written since the oldest transaction that was still running in the earlier snapshot.
        let rows = select_rows!(
            ["FROM (SELECT * FROM logs UNION ALL SELECT * FROM logs_archive) r
            WHERE r.written >= pg_snapshot_xmin($1::text::pg_snapshot)::text::bigint
                AND NOT pg_visible_in_snapshot(r.written::text::xid8, $1::text::pg_snapshot)
                AND pg_visible_in_snapshot(r.written::text::xid8, $2::text::pg_snapshot) AND (r.written, r.id) > ($3, $4)
            ORDER BY r.written, r.id LIMIT $5"],
            seen,
            seeing,
            after.0,
            after.1,
            i64::try_from(TAIL_ROWS).unwrap_or(i64::MAX)
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(LogRow::try_from).collect()
    }

    /// Returns the transaction that wrote a record, among those that a snapshot did not show.
    async fn written_by(&self, seen: &str, id: Uuid) -> Result<Option<i64>, StoreError> {
        let written = sqlx::query_scalar!(
            r#"SELECT written AS "written!" FROM (SELECT id, written FROM logs UNION ALL SELECT id, written FROM logs_archive) r
            WHERE id = $2 AND written >= pg_snapshot_xmin($1::text::pg_snapshot)::text::bigint
            LIMIT 1"#,
            seen,
            id
        );
        Ok(written.fetch_optional(&self.pool).await.map_err(while_reading)?)
    }
}
