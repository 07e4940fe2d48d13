//! Reads traces and finds their ids.

use std::collections::HashMap;

use ragtrace::{Timestamp, TraceId};
use uuid::Uuid;

use super::database::SqliteStore;
use crate::error::StoreError;
use crate::read::{AssemblyInput, Heartbeat, LogFilter, LogRow, Place, TRACE_ROWS, merge};
use crate::sqlite::fault::while_reading;

impl SqliteStore {
    /// Returns the rows of a trace, and when the processes that wrote them were last seen. The
    /// processes are read first: one that ends between the two queries then counts as alive, rather
    /// than as ended before its last rows.
    pub(crate) async fn trace(&self, trace: TraceId) -> Result<(Vec<LogRow>, AssemblyInput), StoreError> {
        let id = trace.to_string();
        let instances = sqlx::query!(
            "SELECT instance, last_seen_at, ended_at FROM instances
            WHERE instance IN (SELECT instance FROM logs INDEXED BY logs_trace WHERE trace_id = ?1)
               OR instance IN (SELECT instance FROM logs_archive INDEXED BY logs_archive_trace WHERE trace_id = ?1)",
            id
        );
        let instances = instances.fetch_all(&self.pool).await.map_err(while_reading)?;
        let heartbeats = instances.into_iter().filter_map(|row| {
            let heartbeat = Heartbeat { last_seen_at: row.last_seen_at.parse().ok()?, ended: row.ended_at.is_some() };
            Some((row.instance.parse().ok()?, heartbeat))
        });
        let instances: HashMap<_, _> = heartbeats.collect();
        let filter = LogFilter::new().trace_id(trace).limit(TRACE_ROWS + 1);
        let mut lists = Vec::new();
        for place in Place::BOTH {
            lists.push(self.logs(place, &filter).await?);
        }
        let mut merged = merge(lists, filter.limit, LogRow::position);
        let truncated = merged.rows.len() > TRACE_ROWS || merged.read_up_to.is_some();
        merged.rows.truncate(TRACE_ROWS);
        Ok((merged.rows, AssemblyInput { instances, now: Timestamp::now(), truncated }))
    }

    /// Returns the trace of the newest record.
    pub(crate) async fn latest(&self) -> Result<Option<TraceId>, StoreError> {
        // A row moved between the two queries is found twice, which does no harm.
        let newest = sqlx::query!(
            "SELECT timestamp AS \"timestamp!\", trace_id AS \"trace_id!\" FROM logs INDEXED BY logs_time
            WHERE timestamp > '' AND trace_id IS NOT NULL ORDER BY timestamp DESC, id DESC LIMIT 1"
        );
        let newest = newest.fetch_optional(&self.pool).await.map_err(while_reading)?;
        let since = newest.as_ref().map_or("", |row| &row.timestamp);
        let archived = sqlx::query_scalar!(
            "SELECT trace_id AS \"trace_id!\" FROM logs_archive INDEXED BY logs_archive_time
            WHERE trace_id IS NOT NULL AND timestamp > ?1 ORDER BY timestamp DESC, id DESC LIMIT 1",
            since
        );
        let archived = archived.fetch_optional(&self.pool).await.map_err(while_reading)?;
        Ok(archived.or(newest.map(|row| row.trace_id)).and_then(|id| id.parse().ok()))
    }

    /// Returns the traces of a table whose ids lie between two ids, both included. Each of them
    /// takes one step down the index, past all the records of the one before.
    pub(crate) async fn traces_between(
        &self,
        place: Place,
        (from, to): (Uuid, Uuid),
        limit: i64,
    ) -> Result<Vec<TraceId>, StoreError> {
        let (from, to) = (from.to_string(), to.to_string());
        let ids = match place {
            Place::Logs => {
                sqlx::query_scalar!(
                    "WITH RECURSIVE found(trace_id) AS (
                        SELECT min(trace_id) FROM logs INDEXED BY logs_trace WHERE trace_id >= ?1 AND trace_id <= ?2
                        UNION ALL
                        SELECT (
                            SELECT min(trace_id) FROM logs INDEXED BY logs_trace
                            WHERE trace_id > found.trace_id AND trace_id <= ?2)
                        FROM found WHERE found.trace_id IS NOT NULL LIMIT ?3)
                    SELECT trace_id AS \"trace_id!: String\" FROM found WHERE trace_id IS NOT NULL",
                    from,
                    to,
                    limit
                )
                .fetch_all(&self.pool)
                .await
            }
            Place::Archive => {
                sqlx::query_scalar!(
                    "WITH RECURSIVE found(trace_id) AS (
                        SELECT min(trace_id) FROM logs_archive INDEXED BY logs_archive_trace
                        WHERE trace_id >= ?1 AND trace_id <= ?2
                        UNION ALL
                        SELECT (
                            SELECT min(trace_id) FROM logs_archive INDEXED BY logs_archive_trace
                            WHERE trace_id > found.trace_id AND trace_id <= ?2)
                        FROM found WHERE found.trace_id IS NOT NULL LIMIT ?3)
                    SELECT trace_id AS \"trace_id!: String\" FROM found WHERE trace_id IS NOT NULL",
                    from,
                    to,
                    limit
                )
                .fetch_all(&self.pool)
                .await
            }
        };
        Ok(ids.map_err(while_reading)?.iter().filter_map(|id| id.parse().ok()).collect())
    }
}
