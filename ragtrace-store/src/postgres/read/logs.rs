//! Rows of `logs`.

use std::time::Duration;

use ragtrace::{Level, Timestamp, TraceId};

use super::database::PostgresStore;
use super::rows::select_rows;
use crate::error::StoreError;
use crate::postgres::clean::as_stored;
use crate::postgres::fault::while_reading;
use crate::postgres::time::PgTime;
use crate::read::{INFLIGHT_ROWS, INFLIGHT_WINDOW, INSTANCE_TIMEOUT, LogFilter, LogRow};

/// How far back the first window of a search reaches, and how much farther each next one does.
const FIRST_WINDOW: Duration = Duration::from_mins(1);
const GROWTH: u32 = 8;
/// A window that would be longer reaches back to the beginning.
const LONGEST_WINDOW: Duration = Duration::from_hours(30 * 24);

impl PostgresStore {
    /// Returns the rows that match, the newest first.
    pub(crate) async fn logs(&self, filter: &LogFilter) -> Result<Vec<LogRow>, StoreError> {
        let (since, until) = (PgTime::since(filter.since), PgTime::until(filter.until));
        if filter.trace_id.is_some() || filter.level == Some(Level::Error) {
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
        let rows = select_rows!(
            "FROM logs r WHERE timestamp >= $1 AND timestamp < $2 AND (timestamp, id) < ($3, $4)
                AND ($5::uuid IS NULL OR trace_id = $5) AND ($6::text IS NULL OR request_id = $6)
                AND ($7::text IS NULL OR left(user_id, 64) = left($7, 64) AND user_id = $7)
                AND ($8::text IS NULL OR tenant_id = $8)
                AND ($9::text IS NULL OR stage = $9) AND ($10::text[] IS NULL OR level = ANY ($10))
                AND ($12::text IS NULL OR session_id = $12)
            ORDER BY r.timestamp DESC, r.id DESC LIMIT $11",
            since as _,
            until as _,
            PgTime::from(filter.after.timestamp) as _,
            filter.after.id,
            filter.trace_id.map(TraceId::as_uuid),
            as_stored(filter.request_id.as_deref()),
            as_stored(filter.user_id.as_deref()),
            as_stored(filter.tenant_id.as_deref()),
            as_stored(filter.stage.as_deref()),
            levels as _,
            i64::try_from(limit).unwrap_or(i64::MAX),
            as_stored(filter.session_id.as_deref())
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(LogRow::try_from).collect()
    }

    /// Returns the starts without an end, of processes that live, the oldest first.
    pub(crate) async fn inflight(&self) -> Result<Vec<LogRow>, StoreError> {
        let now = Timestamp::now();
        let (since, alive) = (now.minus(INFLIGHT_WINDOW), now.minus(INSTANCE_TIMEOUT));
        let rows = select_rows!(
            "FROM logs r WHERE r.event = 'started' AND r.timestamp >= $1
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
}
