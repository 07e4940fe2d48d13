//! The store in PostgreSQL.
//!
//! One statement serves all filters: the server plans it anew for the parameters it gets, so that those which are NULL
//! vanish and the rest find their index. A search that no index narrows walks back in time, in windows that grow, and stops
//! when it has enough: the newest rows are read without an index on every row for it.

mod logs;
mod time;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ragtrace::{Event, Timestamp, TraceId};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use super::assemble::{Heard, Surroundings};
use super::error::{Kind, StoreError};
use super::row::Columns;
use super::stats::{CatalogStage, Counted, StageStats, Window, added_up};
use super::summary::{Place, Requested, Tail, TailCursor, TraceFilter, TraceSummary};
use super::{INFLIGHT_ROWS, INFLIGHT_WINDOW, LogFilter, LogRow, TAIL_ROWS, TRACE_ROWS};
use crate::postgres::fault::has_sqlstate;
use crate::postgres::{MIGRATIONS, Target};
use time::PgTime;

/// Readers at once.
const CONNECTIONS: u32 = 4;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub(super) struct PostgresStore {
    /// For searches, which are planned for the parameters they get.
    pool: PgPool,
    /// For what always goes the same way, and is planned once: planning over many days takes longer than finding a trace.
    lookups: PgPool,
}

impl PostgresStore {
    /// Opens the database for reading. Nothing is made there, and nothing written.
    pub(super) async fn open(target: &Target) -> Result<Self, StoreError> {
        let options = target
            .options(crate::postgres::Session::Reading)
            .map_err(|fault| StoreError::new(Kind::Url, fault.to_string()))?;
        let pool = || PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
        let lookups = pool().connect_lazy_with(options.clone().options([("plan_cache_mode", "force_generic_plan")]));
        let searches = options.options([("plan_cache_mode", "force_custom_plan")]);
        let pool = pool().connect_with(searches).await.map_err(unreachable)?;
        // The table is sqlx's own, so it is not among those that statements are checked against.
        let version = sqlx::query_scalar("SELECT max(version) FROM ragtrace_migrations WHERE success");
        let version: Option<i64> = version.fetch_one(&pool).await.map_err(not_a_store)?;
        let current = MIGRATIONS.iter().map(|migration| migration.version).max();
        if version == current {
            return Ok(Self { pool, lookups });
        }
        let advice = if version < current {
            "an older version of ragtrace: run `ragtrace migrate`, or write to it once with this version"
        } else {
            "a newer version of ragtrace: upgrade this program"
        };
        Err(StoreError::new(Kind::Schema, format!("the tables were made by {advice}")))
    }

    /// The rows of a trace, and what is known of the processes that wrote them. A process that has ended by the time it is
    /// asked for may have ended something since its rows were read, which then is not lost: they are read again.
    pub(super) async fn trace(&self, trace: TraceId) -> Result<(Vec<LogRow>, Surroundings), StoreError> {
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
        let instances = instances.fetch_all(&self.lookups).await.map_err(unreadable)?;
        let heard = instances.into_iter().map(|row| {
            (row.instance, Heard { last_seen_at: Timestamp::from_micros(row.last_seen_at), ended: row.ended })
        });
        Ok(heard.collect())
    }

    /// Traces whose ids lie between two, both included.
    pub(super) async fn traces_between(&self, from: Uuid, to: Uuid, limit: i64) -> Result<Vec<TraceId>, StoreError> {
        let ids = sqlx::query_scalar!(
            r#"SELECT DISTINCT trace_id AS "trace_id!" FROM logs WHERE trace_id >= $1 AND trace_id <= $2
            ORDER BY 1 LIMIT $3"#,
            from,
            to,
            limit
        );
        let ids = ids.fetch_all(&self.pool).await.map_err(unreadable)?;
        Ok(ids.into_iter().filter_map(|id| TraceId::from_u128(id.as_u128())).collect())
    }

    /// Finished requests, the newest first.
    pub(super) async fn traces(&self, filter: &TraceFilter) -> Result<Vec<TraceSummary>, StoreError> {
        let rows = sqlx::query_as!(
            Requested,
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
        rows.fetch_all(&self.pool).await.map_err(unreadable)?.into_iter().map(TraceSummary::try_from).collect()
    }

    /// What stages did: whole hours from their sums, and what is left on both sides by the minute.
    pub(super) async fn stage_stats(&self, window: Window) -> Result<Vec<StageStats>, StoreError> {
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
        Ok(added_up(rows.fetch_all(&self.pool).await.map_err(unreadable)?))
    }

    /// Snapshots give what was committed since, in whichever order transactions ended.
    pub(super) async fn tail(&self, cursor: Option<TailCursor>) -> Result<Tail, StoreError> {
        const START: (i64, Uuid) = (-1, Uuid::nil());
        let now = sqlx::query_scalar!(r#"SELECT pg_current_snapshot()::text AS "now!""#);
        let now = now.fetch_one(&self.pool).await.map_err(unreadable)?;
        let cursor_at = |seen: String, seeing: String, after| TailCursor(Place::Snapshot { seen, seeing, after });
        let (seen, seeing, after) = match cursor {
            Some(TailCursor(Place::Snapshot { seen, seeing, after })) if seen != seeing => (seen, seeing, after),
            Some(TailCursor(Place::Snapshot { seen, .. })) => (seen, now, START),
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
    pub(super) async fn stages(&self) -> Result<Vec<CatalogStage>, StoreError> {
        let stages = sqlx::query_as!(
            CatalogStage,
            r#"SELECT service, name, kind, level, target, file, line, fields::text AS "fields!",
                to_char(last_seen_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "last_seen_at!"
            FROM stages ORDER BY service, name"#
        );
        stages.fetch_all(&self.pool).await.map_err(unreadable)
    }
}

/// Whether something began and has no end among the rows.
fn has_open(rows: &[LogRow]) -> bool {
    let of = |is: fn(Event) -> bool| rows.iter().filter(move |row| is(row.event())).filter_map(|row| row.span_id());
    let ended: HashSet<_> = of(Event::is_end).collect();
    of(|event| event == Event::Started).any(|span| !ended.contains(&span))
}

fn unreachable(error: sqlx::Error) -> StoreError {
    let kind = if matches!(error, sqlx::Error::Database(_)) { Kind::Other } else { Kind::Busy };
    let message = "the database cannot be reached: see to the URL, and to whether the server runs";
    StoreError::new(kind, message).because(error)
}

fn not_a_store(error: sqlx::Error) -> StoreError {
    if has_sqlstate(&error, &["42P01", "3F000"]) {
        let message =
            "the database has no tables of ragtrace's: run `ragtrace migrate`, or give the one your program writes to";
        return StoreError::new(Kind::NotAStore, message);
    }
    if has_sqlstate(&error, &["42501"]) {
        let message =
            "the role may not read ragtrace's tables: have the owner run `SELECT ragtrace.allow_reader(role, tenant)`";
        return StoreError::new(Kind::Other, message).because(error);
    }
    unreadable(error)
}

fn unreadable(error: sqlx::Error) -> StoreError {
    if has_sqlstate(&error, &["57014", "55P03"]) {
        let message = "the search took too long: narrow it, by `since` above all";
        return StoreError::new(Kind::Busy, message).because(error);
    }
    let kind = if matches!(error, sqlx::Error::Database(_)) { Kind::Other } else { Kind::Busy };
    StoreError::new(kind, "the database could not be read").because(error)
}
