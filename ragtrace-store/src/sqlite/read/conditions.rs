//! Finds traces by what their records hold.

use ragtrace::{Timestamp, TraceId};

use super::database::SqliteStore;
use super::requests::ids;
use crate::error::StoreError;
use crate::read::{CANDIDATES, Condition, Place, lower};
use crate::sqlite::fault::while_reading;

/// Selects the traces of rows that meet a condition, each once.
macro_rules! select_traces {
    ([$($from:literal),+ $(,)?], $($parameter:expr),+ $(,)?) => {
        sqlx::query_scalar!(
            "SELECT DISTINCT trace_id AS \"trace_id!: String\" FROM " $(+ $from)+,
            $($parameter),+
        )
    };
}

impl SqliteStore {
    /// Returns the traces of a table in which a condition is met between two instants, if there is
    /// an index for it. More traces than can be candidates are not looked for.
    pub(crate) async fn candidates(
        &self,
        place: Place,
        condition: &Condition,
        (since, until): (Timestamp, Timestamp),
    ) -> Result<Option<Vec<TraceId>>, StoreError> {
        let (since, until) = (since.to_string(), until.to_string());
        let limit = i64::try_from(CANDIDATES + 1).unwrap_or(i64::MAX);
        macro_rules! ran {
            ($table:literal, $stage:expr) => {
                select_traces!(
                    [
                        $table,
                        " WHERE stage = ?1 AND timestamp >= ?2 AND timestamp <= ?3 AND trace_id IS NOT NULL LIMIT ?4"
                    ],
                    $stage,
                    since,
                    until,
                    limit
                )
                .fetch_all(&self.pool)
                .await
            };
        }
        macro_rules! error {
            ($table:literal, $text:expr, $lower:expr) => {
                select_traces!(
                    [
                        $table,
                        " WHERE level = 'ERROR' AND timestamp >= ?3 AND timestamp <= ?4 AND trace_id IS NOT NULL AND (
                            instr(lower(error ->> 'type'), ?2) > 0 OR instr(lower(error ->> 'message'), ?2) > 0
                            OR instr(error ->> 'type', ?1) > 0 OR instr(error ->> 'message', ?1) > 0
                            OR (event = 'log' AND (instr(lower(message), ?2) > 0 OR instr(message, ?1) > 0)))
                        LIMIT ?5"
                    ],
                    $text,
                    $lower,
                    since,
                    until,
                    limit
                )
                .fetch_all(&self.pool)
                .await
            };
        }
        let found = match (condition, place) {
            (Condition::Ran(stage), Place::Logs) => ran!("logs INDEXED BY logs_stage", stage),
            (Condition::Ran(stage), Place::Archive) => ran!("logs_archive INDEXED BY logs_archive_stage", stage),
            (Condition::Error(text), Place::Logs) => {
                let lower = lower(text);
                error!("logs INDEXED BY logs_errors", text, lower)
            }
            (Condition::Error(text), Place::Archive) => {
                let lower = lower(text);
                error!("logs_archive INDEXED BY logs_archive_errors", text, lower)
            }
            (Condition::Field { .. }, _) => return Ok(None),
        };
        Ok(Some(parsed(&found.map_err(while_reading)?)))
    }

    /// Returns those of the traces in which a condition is met, by the rows of one table. All rows
    /// of a trace are considered, whatever their time.
    pub(crate) async fn among(
        &self,
        place: Place,
        condition: &Condition,
        traces: &[TraceId],
        _between: (Timestamp, Timestamp),
    ) -> Result<Vec<TraceId>, StoreError> {
        let ids = ids(traces);
        macro_rules! ran {
            ($table:literal, $stage:expr) => {
                select_traces!(
                    [$table, " WHERE trace_id IN (SELECT value FROM json_each(?1)) AND stage = ?2"],
                    ids,
                    $stage
                )
                .fetch_all(&self.pool)
                .await
            };
        }
        macro_rules! error {
            ($table:literal, $text:expr, $lower:expr) => {
                select_traces!(
                    [
                        $table,
                        " WHERE trace_id IN (SELECT value FROM json_each(?3)) AND level = 'ERROR' AND (
                            instr(lower(error ->> 'type'), ?2) > 0 OR instr(lower(error ->> 'message'), ?2) > 0
                            OR instr(error ->> 'type', ?1) > 0 OR instr(error ->> 'message', ?1) > 0
                            OR (event = 'log' AND (instr(lower(message), ?2) > 0 OR instr(message, ?1) > 0)))"
                    ],
                    $text,
                    $lower,
                    ids
                )
                .fetch_all(&self.pool)
                .await
            };
        }
        macro_rules! field {
            ($table:literal, $name:expr, $value:expr, $part:expr) => {
                select_traces!(
                    [
                        $table,
                        " WHERE trace_id IN (SELECT value FROM json_each(?1)) AND instr(context, ?4) > 0 AND EXISTS (
                            SELECT 1 FROM json_each(context) AS field WHERE field.key = ?2
                                AND ?3 = CASE field.type WHEN 'text' THEN field.value ELSE context -> field.fullkey END)"
                    ],
                    ids,
                    $name,
                    $value,
                    $part
                )
                .fetch_all(&self.pool)
                .await
            };
        }
        let found = match (condition, place) {
            (Condition::Ran(stage), Place::Logs) => ran!("logs INDEXED BY logs_trace", stage),
            (Condition::Ran(stage), Place::Archive) => ran!("logs_archive INDEXED BY logs_archive_trace", stage),
            (Condition::Error(text), Place::Logs) => {
                let lower = lower(text);
                error!("logs INDEXED BY logs_trace_errors", text, lower)
            }
            (Condition::Error(text), Place::Archive) => {
                let lower = lower(text);
                error!("logs_archive INDEXED BY logs_archive_trace", text, lower)
            }
            (Condition::Field { name, value }, place) => {
                let part = plain_part(value);
                match place {
                    Place::Logs => field!("logs INDEXED BY logs_trace", name, value, part),
                    Place::Archive => field!("logs_archive INDEXED BY logs_archive_trace", name, value, part),
                }
            }
        };
        Ok(parsed(&found.map_err(while_reading)?))
    }

    /// Returns the time of the oldest row of a table, or `None` if it is empty.
    pub(crate) async fn oldest(&self, place: Place) -> Result<Option<Timestamp>, StoreError> {
        let oldest = match place {
            Place::Logs => {
                sqlx::query_scalar!(
                    "SELECT timestamp AS \"timestamp!\" FROM logs INDEXED BY logs_time
                    WHERE timestamp > '' ORDER BY timestamp LIMIT 1"
                )
                .fetch_optional(&self.pool)
                .await
            }
            Place::Archive => {
                sqlx::query_scalar!(
                    "SELECT timestamp AS \"timestamp!\" FROM logs_archive INDEXED BY logs_archive_time
                    WHERE timestamp > '' ORDER BY timestamp LIMIT 1"
                )
                .fetch_optional(&self.pool)
                .await
            }
        };
        Ok(oldest.map_err(while_reading)?.and_then(|at| at.parse().ok()))
    }
}

/// Returns the longest part of a value that JSON cannot write in another way. A context without it
/// need not be parsed.
fn plain_part(value: &str) -> &str {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " ._-:".contains(c);
    value.split(|c| !is_plain(c)).max_by_key(|part| part.len()).unwrap_or_default()
}

fn parsed(ids: &[String]) -> Vec<TraceId> {
    ids.iter().filter_map(|id| id.parse().ok()).collect()
}
