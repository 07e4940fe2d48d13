//! Reads finished traces, counts, and the catalog.

use ragtrace::metrics::RunStatus;

use super::database::SqliteStore;
use crate::error::StoreError;
use crate::read::{
    CatalogColumns, CatalogStage, Counted, RequestColumns, StageStats, TraceFilter, TraceSummary, Window, sum_by_stage,
};
use crate::sqlite::fault::while_reading;

impl SqliteStore {
    /// Returns finished traces, newest first.
    pub(crate) async fn traces(&self, filter: &TraceFilter) -> Result<Vec<TraceSummary>, StoreError> {
        let since = filter.since.map_or_else(String::new, |since| since.to_string());
        let up_to = filter.after.last_instant(filter.until).to_string();
        let (after_time, after_id) = (filter.after.timestamp.to_string(), filter.after.id.to_string());
        let status = filter.status.map(RunStatus::as_str);
        let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
        let rows = sqlx::query_as!(
            RequestColumns,
            "SELECT timestamp, operation, duration_ms, status, trace_id, user_id, tenant_id, session_id, number AS \"number!\"
            FROM request_metrics INDEXED BY request_metrics_time
            WHERE timestamp >= ?1 AND timestamp <= ?2 AND (timestamp, trace_id, number) < (?3, ?4, ?11)
                AND (?5 IS NULL OR user_id = ?5) AND (?6 IS NULL OR tenant_id = ?6)
                AND (?7 IS NULL OR operation = ?7) AND (?8 IS NULL OR status = ?8)
                AND (?10 IS NULL OR session_id = ?10)
            ORDER BY timestamp DESC, trace_id DESC, number DESC LIMIT ?9",
            since,
            up_to,
            after_time,
            after_id,
            filter.user_id,
            filter.tenant_id,
            filter.operation,
            status,
            limit,
            filter.session_id,
            filter.after.number
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(TraceSummary::try_from).collect()
    }

    /// Returns the counts of a window of whole minutes.
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
        Ok(sum_by_stage(rows.fetch_all(&self.pool).await.map_err(while_reading)?, window))
    }

    /// Returns every stage of the catalog.
    pub(crate) async fn stages(&self) -> Result<Vec<CatalogStage>, StoreError> {
        let stages = sqlx::query_as!(
            CatalogColumns,
            "SELECT service, name, kind, level, target, file, line, fields, last_seen_at FROM stages ORDER BY service, name"
        );
        stages.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(CatalogStage::try_from).collect()
    }
}
