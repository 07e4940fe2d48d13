//! Reads the counts of stages.

use super::database::PostgresStore;
use crate::error::StoreError;
use crate::postgres::fault::while_reading;
use crate::postgres::time::PgTime;
use crate::read::{Counted, GroupBy, StagePoint, StageStats, Window, series, sum_by_part, sum_by_stage};
use crate::tables::floor;

const HOUR: i64 = 3_600_000_000;

/// A window in hours that are read from `stage_hours`, and minutes on both sides that are read from
/// `stage_minutes`.
struct Hours {
    since: PgTime,
    left_end: PgTime,
    first_hour: PgTime,
    last_hour: PgTime,
    until: PgTime,
}

impl Hours {
    fn of(window: Window) -> Self {
        let (since, until) = (window.since.as_micros(), window.until.as_micros());
        let first_hour = floor(since.saturating_add(HOUR - 1), HOUR);
        // If the window contains no whole hour, everything is read by the minute.
        let last_hour = floor(until, HOUR).max(first_hour);
        let left_end = first_hour.min(until);
        Self {
            since: PgTime(since),
            left_end: PgTime(left_end),
            first_hour: PgTime(first_hour),
            last_hour: PgTime(last_hour),
            until: PgTime(until),
        }
    }
}

/// Selects the counts of a window from both tables, split by two expressions: one over hours, and
/// one over minutes.
macro_rules! select_counts {
    ($window:expr, $of_hours:literal, $of_minutes:literal) => {{
        let hours = Hours::of($window);
        sqlx::query_as!(
            Counted,
            r#"SELECT stage AS "stage!", kind, "#
                + $of_hours
                + r#" AS part, runs AS "runs!", completed AS "completed!",
                failed AS "failed!", cancelled AS "cancelled!", items AS "items!", cost_usd AS "cost_usd!",
                duration_ms_sum AS "duration_ms_sum!", durations::text AS "durations!"
            FROM stage_hours WHERE hour >= $1 AND hour < $2
            UNION ALL
            SELECT stage, kind, "#
                + $of_minutes
                + ", runs, completed, failed, cancelled, items, cost_usd,
                duration_ms_sum, durations::text
            FROM stage_minutes WHERE (minute >= $3 AND minute < $4) OR (minute >= $5 AND minute < $6)",
            hours.first_hour as _,
            hours.last_hour as _,
            hours.since as _,
            hours.left_end as _,
            hours.last_hour as _,
            hours.until as _
        )
    }};
}

impl PostgresStore {
    /// Returns the counts of a window: whole hours from the hourly sums, and the rest on both sides
    /// by the minute.
    pub(crate) async fn stage_stats(&self, window: Window) -> Result<Vec<StageStats>, StoreError> {
        let rows = select_counts!(window, "NULL::text", "NULL::text");
        Ok(sum_by_stage(rows.fetch_all(&self.pool).await.map_err(while_reading)?, window))
    }

    /// Returns the counts of a window, split by something. Versions are only known by the process,
    /// which the hourly sums do not have.
    pub(crate) async fn stage_stats_by(&self, window: Window, by: GroupBy) -> Result<Vec<StageStats>, StoreError> {
        let rows = match by {
            GroupBy::Tenant => select_counts!(window, "tenant_id", "tenant_id").fetch_all(&self.pool).await,
            GroupBy::Version => {
                sqlx::query_as!(
                    Counted,
                    r#"SELECT m.stage, m.kind, i.version AS part, m.runs, m.completed, m.failed, m.cancelled, m.items, m.cost_usd,
                        m.duration_ms_sum, m.durations::text AS "durations!"
                    FROM stage_minutes m LEFT JOIN instances i ON i.instance = m.instance
                    WHERE m.minute >= $1 AND m.minute < $2"#,
                    PgTime::from(window.since) as _,
                    PgTime::from(window.until) as _
                )
                .fetch_all(&self.pool)
                .await
            }
            GroupBy::User => return self.stage_stats_by_user(window).await,
        };
        Ok(sum_by_part(rows.map_err(while_reading)?, window))
    }

    /// Returns the counts of a window over time, by steps of so many microseconds. Steps of whole
    /// hours are read from the hourly sums.
    pub(crate) async fn stage_series(&self, window: Window, step: i64) -> Result<Vec<StagePoint>, StoreError> {
        let rows = if step % HOUR == 0 {
            select_counts!(
                window,
                r#"to_char(hour, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#,
                r#"to_char(minute, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#
            )
            .fetch_all(&self.pool)
            .await
        } else {
            sqlx::query_as!(
                Counted,
                r#"SELECT stage, kind, to_char(minute, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS part, runs, completed, failed,
                    cancelled, items, cost_usd, duration_ms_sum, durations::text AS "durations!"
                FROM stage_minutes WHERE minute >= $1 AND minute < $2"#,
                PgTime::from(window.since) as _,
                PgTime::from(window.until) as _
            )
            .fetch_all(&self.pool)
            .await
        };
        Ok(series(rows.map_err(while_reading)?, window, step))
    }
}
