//! Rows of `logs`.

use ragtrace::{Level, Timestamp};

use super::database::SqliteStore;
use super::rows::{select_matching, select_rows};
use crate::error::StoreError;
use crate::read::{INFLIGHT_ROWS, INFLIGHT_WINDOW, INSTANCE_TIMEOUT, LogFilter, LogRow};
use crate::sqlite::fault::while_reading;

/// A filter as the statements take it.
pub(super) struct Parameters<'a> {
    pub(super) since: String,
    pub(super) until: String,
    pub(super) trace_id: Option<String>,
    pub(super) request_id: Option<&'a str>,
    pub(super) user_id: Option<&'a str>,
    pub(super) tenant_id: Option<&'a str>,
    pub(super) session_id: Option<&'a str>,
    pub(super) stage: Option<&'a str>,
    pub(super) level: i64,
    pub(super) limit: i64,
    pub(super) after_time: String,
    pub(super) after_id: String,
}

impl<'a> Parameters<'a> {
    pub(super) fn of(filter: &'a LogFilter) -> Self {
        Self {
            // Every time sorts after the empty text and before a tilde.
            since: filter.since.map_or_else(String::new, |since| since.to_string()),
            until: filter.until.map_or_else(|| "~".to_owned(), |until| until.to_string()),
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
        }
    }
}

impl SqliteStore {
    /// Returns the rows that match, the newest first.
    pub(crate) async fn logs(&self, filter: &LogFilter) -> Result<Vec<LogRow>, StoreError> {
        let parameters = Parameters::of(filter);
        let only_errors = filter.level == Some(Level::Error);
        let rows = if filter.trace_id.is_some() {
            select_matching!(parameters, "logs INDEXED BY logs_trace", "trace_id = ?3").fetch_all(&self.pool).await
        } else if filter.user_id.is_some() && only_errors {
            select_matching!(parameters, "logs INDEXED BY logs_user_errors", "level = 'ERROR' AND user_id = ?5")
                .fetch_all(&self.pool)
                .await
        } else if only_errors {
            select_matching!(parameters, "logs INDEXED BY logs_errors", "level = 'ERROR'").fetch_all(&self.pool).await
        } else if filter.stage.is_some() {
            select_matching!(parameters, "logs INDEXED BY logs_stage", "stage = ?7").fetch_all(&self.pool).await
        } else {
            select_matching!(parameters, "logs INDEXED BY logs_time", "true").fetch_all(&self.pool).await
        };
        rows.map_err(while_reading)?.into_iter().map(LogRow::try_from).collect()
    }

    /// Returns the starts without an end, of processes that live, the oldest first.
    pub(crate) async fn inflight(&self) -> Result<Vec<LogRow>, StoreError> {
        let now = Timestamp::now();
        let (since, alive) = (now.minus(INFLIGHT_WINDOW).to_string(), now.minus(INSTANCE_TIMEOUT).to_string());
        let rows = select_rows!(
            ["FROM logs AS started INDEXED BY logs_time
            WHERE event = 'started' AND timestamp >= ?1
                AND instance IN (SELECT instance FROM instances WHERE ended_at IS NULL AND last_seen_at >= ?2)
                AND NOT EXISTS (
                    SELECT 1 FROM logs AS ended INDEXED BY logs_trace
                    WHERE ended.trace_id = started.trace_id AND ended.span_id = started.span_id
                        AND ended.event IN ('completed', 'failed', 'cancelled'))
            ORDER BY timestamp, id LIMIT ?3"],
            since,
            alive,
            INFLIGHT_ROWS
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(LogRow::try_from).collect()
    }
}
