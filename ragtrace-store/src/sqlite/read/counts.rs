//! Reads the counts of stages.

use super::database::SqliteStore;
use crate::error::StoreError;
use crate::read::{Counted, GroupBy, StagePoint, StageStats, Window, series, sum_by_part, sum_by_stage};
use crate::sqlite::fault::while_reading;

/// Selects rows of `stage_minutes`, with what they are split by. The rest of the statement is given
/// in parts, from the expression on.
macro_rules! select_counts {
    ([$($rest:literal),+ $(,)?], $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            Counted,
            "SELECT stage AS \"stage!\", kind, runs AS \"runs!\", completed AS \"completed!\", failed AS \"failed!\",
                cancelled AS \"cancelled!\", items AS \"items!\", cost_usd AS \"cost_usd!\",
                duration_ms_sum AS \"duration_ms_sum!\", durations AS \"durations!\", " $(+ $rest)+,
            $($parameter),+
        )
    };
}

impl SqliteStore {
    /// Returns the counts of a window of whole minutes.
    pub(crate) async fn stage_stats(&self, window: Window) -> Result<Vec<StageStats>, StoreError> {
        let (since, until) = (window.since.to_string(), window.until.to_string());
        let rows = select_counts!(
            ["NULL AS \"part?: String\" FROM stage_minutes WHERE minute >= ?1 AND minute < ?2"],
            since,
            until
        );
        Ok(sum_by_stage(rows.fetch_all(&self.pool).await.map_err(while_reading)?, window))
    }

    /// Returns the counts of a window of whole minutes, split by something.
    pub(crate) async fn stage_stats_by(&self, window: Window, by: GroupBy) -> Result<Vec<StageStats>, StoreError> {
        let (since, until) = (window.since.to_string(), window.until.to_string());
        let rows = match by {
            GroupBy::Tenant => {
                select_counts!(
                    ["tenant_id AS \"part?: String\" FROM stage_minutes WHERE minute >= ?1 AND minute < ?2"],
                    since,
                    until
                )
                .fetch_all(&self.pool)
                .await
            }
            GroupBy::Version => {
                select_counts!(
                    ["(SELECT version FROM instances WHERE instances.instance = stage_minutes.instance) AS \"part?: String\"
                    FROM stage_minutes WHERE minute >= ?1 AND minute < ?2"],
                    since,
                    until
                )
                .fetch_all(&self.pool)
                .await
            }
            GroupBy::User => return self.stage_stats_by_user(window).await,
        };
        Ok(sum_by_part(rows.map_err(while_reading)?, window))
    }

    /// Returns the counts of a window of whole minutes over time, by steps of so many microseconds.
    pub(crate) async fn stage_series(&self, window: Window, step: i64) -> Result<Vec<StagePoint>, StoreError> {
        let (since, until) = (window.since.to_string(), window.until.to_string());
        let rows = select_counts!(
            ["minute AS \"part?: String\" FROM stage_minutes WHERE minute >= ?1 AND minute < ?2"],
            since,
            until
        );
        Ok(series(rows.fetch_all(&self.pool).await.map_err(while_reading)?, window, step))
    }
}
