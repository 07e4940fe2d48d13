//! Requests, counts, the catalog, and what is new or under way.

use ragtrace::Timestamp;

use super::SqliteStore;
use crate::error::StoreError;
use crate::read::{
    CatalogStage, Columns, Counted, INFLIGHT_ROWS, INFLIGHT_WINDOW, LogRow, RequestColumns, SILENCE, StageStats,
    TAIL_ROWS, Tail, TailCursor, TailPoint, TraceFilter, TraceSummary, Window, sum_by_stage,
};
use crate::sqlite::fault::while_reading;

impl SqliteStore {
    /// Finished requests, the newest first.
    pub(crate) async fn traces(&self, filter: &TraceFilter) -> Result<Vec<TraceSummary>, StoreError> {
        let since = filter.since.map_or_else(String::new, |since| since.to_string());
        let until = filter.until.map_or_else(|| "~".to_owned(), |until| until.to_string());
        let (after_time, after_id) = (filter.after.timestamp.to_string(), filter.after.id.to_string());
        let status = filter.status.map(ragtrace::metrics::RunStatus::as_str);
        let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
        let rows = sqlx::query_as!(
            RequestColumns,
            "SELECT timestamp, operation, duration_ms, status, trace_id, user_id, tenant_id
            FROM request_metrics INDEXED BY request_metrics_time
            WHERE timestamp >= ?1 AND timestamp < ?2 AND (timestamp, trace_id) < (?3, ?4)
                AND (?5 IS NULL OR user_id = ?5) AND (?6 IS NULL OR tenant_id = ?6)
                AND (?7 IS NULL OR operation = ?7) AND (?8 IS NULL OR status = ?8)
            ORDER BY timestamp DESC, trace_id DESC LIMIT ?9",
            since,
            until,
            after_time,
            after_id,
            filter.user,
            filter.tenant,
            filter.operation,
            status,
            limit
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(TraceSummary::try_from).collect()
    }

    /// What stages did in a window of whole minutes.
    pub(crate) async fn stage_stats(&self, window: Window) -> Result<Vec<StageStats>, StoreError> {
        let (since, until) = (window.since.to_string(), window.until.to_string());
        let rows = sqlx::query_as!(
            Counted,
            "SELECT stage AS \"stage!\", kind, runs AS \"runs!\", completed AS \"completed!\", failed AS \"failed!\",
                cancelled AS \"cancelled!\", items AS \"items!\", cost_usd AS \"cost_usd!\",
                duration_ms_sum AS \"duration_ms_sum!\", durations AS \"durations!\"
            FROM stage_minutes WHERE minute >= ?1 AND minute < ?2",
            since,
            until
        );
        Ok(sum_by_stage(rows.fetch_all(&self.pool).await.map_err(while_reading)?))
    }

    /// Starts without an end, of processes that live, the oldest first.
    pub(crate) async fn inflight(&self) -> Result<Vec<LogRow>, StoreError> {
        let now = Timestamp::now();
        let (since, alive) = (now.minus(INFLIGHT_WINDOW).to_string(), now.minus(SILENCE).to_string());
        let rows = sqlx::query_as!(
            Columns,
            "SELECT id, timestamp, trace_id, span_id, parent_span_id, local_root AS \"local_root: bool\", request_id, user_id,
                tenant_id, request_type, logger, level, message, event, stage, kind, context, metrics, error, stack_trace,
                source, service, environment, version, host, instance, thread, created_at
            FROM logs AS started INDEXED BY logs_time
            WHERE event = 'started' AND timestamp >= ?1
                AND instance IN (SELECT instance FROM instances WHERE ended_at IS NULL AND last_seen_at >= ?2)
                AND NOT EXISTS (
                    SELECT 1 FROM logs AS ended INDEXED BY logs_trace
                    WHERE ended.trace_id = started.trace_id AND ended.span_id = started.span_id
                        AND ended.event IN ('completed', 'failed', 'cancelled'))
            ORDER BY timestamp, id LIMIT ?3",
            since,
            alive,
            INFLIGHT_ROWS
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(LogRow::try_from).collect()
    }

    /// One writer at a time gives numbers in the order of commits. A file that shrank is followed from its end.
    pub(crate) async fn tail(&self, cursor: Option<TailCursor>) -> Result<Tail, StoreError> {
        let last = sqlx::query_scalar!("SELECT coalesce(max(rowid), 0) AS \"last!: i64\" FROM logs");
        let last = last.fetch_one(&self.pool).await.map_err(while_reading)?;
        let seen = match cursor {
            Some(TailCursor(TailPoint::Row(seen))) => seen.min(last),
            _ => last,
        };
        let limit = i64::try_from(TAIL_ROWS).unwrap_or(i64::MAX);
        let rows = sqlx::query_as!(
            Columns,
            "SELECT id, timestamp, trace_id, span_id, parent_span_id, local_root AS \"local_root: bool\", request_id, user_id,
                tenant_id, request_type, logger, level, message, event, stage, kind, context, metrics, error, stack_trace,
                source, service, environment, version, host, instance, thread, created_at
            FROM logs WHERE rowid > ?1 AND rowid <= ?2 ORDER BY rowid LIMIT ?3",
            seen,
            last,
            limit
        );
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
        Ok(Tail { rows, cursor: TailCursor(TailPoint::Row(cursor)) })
    }

    /// Every stage of the catalog.
    pub(crate) async fn stages(&self) -> Result<Vec<CatalogStage>, StoreError> {
        let stages = sqlx::query_as!(
            CatalogStage,
            "SELECT service, name, kind, level, target, file, line, fields, last_seen_at FROM stages ORDER BY service, name"
        );
        Ok(stages.fetch_all(&self.pool).await.map_err(while_reading)?)
    }
}
