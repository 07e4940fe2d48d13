//! Reads finished traces.

use ragtrace::TraceId;
use ragtrace::metrics::RunStatus;
use uuid::Uuid;

use super::database::PostgresStore;
use crate::error::StoreError;
use crate::postgres::clean::as_stored;
use crate::postgres::fault::while_reading;
use crate::postgres::time::PgTime;
use crate::read::{RequestColumns, TraceCounts, TraceFilter, TraceSummary};
use crate::tables::millis;

impl PostgresStore {
    /// Returns finished traces, newest first. Conditions on records are not considered.
    pub(crate) async fn traces(&self, filter: &TraceFilter) -> Result<Vec<TraceSummary>, StoreError> {
        self.requests(filter, None).await
    }

    /// Returns those of the traces that match, newest first. Conditions on records are not
    /// considered.
    pub(crate) async fn traces_of(
        &self,
        filter: &TraceFilter,
        traces: &[TraceId],
    ) -> Result<Vec<TraceSummary>, StoreError> {
        self.requests(filter, Some(ids(traces))).await
    }

    async fn requests(&self, filter: &TraceFilter, traces: Option<Vec<Uuid>>) -> Result<Vec<TraceSummary>, StoreError> {
        let rows = sqlx::query_as!(
            RequestColumns,
            r#"SELECT to_char(timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "timestamp!", operation, duration_ms, status,
                trace_id::text, user_id, tenant_id, session_id, number
            FROM request_metrics
            WHERE timestamp >= $1 AND timestamp < $2 AND (timestamp, trace_id, number) < ($3, $4, $5)
                AND ($6::text IS NULL OR left(user_id, 64) = left($6, 64) AND user_id = $6)
                AND ($7::text IS NULL OR left(tenant_id, 64) = left($7, 64) AND tenant_id = $7)
                AND ($8::text IS NULL OR left(session_id, 64) = left($8, 64) AND session_id = $8)
                AND ($9::text IS NULL OR left(operation, 64) = left($9, 64) AND operation = $9)
                AND ($10::text IS NULL OR status = $10) AND ($11::double precision IS NULL OR duration_ms >= $11)
                AND ($12::uuid[] IS NULL OR trace_id = ANY ($12))
            ORDER BY request_metrics.timestamp DESC, request_metrics.trace_id DESC, number DESC LIMIT $13"#,
            PgTime::since(filter.since) as _,
            PgTime(filter.after.last_instant(filter.until).as_micros().saturating_add(1)) as _,
            PgTime::from(filter.after.timestamp) as _,
            filter.after.id,
            filter.after.number,
            as_stored(filter.user_id.as_deref()),
            as_stored(filter.tenant_id.as_deref()),
            as_stored(filter.session_id.as_deref()),
            as_stored(filter.operation.as_deref()),
            filter.status.map(RunStatus::as_str),
            filter.longer_than.map(millis),
            traces as _,
            i64::try_from(filter.limit).unwrap_or(i64::MAX)
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(TraceSummary::try_from).collect()
    }

    /// Counts finished traces by step and outcome. Conditions on records are not considered.
    pub(crate) async fn trace_counts(
        &self,
        filter: &TraceFilter,
        mut steps: Vec<TraceCounts>,
    ) -> Result<Vec<TraceCounts>, StoreError> {
        let begins: Vec<String> = steps.iter().map(|step| step.from().to_string()).collect();
        let rows = sqlx::query!(
            r#"SELECT width_bucket(timestamp, (SELECT $10::text[]::timestamptz[])) AS "step!", status,
                count(*) AS "number!"
            FROM request_metrics
            WHERE timestamp >= $1 AND timestamp < $2
                AND ($3::text IS NULL OR left(user_id, 64) = left($3, 64) AND user_id = $3)
                AND ($4::text IS NULL OR left(tenant_id, 64) = left($4, 64) AND tenant_id = $4)
                AND ($5::text IS NULL OR left(session_id, 64) = left($5, 64) AND session_id = $5)
                AND ($6::text IS NULL OR left(operation, 64) = left($6, 64) AND operation = $6)
                AND ($7::text IS NULL OR status = $7) AND ($8::double precision IS NULL OR duration_ms >= $8)
                AND timestamp < $9
            GROUP BY 1, 2"#,
            PgTime::since(filter.since) as _,
            PgTime(filter.until.map_or(i64::MAX, ragtrace::Timestamp::as_micros)) as _,
            as_stored(filter.user_id.as_deref()),
            as_stored(filter.tenant_id.as_deref()),
            as_stored(filter.session_id.as_deref()),
            as_stored(filter.operation.as_deref()),
            filter.status.map(RunStatus::as_str),
            filter.longer_than.map(millis),
            PgTime(steps.last().map_or(i64::MIN, |last| last.until().as_micros())) as _,
            &begins
        );
        for row in rows.fetch_all(&self.pool).await.map_err(while_reading)? {
            // Steps are counted from one; what lies before the first of them is in number zero.
            let step = usize::try_from(row.step).ok().and_then(|step| step.checked_sub(1));
            let (step, status) = (step.and_then(|step| steps.get_mut(step)), row.status.parse::<RunStatus>());
            if let (Some(step), Ok(status)) = (step, status) {
                step.add(status, row.number.unsigned_abs());
            }
        }
        Ok(steps)
    }
}

/// Returns ids as the database has them.
pub(super) fn ids(traces: &[TraceId]) -> Vec<Uuid> {
    traces.iter().map(|id| id.as_uuid()).collect()
}
