//! Reads rows of `logs`.

use std::time::Duration;

use ragtrace::{Level, Timestamp};

use super::database::PostgresStore;
use super::rows::{matching, select_errors, select_rows};
use crate::error::StoreError;
use crate::postgres::fault::while_reading;
use crate::postgres::time::PgTime;
use crate::read::{GroupedError, INFLIGHT_ROWS, INFLIGHT_WINDOW, INSTANCE_TIMEOUT, LogFilter, LogRow, Place};

/// The length of a search's first window. Each further window reaches back `GROWTH` times as far.
const FIRST_WINDOW: Duration = Duration::from_mins(1);
const GROWTH: u32 = 8;
/// The longest window: a longer one reaches back to the first row instead.
const LONGEST_WINDOW: Duration = Duration::from_hours(30 * 24);

impl PostgresStore {
    /// Returns the matching rows of a table, newest first.
    pub(crate) async fn logs(&self, place: Place, filter: &LogFilter) -> Result<Vec<LogRow>, StoreError> {
        let since = PgTime::since(filter.since);
        // The end of the search, exclusive: it begins there and not at the newest row.
        let until = PgTime(filter.after.last_instant(filter.until).as_micros().saturating_add(1));
        if place == Place::Archive {
            return self.archived_between(filter, since, until).await;
        }
        if filter.trace_id.is_some() || filter.level == Some(Level::Error) {
            return self.logs_between(filter, since, until, filter.limit).await;
        }
        let mut rows = Vec::new();
        let mut window = FIRST_WINDOW;
        // The first window includes rows whose time lies in the future.
        let mut upper = until;
        let mut lower = until.0.min(Timestamp::now().as_micros());
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
        let rows = matching!(select_rows, "FROM logs r", filter, since, until, limit);
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(LogRow::try_from).collect()
    }

    /// Returns matching rows of the archive. It has an index on time, which `logs` does not, so
    /// that index is read backwards as far as necessary.
    async fn archived_between(
        &self,
        filter: &LogFilter,
        since: PgTime,
        until: PgTime,
    ) -> Result<Vec<LogRow>, StoreError> {
        let rows = matching!(select_rows, "FROM logs_archive r", filter, since, until, filter.limit);
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(LogRow::try_from).collect()
    }

    /// Returns the matching errors of a table, newest first, as far as they are needed to group
    /// them. The filter's level has to be ERROR.
    pub(crate) async fn grouped_errors(
        &self,
        place: Place,
        filter: &LogFilter,
    ) -> Result<Vec<GroupedError>, StoreError> {
        let since = PgTime::since(filter.since);
        let until = PgTime(filter.after.last_instant(filter.until).as_micros().saturating_add(1));
        let rows = match place {
            Place::Logs => {
                let rows = matching!(select_errors, "FROM logs r", filter, since, until, filter.limit);
                rows.fetch_all(&self.pool).await
            }
            Place::Archive => {
                let rows = matching!(select_errors, "FROM logs_archive r", filter, since, until, filter.limit);
                rows.fetch_all(&self.pool).await
            }
        };
        rows.map_err(while_reading)?.into_iter().map(GroupedError::try_from).collect()
    }

    /// Returns the start records without an end whose processes are alive, oldest first. One pass
    /// over the window finds them, however many spans a trace has.
    pub(crate) async fn inflight(&self) -> Result<Vec<LogRow>, StoreError> {
        let now = Timestamp::now();
        let (since, alive) = (now.minus(INFLIGHT_WINDOW), now.minus(INSTANCE_TIMEOUT));
        let rows = select_rows!(
            ["FROM (SELECT * FROM logs UNION ALL SELECT * FROM logs_archive) r
            WHERE r.event = 'started' AND r.timestamp >= $1
                AND r.id = ANY (ARRAY (
                    SELECT max(s.id::text)::uuid
                    FROM (SELECT * FROM logs UNION ALL SELECT * FROM logs_archive) s
                    WHERE s.timestamp >= $1 AND s.event IN ('started', 'completed', 'failed', 'cancelled')
                    GROUP BY s.trace_id, s.span_id HAVING NOT bool_or(s.event <> 'started')))
                AND r.instance IN (SELECT instance FROM instances WHERE ended_at IS NULL AND last_seen_at >= $2)
            ORDER BY r.timestamp, r.id LIMIT $3"],
            PgTime::from(since) as _,
            PgTime::from(alive) as _,
            INFLIGHT_ROWS
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(LogRow::try_from).collect()
    }
}
