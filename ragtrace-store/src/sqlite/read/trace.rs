//! Traces: their rows, and which there are.

use std::collections::HashMap;

use ragtrace::{Timestamp, TraceId};
use uuid::Uuid;

use super::database::SqliteStore;
use super::logs::Parameters;
use super::rows::{select_matching, select_rows};
use crate::error::StoreError;
use crate::read::{AssemblyInput, Heartbeat, LogFilter, LogRow, TRACE_ROWS};
use crate::sqlite::fault::while_reading;

impl SqliteStore {
    /// Returns the rows of a trace, and what is known of the processes that wrote them. The
    /// processes are read first: one that ends in between has not ended then, rather than having
    /// ended before its last rows.
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
        // A trace that retention moves in between is read in both places, which does no harm,
        // rather than in none.
        let mut rows = self.logs(&filter).await?;
        let parameters = Parameters::of(&filter);
        let archived = select_matching!(parameters, "logs_archive INDEXED BY logs_archive_trace", "trace_id = ?3");
        for row in archived.fetch_all(&self.pool).await.map_err(while_reading)? {
            rows.push(LogRow::try_from(row)?);
        }
        let truncated = rows.len() > TRACE_ROWS;
        rows.truncate(TRACE_ROWS);
        Ok((rows, AssemblyInput { instances, now: Timestamp::now(), truncated }))
    }

    /// Returns the trace of the newest record.
    pub(crate) async fn latest(&self) -> Result<Option<TraceId>, StoreError> {
        let latest = sqlx::query_scalar!(
            "SELECT trace_id AS \"trace_id!\" FROM logs INDEXED BY logs_time WHERE trace_id IS NOT NULL
            ORDER BY timestamp DESC, id DESC LIMIT 1"
        );
        let latest = latest.fetch_optional(&self.pool).await.map_err(while_reading)?;
        Ok(latest.and_then(|id| id.parse().ok()))
    }

    /// Returns the traces whose ids lie between two, both included.
    pub(crate) async fn traces_between(&self, from: Uuid, to: Uuid, limit: i64) -> Result<Vec<TraceId>, StoreError> {
        let (from, to) = (from.to_string(), to.to_string());
        let ids = sqlx::query_scalar!(
            "SELECT DISTINCT trace_id AS \"trace_id!\" FROM logs INDEXED BY logs_trace
            WHERE trace_id >= ?1 AND trace_id <= ?2 ORDER BY trace_id LIMIT ?3",
            from,
            to,
            limit
        );
        let ids = ids.fetch_all(&self.pool).await.map_err(while_reading)?;
        Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
    }
}
