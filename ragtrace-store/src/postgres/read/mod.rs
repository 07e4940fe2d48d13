//! The store in PostgreSQL.
//!
//! One statement serves all filters: the server plans it anew for the parameters it gets, so that those which are NULL
//! vanish and the rest find their index. A search that no index narrows walks back in time, in windows that grow, and stops
//! when it has enough: the newest rows are read without an index on every row for it.

mod logs;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ragtrace::{Event, Timestamp, TraceId};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use crate::error::StoreError;
use crate::postgres::connect::{Session, Target};
use crate::postgres::fault::{no_tables, while_opening, while_reading};
use crate::postgres::schema;
use crate::postgres::time::PgTime;
use crate::read::{
    CatalogStage, Counted, Heard, LogRow, RequestColumns, StageStats, Surroundings, TAIL_ROWS, TRACE_ROWS, Tail,
    TailCursor, TailPoint, TraceFilter, TraceSummary, Window, sum_by_stage,
};

/// Readers at once.
const CONNECTIONS: u32 = 4;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub(crate) struct PostgresStore {
    /// For searches, which are planned for the parameters they get.
    pool: PgPool,
    /// For what always goes the same way, and is planned once: planning over many days takes longer than finding a trace.
    lookups: PgPool,
}

impl PostgresStore {
    /// Opens the database for reading. Nothing is made there, and nothing written.
    pub(crate) async fn open(target: &Target) -> Result<Self, StoreError> {
        let options = target.options(Session::Reading)?;
        let pool = || PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
        let lookups = pool().connect_lazy_with(options.clone().options([("plan_cache_mode", "force_generic_plan")]));
        let searches = options.options([("plan_cache_mode", "force_custom_plan")]);
        let pool = pool().connect_with(searches).await.map_err(while_opening)?;
        let schema = target.schema_name();
        match schema::applied(&pool).await.map_err(while_opening)? {
            Some(applied) => schema::check(schema, &applied)?,
            None => return Err(no_tables(&schema::subject(schema)).into()),
        }
        Ok(Self { pool, lookups })
    }

    /// The rows of a trace, and what is known of the processes that wrote them. A process that has ended by the time it is
    /// asked for may have ended something since its rows were read, which then is not lost: they are read again.
    pub(crate) async fn trace(&self, trace: TraceId) -> Result<(Vec<LogRow>, Surroundings), StoreError> {
        let id = trace.as_uuid();
        let mut rows = self.of_trace(id).await?;
        let instances = self.heard_of(&rows).await?;
        if has_open(&rows) && instances.values().any(|heard| heard.ended) {
            rows = self.of_trace(id).await?;
        }
        let truncated = rows.len() > TRACE_ROWS;
        rows.truncate(TRACE_ROWS);
        Ok((rows, Surroundings { instances, now: Timestamp::now(), truncated }))
    }

    /// When the processes that wrote these rows were last heard of.
    async fn heard_of(&self, rows: &[LogRow]) -> Result<HashMap<Uuid, Heard>, StoreError> {
        let wrote: Vec<Uuid> = rows.iter().map(|row| row.instance()).collect::<HashSet<_>>().into_iter().collect();
        let instances = sqlx::query!(
            r#"SELECT instance, (extract(epoch FROM last_seen_at) * 1000000)::bigint AS "last_seen_at!",
                ended_at IS NOT NULL AS "ended!"
            FROM instances WHERE instance = ANY ($1)"#,
            &wrote
        );
        let instances = instances.fetch_all(&self.lookups).await.map_err(while_reading)?;
        let heard = instances.into_iter().map(|row| {
            (row.instance, Heard { last_seen_at: Timestamp::from_micros(row.last_seen_at), ended: row.ended })
        });
        Ok(heard.collect())
    }

    /// Traces whose ids lie between two, both included.
    pub(crate) async fn traces_between(&self, from: Uuid, to: Uuid, limit: i64) -> Result<Vec<TraceId>, StoreError> {
        let ids = sqlx::query_scalar!(
            r#"SELECT DISTINCT trace_id AS "trace_id!" FROM logs WHERE trace_id >= $1 AND trace_id <= $2
            ORDER BY 1 LIMIT $3"#,
            from,
            to,
            limit
        );
        let ids = ids.fetch_all(&self.pool).await.map_err(while_reading)?;
        Ok(ids.into_iter().filter_map(|id| TraceId::from_u128(id.as_u128())).collect())
    }

    /// Finished requests, the newest first.
    pub(crate) async fn traces(&self, filter: &TraceFilter) -> Result<Vec<TraceSummary>, StoreError> {
        let rows = sqlx::query_as!(
            RequestColumns,
            r#"SELECT to_char(timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "timestamp!", operation, duration_ms, status,
                trace_id::text, user_id, tenant_id
            FROM request_metrics
            WHERE timestamp >= $1 AND timestamp < $2 AND (timestamp, trace_id) < ($3, $4)
                AND ($5::text IS NULL OR user_id = $5) AND ($6::text IS NULL OR tenant_id = $6)
                AND ($7::text IS NULL OR operation = $7) AND ($8::text IS NULL OR status = $8)
            ORDER BY request_metrics.timestamp DESC, request_metrics.trace_id DESC LIMIT $9"#,
            PgTime::since(filter.since) as _,
            PgTime::until(filter.until) as _,
            PgTime::from(filter.after.timestamp) as _,
            filter.after.id,
            logs::clean(filter.user.as_deref()),
            logs::clean(filter.tenant.as_deref()),
            logs::clean(filter.operation.as_deref()),
            filter.status.map(ragtrace::metrics::RunStatus::as_str),
            i64::try_from(filter.limit).unwrap_or(i64::MAX)
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(TraceSummary::try_from).collect()
    }

    /// What stages did: whole hours from their sums, and what is left on both sides by the minute.
    pub(crate) async fn stage_stats(&self, window: Window) -> Result<Vec<StageStats>, StoreError> {
        const HOUR: i64 = 3_600_000_000;
        let (since, until) = (window.since.as_micros(), window.until.as_micros());
        let first_hour = (since.saturating_add(HOUR - 1)).div_euclid(HOUR) * HOUR;
        // No whole hour in it: everything is left of the first.
        let last_hour = (until.div_euclid(HOUR) * HOUR).max(first_hour);
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
        Ok(sum_by_stage(rows.fetch_all(&self.pool).await.map_err(while_reading)?))
    }

    /// Snapshots give what was committed since, in whichever order transactions ended.
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

    /// Every stage of the catalog.
    pub(crate) async fn stages(&self) -> Result<Vec<CatalogStage>, StoreError> {
        let stages = sqlx::query_as!(
            CatalogStage,
            r#"SELECT service, name, kind, level, target, file, line, fields::text AS "fields!",
                to_char(last_seen_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "last_seen_at!"
            FROM stages ORDER BY service, name"#
        );
        Ok(stages.fetch_all(&self.pool).await.map_err(while_reading)?)
    }
}

/// Whether something began and has no end among the rows.
fn has_open(rows: &[LogRow]) -> bool {
    let of = |is: fn(Event) -> bool| rows.iter().filter(move |row| is(row.event())).filter_map(|row| row.span_id());
    let ended: HashSet<_> = of(Event::is_end).collect();
    of(|event| event == Event::Started).any(|span| !ended.contains(&span))
}
