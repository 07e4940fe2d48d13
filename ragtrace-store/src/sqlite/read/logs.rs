//! Reads rows of `logs` and of its archive.

use ragtrace::{Event, Level, Timestamp};
use serde_json::json;

use super::database::SqliteStore;
use super::rows::{matching, select_errors, select_rows};
use crate::error::StoreError;
use crate::read::{GroupedError, INFLIGHT_ROWS, INFLIGHT_WINDOW, INSTANCE_TIMEOUT, LogFilter, LogRow, Place, lower};
use crate::sqlite::fault::while_reading;

/// A filter in the form in which statements take it.
struct Parameters<'a> {
    since: String,
    /// The last instant that may match. An index is read from there, and not from the newest row.
    up_to: String,
    trace_id: Option<String>,
    request_id: Option<&'a str>,
    user_id: Option<&'a str>,
    tenant_id: Option<&'a str>,
    session_id: Option<&'a str>,
    stage: Option<&'a str>,
    level: i64,
    limit: i64,
    after_time: String,
    after_id: String,
    event: Option<&'static str>,
    text: Option<&'a str>,
    /// The text in lower case. SQLite ends a text that it makes lower at U+0000, so the text is
    /// looked for as it is too.
    lower_text: Option<String>,
}

impl<'a> Parameters<'a> {
    fn of(filter: &'a LogFilter) -> Self {
        Self {
            // Every time sorts after the empty string.
            since: filter.since.map_or_else(String::new, |since| since.to_string()),
            up_to: filter.after.last_instant(filter.until).to_string(),
            trace_id: filter.trace_id.map(|trace_id| trace_id.to_string()),
            request_id: filter.request_id.as_deref(),
            user_id: filter.user_id.as_deref(),
            tenant_id: filter.tenant_id.as_deref(),
            session_id: filter.session_id.as_deref(),
            stage: filter.stage.as_deref(),
            level: filter.level.unwrap_or(Level::Trace) as i64,
            limit: i64::try_from(filter.limit).unwrap_or(i64::MAX),
            after_time: filter.after.timestamp.to_string(),
            after_id: filter.after.id.to_string(),
            event: filter.event.map(Event::as_str),
            text: filter.text.as_deref(),
            lower_text: filter.text.as_deref().map(lower),
        }
    }
}

/// The index by which rows are found.
enum By {
    Trace,
    UserErrors,
    Errors,
    Stage,
    Time,
}

impl By {
    fn of(filter: &LogFilter) -> Self {
        let only_errors = filter.level == Some(Level::Error);
        match filter {
            LogFilter { trace_id: Some(_), .. } => Self::Trace,
            LogFilter { user_id: Some(_), .. } if only_errors => Self::UserErrors,
            _ if only_errors => Self::Errors,
            LogFilter { stage: Some(_), .. } => Self::Stage,
            _ => Self::Time,
        }
    }
}

/// Fetches the matching rows of a table by one of its indexes, under a condition on the index's
/// column.
macro_rules! fetch {
    ($self:expr, $parameters:expr, $from:literal, $condition:literal) => {
        matching!(select_rows, $parameters, $from, $condition).fetch_all(&$self.pool).await
    };
}

impl SqliteStore {
    /// Returns the matching rows of a table, newest first.
    pub(crate) async fn logs(&self, place: Place, filter: &LogFilter) -> Result<Vec<LogRow>, StoreError> {
        let parameters = Parameters::of(filter);
        let rows = match (place, By::of(filter)) {
            (Place::Logs, By::Trace) => fetch!(self, parameters, "logs INDEXED BY logs_trace", "trace_id = ?3"),
            (Place::Logs, By::UserErrors) => {
                fetch!(self, parameters, "logs INDEXED BY logs_user_errors", "level = 'ERROR' AND user_id = ?5")
            }
            (Place::Logs, By::Errors) => fetch!(self, parameters, "logs INDEXED BY logs_errors", "level = 'ERROR'"),
            (Place::Logs, By::Stage) => fetch!(self, parameters, "logs INDEXED BY logs_stage", "stage = ?7"),
            (Place::Logs, By::Time) => fetch!(self, parameters, "logs INDEXED BY logs_time", "true"),
            (Place::Archive, By::Trace) => {
                fetch!(self, parameters, "logs_archive INDEXED BY logs_archive_trace", "trace_id = ?3")
            }
            (Place::Archive, By::UserErrors) => {
                fetch!(
                    self,
                    parameters,
                    "logs_archive INDEXED BY logs_archive_user_errors",
                    "level = 'ERROR' AND user_id = ?5"
                )
            }
            (Place::Archive, By::Errors) => {
                fetch!(self, parameters, "logs_archive INDEXED BY logs_archive_errors", "level = 'ERROR'")
            }
            (Place::Archive, By::Stage) => {
                fetch!(self, parameters, "logs_archive INDEXED BY logs_archive_stage", "stage = ?7")
            }
            (Place::Archive, By::Time) => {
                fetch!(self, parameters, "logs_archive INDEXED BY logs_archive_time", "true")
            }
        };
        rows.map_err(while_reading)?.into_iter().map(LogRow::try_from).collect()
    }

