//! Reads finished traces, counts, and the catalog.

use ragtrace::metrics::RunStatus;

use super::database::PostgresStore;
use crate::error::StoreError;
use crate::postgres::clean::as_stored;
use crate::postgres::fault::while_reading;
use crate::postgres::time::PgTime;
use crate::read::{
    CatalogColumns, CatalogStage, Counted, RequestColumns, StageStats, TraceFilter, TraceSummary, Window, sum_by_stage,
};
use crate::tables::floor;

impl PostgresStore {
    /// Returns finished traces, newest first.
    pub(crate) async fn traces(&self, filter: &TraceFilter) -> Result<Vec<TraceSummary>, StoreError> {
        let rows = sqlx::query_as!(
            RequestColumns,
            r#"SELECT to_char(timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "timestamp!", operation, duration_ms, status,
                trace_id::text, user_id, tenant_id, session_id, number
            FROM request_metrics
            WHERE timestamp >= $1 AND timestamp < $2 AND (timestamp, trace_id, number) < ($3, $4, $11)
                AND ($5::text IS NULL OR user_id = $5) AND ($6::text IS NULL OR tenant_id = $6)
                AND ($7::text IS NULL OR left(operation, 64) = left($7, 64) AND operation = $7) AND ($8::text IS NULL OR status = $8)
                AND ($10::text IS NULL OR session_id = $10)
            ORDER BY request_metrics.timestamp DESC, request_metrics.trace_id DESC, number DESC LIMIT $9"#,
            PgTime::since(filter.since) as _,
            PgTime(filter.after.last_instant(filter.until).as_micros().saturating_add(1)) as _,
            PgTime::from(filter.after.timestamp) as _,
            filter.after.id,
            as_stored(filter.user_id.as_deref()),
            as_stored(filter.tenant_id.as_deref()),
            as_stored(filter.operation.as_deref()),
            filter.status.map(RunStatus::as_str),
            i64::try_from(filter.limit).unwrap_or(i64::MAX),
            as_stored(filter.session_id.as_deref()),
            filter.after.number
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(TraceSummary::try_from).collect()
    }

    /// Returns the counts of a window: whole hours from the hourly sums, and the rest on both sides
    /// by the minute.
    pub(crate) async fn stage_stats(&self, window: Window) -> Result<Vec<StageStats>, StoreError> {
        const HOUR: i64 = 3_600_000_000;
        let (since, until) = (window.since.as_micros(), window.until.as_micros());
        let first_hour = floor(since.saturating_add(HOUR - 1), HOUR);
        // If the window contains no whole hour, everything is read by the minute.
        let last_hour = floor(until, HOUR).max(first_hour);
        let left_end = first_hour.min(until);
        let rows = sqlx::query_as!(
            Counted,
            r#"SELECT stage AS "stage!", kind, runs AS "runs!", completed AS "completed!", failed AS "failed!",
                cancelled AS "cancelled!", items AS "items!", cost_usd AS "cost_usd!",
                duration_ms_sum AS "duration_ms_sum!", durations::text AS "durations!"
            FROM stage_hours WHERE hour >= $1 AND hour < $2
            UNION ALL
            SELECT stage, kind, runs, completed, failed, cancelled, items, cost_usd, duration_ms_sum, durations::text
            FROM stage_minutes WHERE minute >= $3 AND minute < $4
            UNION ALL
            SELECT stage, kind, runs, completed, failed, cancelled, items, cost_usd, duration_ms_sum, durations::text
            FROM stage_minutes WHERE minute >= $5 AND minute < $6"#,
            PgTime(first_hour) as _,
            PgTime(last_hour) as _,
            PgTime(since) as _,
            PgTime(left_end) as _,
            PgTime(last_hour) as _,
            PgTime(until) as _
        );
        Ok(sum_by_stage(rows.fetch_all(&self.pool).await.map_err(while_reading)?, window))
    }

    /// Returns every stage of the catalog.
    pub(crate) async fn stages(&self) -> Result<Vec<CatalogStage>, StoreError> {
        let stages = sqlx::query_as!(
            CatalogColumns,
            r#"SELECT service, name, kind, level, target, file, line, fields::text AS "fields!",
                to_char(last_seen_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "last_seen_at!"
            FROM stages ORDER BY service, name"#
        );
        stages.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(CatalogStage::try_from).collect()
    }
}
