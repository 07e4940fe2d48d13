//! Rows of `logs`.

use std::time::Duration;

use ragtrace::{Level, Timestamp, TraceId};
use uuid::Uuid;

use super::PostgresStore;
use crate::error::StoreError;
use crate::postgres::fault::while_reading;
use crate::postgres::time::PgTime;
use crate::read::{Columns, INFLIGHT_ROWS, INFLIGHT_WINDOW, LogFilter, LogRow, SILENCE, TAIL_ROWS, TRACE_ROWS};

/// How far back the first window of a search reaches, and how much farther each next one does.
const FIRST_WINDOW: Duration = Duration::from_mins(1);
const GROWTH: u32 = 8;
/// A window that would be longer reaches back to the beginning.
const LONGEST_WINDOW: Duration = Duration::from_hours(30 * 24);

/// Selects the columns of a row from a table and under a condition of its own.
macro_rules! select {
    ($from:literal, $($parameter:expr),+) => {
        sqlx::query_as!(
            Columns,
            r#"SELECT r.id::text AS "id!", to_char(r.timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "timestamp!",
                r.trace_id::text, r.span_id, r.parent_span_id, r.local_root AS "local_root!", r.request_id, r.user_id, r.tenant_id, r.request_type,
                r.logger AS "logger!", r.level AS "level!", r.message AS "message!", r.event AS "event!", r.stage, r.kind, r.context::text, r.metrics::text, r.error::text, r.stack_trace,
                r.source::text, r.service, r.environment, r.version, r.host, r.instance::text AS "instance!", r.thread,
                to_char(r.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "created_at!""#
                + " FROM "
                + $from,
            $($parameter),+
        )
    };
}

/// A text as it is stored: what PostgreSQL cannot hold is replaced there, and so it is where it is looked for.
pub(super) fn clean(text: Option<&str>) -> Option<String> {
    text.map(|text| crate::postgres::clean::text(text).into_owned())
}

impl PostgresStore {
    /// The rows that match, the newest first.
    pub(crate) async fn logs(&self, filter: &LogFilter) -> Result<Vec<LogRow>, StoreError> {
        let (since, until) = (PgTime::since(filter.since), PgTime::until(filter.until));
        if filter.trace.is_some() || filter.level == Some(Level::Error) {
            return self.logs_between(filter, since, until, filter.limit).await;
        }
        let mut rows = Vec::new();
        let mut window = FIRST_WINDOW;
        // What claims to be of the future is in the first window.
        let mut upper = until;
        let mut lower = until.0.min(Timestamp::now().as_micros()).min(filter.after.timestamp.as_micros());
        while upper.0 > since.0 && rows.len() < filter.limit {
            lower = match window {
                window if window > LONGEST_WINDOW => since.0,
                window => Timestamp::from_micros(lower).minus(window).as_micros().max(since.0),
            };
            let wanted = filter.limit - rows.len();
            rows.extend(self.logs_between(filter, PgTime(lower), upper, wanted).await?);
            upper = PgTime(lower);
            window *= GROWTH;
        }
        Ok(rows)
    }

    async fn logs_between(
        &self,
        filter: &LogFilter,
        since: PgTime,
        until: PgTime,
        limit: usize,
    ) -> Result<Vec<LogRow>, StoreError> {
        let levels: Option<Vec<String>> = filter.level.map(|least| {
            let named = Level::ALL.iter().filter(|level| **level >= least);
            named.map(|level| level.as_str().to_owned()).collect()
        });
        let rows = select!(
            "logs r WHERE timestamp >= $1 AND timestamp < $2 AND (timestamp, id) < ($3, $4)
                AND ($5::uuid IS NULL OR trace_id = $5) AND ($6::text IS NULL OR request_id = $6)
                AND ($7::text IS NULL OR user_id = $7) AND ($8::text IS NULL OR tenant_id = $8)
                AND ($9::text IS NULL OR stage = $9) AND ($10::text[] IS NULL OR level = ANY ($10))
            ORDER BY r.timestamp DESC, r.id DESC LIMIT $11",
            since as _,
            until as _,
            PgTime::from(filter.after.timestamp) as _,
            filter.after.id,
            filter.trace.map(TraceId::as_uuid),
            clean(filter.request.as_deref()),
            clean(filter.user.as_deref()),
            clean(filter.tenant.as_deref()),
            clean(filter.stage.as_deref()),
            levels as _,
            i64::try_from(limit).unwrap_or(i64::MAX)
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(LogRow::try_from).collect()
    }

    /// The rows of a trace, at most one more than are wanted, with what the archive has of it.
    pub(super) async fn of_trace(&self, trace: Uuid) -> Result<Vec<LogRow>, StoreError> {
        let rows = select!(
            "(SELECT * FROM logs WHERE trace_id = $1 UNION ALL SELECT * FROM logs_archive WHERE trace_id = $1) r LIMIT $2",
            trace,
            i64::try_from(TRACE_ROWS + 1).unwrap_or(i64::MAX)
        );
        rows.fetch_all(&self.lookups).await.map_err(while_reading)?.into_iter().map(LogRow::try_from).collect()
    }

    /// The trace of the newest record.
    pub(crate) async fn latest(&self) -> Result<Option<TraceId>, StoreError> {
        let mut filter = LogFilter::new().limit(100);
        loop {
            let rows = self.logs(&filter).await?;
            if let Some(trace) = rows.iter().find_map(|row| row.trace_id()) {
                return Ok(Some(trace));
            }
            match rows.last() {
                Some(last) => filter = filter.after(last.position()),
                None => return Ok(None),
            }
        }
    }

    /// Starts without an end, of processes that live, the oldest first.
    pub(crate) async fn inflight(&self) -> Result<Vec<LogRow>, StoreError> {
        let now = Timestamp::now();
        let (since, alive) = (now.minus(INFLIGHT_WINDOW), now.minus(SILENCE));
        let rows = select!(
            "logs r WHERE r.event = 'started' AND r.timestamp >= $1
                AND r.instance IN (SELECT instance FROM instances WHERE ended_at IS NULL AND last_seen_at >= $2)
                AND NOT EXISTS (
                    SELECT FROM logs e WHERE e.trace_id = r.trace_id AND e.span_id = r.span_id AND e.timestamp >= $1
                        AND e.event IN ('completed', 'failed', 'cancelled'))
            ORDER BY r.timestamp, r.id LIMIT $3",
            PgTime::from(since) as _,
            PgTime::from(alive) as _,
            INFLIGHT_ROWS
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(LogRow::try_from).collect()
    }

    /// Rows that one snapshot shows and an earlier one did not, from a transaction and a record in it on.
    pub(super) async fn written_between(
        &self,
        seen: &str,
        seeing: &str,
        after: (i64, Uuid),
    ) -> Result<Vec<LogRow>, StoreError> {
        // The index finds what was written since the oldest transaction that the earlier snapshot still waited for.
        let rows = select!(
            "logs r WHERE r.written >= pg_snapshot_xmin($1::text::pg_snapshot)::text::bigint
                AND NOT pg_visible_in_snapshot(r.written::text::xid8, $1::text::pg_snapshot)
                AND pg_visible_in_snapshot(r.written::text::xid8, $2::text::pg_snapshot) AND (r.written, r.id) > ($3, $4)
            ORDER BY r.written, r.id LIMIT $5",
            seen,
            seeing,
            after.0,
            after.1,
            i64::try_from(TAIL_ROWS).unwrap_or(i64::MAX)
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(LogRow::try_from).collect()
    }

    /// The transaction that wrote a record, among those that a snapshot did not show.
    pub(super) async fn written_by(&self, seen: &str, id: Uuid) -> Result<Option<i64>, StoreError> {
        let written = sqlx::query_scalar!(
            "SELECT written FROM logs WHERE id = $2 AND written >= pg_snapshot_xmin($1::text::pg_snapshot)::text::bigint
            LIMIT 1",
            seen,
            id
        );
        Ok(written.fetch_optional(&self.pool).await.map_err(while_reading)?)
    }
}