    /// Returns the matching errors of a table, newest first, as far as they are needed to group
    /// them. The filter's level has to be ERROR.
    pub(crate) async fn grouped_errors(
        &self,
        place: Place,
        filter: &LogFilter,
    ) -> Result<Vec<GroupedError>, StoreError> {
        macro_rules! errors {
            ($parameters:expr, $from:literal, $condition:literal) => {
                matching!(select_errors, $parameters, $from, $condition).fetch_all(&self.pool).await
            };
        }
        let parameters = Parameters::of(filter);
        let rows = match (place, By::of(filter)) {
            (Place::Logs, By::Trace) => errors!(parameters, "logs INDEXED BY logs_trace", "trace_id = ?3"),
            (Place::Logs, By::UserErrors) => {
                errors!(parameters, "logs INDEXED BY logs_user_errors", "level = 'ERROR' AND user_id = ?5")
            }
            (Place::Logs, _) => errors!(parameters, "logs INDEXED BY logs_errors", "level = 'ERROR'"),
            (Place::Archive, By::Trace) => {
                errors!(parameters, "logs_archive INDEXED BY logs_archive_trace", "trace_id = ?3")
            }
            (Place::Archive, By::UserErrors) => {
                errors!(
                    parameters,
                    "logs_archive INDEXED BY logs_archive_user_errors",
                    "level = 'ERROR' AND user_id = ?5"
                )
            }
            (Place::Archive, _) => {
                errors!(parameters, "logs_archive INDEXED BY logs_archive_errors", "level = 'ERROR'")
            }
        };
        rows.map_err(while_reading)?.into_iter().map(GroupedError::try_from).collect()
    }

    /// Returns the start records without an end whose processes are alive, oldest first. One pass
    /// over the window finds them, however many spans a trace has.
    pub(crate) async fn inflight(&self) -> Result<Vec<LogRow>, StoreError> {
        let now = Timestamp::now();
        let (since, alive) = (now.minus(INFLIGHT_WINDOW).to_string(), now.minus(INSTANCE_TIMEOUT).to_string());
        let open = sqlx::query_scalar!(
            "SELECT max(number) AS \"number!: i64\" FROM (
                SELECT number, timestamp, trace_id, span_id, event, instance FROM logs INDEXED BY logs_time
                WHERE timestamp >= ?1 AND event IN ('started', 'completed', 'failed', 'cancelled')
                UNION ALL
                SELECT number, timestamp, trace_id, span_id, event, instance
                FROM logs_archive INDEXED BY logs_archive_time
                WHERE timestamp >= ?1 AND event IN ('started', 'completed', 'failed', 'cancelled'))
            WHERE instance IN (SELECT instance FROM instances WHERE ended_at IS NULL AND last_seen_at >= ?2)
            GROUP BY trace_id, span_id HAVING max(event <> 'started') = 0 ORDER BY min(timestamp) LIMIT ?3",
            since,
            alive,
            INFLIGHT_ROWS
        );
        let open = json!(open.fetch_all(&self.pool).await.map_err(while_reading)?).to_string();
        let rows = select_rows!(
            ["FROM (SELECT * FROM logs UNION ALL SELECT * FROM logs_archive INDEXED BY logs_archive_number)
            WHERE number IN (SELECT value FROM json_each(?1)) ORDER BY timestamp, id"],
            open
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(LogRow::try_from).collect()
    }
}
