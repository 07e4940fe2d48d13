//! The store in a SQLite file.
//!
//! Each way to narrow a search has a statement of its own that names the index it uses, since SQLite plans a statement
//! before it knows which parameters are NULL.

mod lists;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ragtrace::{Level, Timestamp, TraceId};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use uuid::Uuid;

use crate::error::StoreError;
use crate::read::{Columns, Heard, LogFilter, LogRow, Surroundings, TRACE_ROWS};
use crate::sqlite::connect::options;
use crate::sqlite::fault::{is_cannot_open, missing, while_reading, while_reading_version};
use crate::sqlite::schema;

/// Readers at once. They do not wait for each other, nor for the writer.
const CONNECTIONS: u32 = 4;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(crate) struct SqliteStore {
    pool: SqlitePool,
}

/// Selects from a table with the parameters ?1 to ?11 of [`Parameters`].
macro_rules! select {
    ($pool:expr, $parameters:expr, $from:literal, $condition:literal) => {{
        let parameters = $parameters;
        sqlx::query_as!(
            Columns,
            "SELECT id, timestamp, trace_id, span_id, parent_span_id, local_root AS \"local_root: bool\", request_id, user_id, tenant_id, request_type, logger, \
             level, message, event, stage, kind, context, metrics, error, stack_trace, source, service, environment, \
             version, host, instance, thread, created_at FROM "
                + $from
                + " WHERE "
                + $condition
                + " AND timestamp >= ?1 AND timestamp < ?2 \
             AND (?3 IS NULL OR trace_id = ?3) AND (?4 IS NULL OR request_id = ?4) AND (?5 IS NULL OR user_id = ?5) \
             AND (?6 IS NULL OR tenant_id = ?6) AND (?7 IS NULL OR stage = ?7) \
             AND CASE level WHEN 'TRACE' THEN 0 WHEN 'DEBUG' THEN 1 WHEN 'INFO' THEN 2 WHEN 'WARN' THEN 3 ELSE 4 END >= ?8 \
             AND (timestamp, id) < (?10, ?11) ORDER BY timestamp DESC, id DESC LIMIT ?9",
            parameters.since,
            parameters.until,
            parameters.trace,
            parameters.request,
            parameters.user,
            parameters.tenant,
            parameters.stage,
            parameters.level,
            parameters.limit,
            parameters.after_time,
            parameters.after_id
        )
        .fetch_all($pool)
        .await
    }};
}

/// A filter as the statements take it.
struct Parameters<'a> {
    since: String,
    until: String,
    trace: Option<String>,
    request: Option<&'a str>,
    user: Option<&'a str>,
    tenant: Option<&'a str>,
    stage: Option<&'a str>,
    level: i64,
    limit: i64,
    after_time: String,
    after_id: String,
}

impl<'a> Parameters<'a> {
    fn of(filter: &'a LogFilter) -> Self {
        Self {
            // Every time sorts after the empty text and before a tilde.
            since: filter.since.map_or_else(String::new, |since| since.to_string()),
            until: filter.until.map_or_else(|| "~".to_owned(), |until| until.to_string()),
            trace: filter.trace.map(|trace| trace.to_string()),
            request: filter.request.as_deref(),
            user: filter.user.as_deref(),
            tenant: filter.tenant.as_deref(),
            stage: filter.stage.as_deref(),
            level: filter.level.unwrap_or(Level::Trace) as i64,
            limit: i64::try_from(filter.limit).unwrap_or(i64::MAX),
            after_time: filter.after.timestamp.to_string(),
            after_id: filter.after.id.to_string(),
        }
    }
}

