//! Finds traces by what their records hold.

use ragtrace::{Timestamp, TraceId};
use uuid::Uuid;

use super::database::PostgresStore;
use super::requests::ids;
use crate::error::StoreError;
use crate::postgres::clean;
use crate::postgres::fault::while_reading;
use crate::postgres::time::PgTime;
use crate::read::{CANDIDATE_ROWS, Condition, Place, lower};

/// Selects the traces of rows that meet a condition, each once.
macro_rules! select_traces {
    ([$($from:literal),+ $(,)?], $($parameter:expr),+ $(,)?) => {
        sqlx::query_scalar!(
            r#"SELECT DISTINCT trace_id AS "trace_id!" FROM "# $(+ $from)+,
            $($parameter),+
        )
    };
}

impl PostgresStore {
    /// Returns the traces of a table in which a condition is met between two instants, if there is
    /// an index for it and few rows meet it.
    pub(crate) async fn candidates(
        &self,
        place: Place,
        condition: &Condition,
        (since, until): (Timestamp, Timestamp),
    ) -> Result<Option<Vec<TraceId>>, StoreError> {
        // Rows are limited and not traces, since the server would look for all rows to tell those
        // apart.
        let limit = i64::try_from(CANDIDATE_ROWS).unwrap_or(i64::MAX);
        let (since, until) = (PgTime::from(since), PgTime::from(until));
        macro_rules! candidates {
            ($table:literal, $condition:literal, $parameter:expr) => {
                sqlx::query_scalar!(
                    r#"SELECT trace_id AS "trace_id!" FROM "#
                        + $table
                        + " WHERE timestamp >= $1 AND timestamp <= $2 AND trace_id IS NOT NULL AND ("
                        + $condition
                        + ") LIMIT $4",
                    since as _,
                    until as _,
                    $parameter,
                    limit
                )
                .fetch_all(&self.pool)
                .await
            };
        }
        macro_rules! either {
            ($condition:literal, $parameter:expr) => {
                match place {
                    Place::Logs => candidates!("logs", $condition, $parameter),
                    Place::Archive => candidates!("logs_archive", $condition, $parameter),
                }
            };
        }
        let found = match condition {
            Condition::Ran(stage) => either!("stage = $3", &*clean::text(stage)),
            Condition::Error(text) => either!(
                r#"level = 'ERROR' AND (strpos(lower((error ->> 'type') COLLATE "C"), $3) > 0
                    OR strpos(lower((error ->> 'message') COLLATE "C"), $3) > 0
                    OR event = 'log' AND strpos(lower(message COLLATE "C"), $3) > 0)"#,
                lower(&clean::text(text))
            ),
            Condition::Field { .. } => return Ok(None),
        };
        let found = found.map_err(while_reading)?;
        Ok(if found.len() < CANDIDATE_ROWS { Some(parsed(found)) } else { None })
    }

    /// Returns those of the traces in which a condition is met between two instants, by the rows of
    /// one table. The instants tell which partitions may hold rows.
    pub(crate) async fn among(
        &self,
        place: Place,
        condition: &Condition,
        traces: &[TraceId],
        (since, until): (Timestamp, Timestamp),
    ) -> Result<Vec<TraceId>, StoreError> {
        let (ids, since, until) = (ids(traces), PgTime::from(since), PgTime::from(until));
        macro_rules! among {
            ($table:literal, $condition:literal, $($parameter:expr),+) => {
                select_traces!(
                    [$table, " WHERE trace_id = ANY ($1) AND timestamp >= $2 AND timestamp <= $3 AND (", $condition, ")"],
                    &ids,
                    since as _,
                    until as _,
                    $($parameter),+
                )
                .fetch_all(&self.pool)
                .await
            };
        }
        macro_rules! either {
            ($condition:literal, $($parameter:expr),+) => {
                match place {
                    Place::Logs => among!("logs", $condition, $($parameter),+),
                    Place::Archive => among!("logs_archive", $condition, $($parameter),+),
                }
            };
        }
        let found = match condition {
            Condition::Ran(stage) => either!("stage = $4", &*clean::text(stage)),
            Condition::Error(text) => either!(
                r#"level = 'ERROR' AND (strpos(lower((error ->> 'type') COLLATE "C"), $4) > 0
                    OR strpos(lower((error ->> 'message') COLLATE "C"), $4) > 0
                    OR event = 'log' AND strpos(lower(message COLLATE "C"), $4) > 0)"#,
                lower(&clean::text(text))
            ),
            Condition::Field { name, value } => either!(
                "CASE jsonb_typeof(context -> $4) WHEN 'string' THEN context ->> $4 ELSE (context -> $4)::text END = $5",
                &*clean::text(name),
                &*clean::text(value)
            ),
        };
        Ok(parsed(found.map_err(while_reading)?))
    }

    /// Returns a time before which a table has no rows, or `None` if it has none at all. No index
    /// leads to the oldest row of `logs`, but the names of its partitions tell its day.
    pub(crate) async fn oldest(&self, place: Place) -> Result<Option<Timestamp>, StoreError> {
        let oldest =
            match place {
                Place::Logs => sqlx::query_scalar!(
                    r#"SELECT substr(min(c.relname::text), 6, 4) || '-' || substr(min(c.relname::text), 10, 2) || '-'
                        || substr(min(c.relname::text), 12, 2) || 'T00:00:00.000000Z' AS oldest
                    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'logs'::regclass"#
                )
                .fetch_optional(&self.pool)
                .await,
                Place::Archive => {
                    sqlx::query_scalar!(
                        r#"SELECT to_char(timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS oldest FROM logs_archive
                    ORDER BY logs_archive.timestamp LIMIT 1"#
                    )
                    .fetch_optional(&self.pool)
                    .await
                }
            };
        Ok(oldest.map_err(while_reading)?.flatten().and_then(|at| at.parse().ok()))
    }
}

fn parsed(ids: Vec<Uuid>) -> Vec<TraceId> {
    ids.into_iter().filter_map(|id| TraceId::from_u128(id.as_u128())).collect()
}