impl SqliteStore {
    /// Opens the file for reading. It is not created, and not written to.
    pub(crate) async fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.is_file() {
            return Err(missing(path).into());
        }
        let pool = match connect(options(path).read_only(true)).await {
            // A file in WAL mode needs its companions beside it, which cannot be made in a folder that is read-only. If
            // there are none, nobody is writing.
            Err(error) if is_cannot_open(&error) && !wal_of(path).exists() => {
                connect(options(path).read_only(true).immutable(true)).await
            }
            connected => connected,
        };
        let pool = pool.map_err(|error| while_reading_version(path, error))?;
        schema::check(&pool, path).await?;
        Ok(Self { pool })
    }

    /// The rows of a trace, and what is known of the processes that wrote them. The processes are read first: one that
    /// ends in between has not ended then, rather than having ended before its last rows.
    pub(crate) async fn trace(&self, trace: TraceId) -> Result<(Vec<LogRow>, Surroundings), StoreError> {
        let id = trace.to_string();
        let instances = sqlx::query!(
            "SELECT instance, last_seen_at, ended_at FROM instances
            WHERE instance IN (SELECT instance FROM logs INDEXED BY logs_trace WHERE trace_id = ?1)
               OR instance IN (SELECT instance FROM logs_archive INDEXED BY logs_archive_trace WHERE trace_id = ?1)",
            id
        );
        let instances = instances.fetch_all(&self.pool).await.map_err(while_reading)?;
        let heard = instances.into_iter().filter_map(|row| {
            let heard = Heard { last_seen_at: row.last_seen_at.parse().ok()?, ended: row.ended_at.is_some() };
            Some((row.instance.parse().ok()?, heard))
        });
        let instances: HashMap<_, _> = heard.collect();
        let filter = LogFilter::new().trace(trace).limit(TRACE_ROWS + 1);
        // A trace that retention moves in between is read in both places, which does no harm, rather than in none.
        let mut rows = self.logs(&filter).await?;
        let parameters = Parameters::of(&filter);
        let archived = select!(&self.pool, parameters, "logs_archive INDEXED BY logs_archive_trace", "trace_id = ?3");
        for row in archived.map_err(while_reading)? {
            rows.push(LogRow::try_from(row)?);
        }
        let truncated = rows.len() > TRACE_ROWS;
        rows.truncate(TRACE_ROWS);
        Ok((rows, Surroundings { instances, now: Timestamp::now(), truncated }))
    }

    /// The trace of the newest record.
    pub(crate) async fn latest(&self) -> Result<Option<TraceId>, StoreError> {
        let latest = sqlx::query_scalar!(
            "SELECT trace_id AS \"trace_id!\" FROM logs INDEXED BY logs_time WHERE trace_id IS NOT NULL
            ORDER BY timestamp DESC, id DESC LIMIT 1"
        );
        let latest = latest.fetch_optional(&self.pool).await.map_err(while_reading)?;
        Ok(latest.and_then(|id| id.parse().ok()))
    }

    /// Traces whose ids lie between two, both included.
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

    /// The rows that match, the newest first.
    pub(crate) async fn logs(&self, filter: &LogFilter) -> Result<Vec<LogRow>, StoreError> {
        let parameters = Parameters::of(filter);
        let only_errors = filter.level == Some(Level::Error);
        let rows = if filter.trace.is_some() {
            select!(&self.pool, parameters, "logs INDEXED BY logs_trace", "trace_id = ?3")
        } else if filter.user.is_some() && only_errors {
            select!(&self.pool, parameters, "logs INDEXED BY logs_user_errors", "level = 'ERROR' AND user_id = ?5")
        } else if only_errors {
            select!(&self.pool, parameters, "logs INDEXED BY logs_errors", "level = 'ERROR'")
        } else if filter.stage.is_some() {
            select!(&self.pool, parameters, "logs INDEXED BY logs_stage", "stage = ?7")
        } else {
            select!(&self.pool, parameters, "logs INDEXED BY logs_time", "true")
        };
        rows.map_err(while_reading)?.into_iter().map(LogRow::try_from).collect()
    }
}

/// Connects, and reads from the file for the first time, since SQLite opens it no sooner.
async fn connect(options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
    let pool = pool.connect_with(options).await?;
    sqlx::query("SELECT 1 FROM sqlite_schema").execute(&pool).await?;
    Ok(pool)
}

fn wal_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push("-wal");
    name.into()
}
