//! Adds up what the end records of a window hold. Rows of both tables are read by one statement, so
//! that a row that retention moves meanwhile counts once.

use super::database::SqliteStore;
use crate::error::StoreError;
use crate::read::{
    CostColumns, CostRow, RetrievalColumns, RetrievalStats, RunColumns, StageStats, Window, by_cost, of_window,
    sum_by_user,
};
use crate::sqlite::fault::while_reading;

impl SqliteStore {
    /// Returns the counts of a window by user. Durations are rounded to three digits, which is
    /// within the error of a sketch.
    pub(super) async fn stage_stats_by_user(&self, window: Window) -> Result<Vec<StageStats>, StoreError> {
        let (since, until) = (window.since.to_string(), window.until.to_string());
        let rows = sqlx::query_as!(
            RunColumns,
            "SELECT stage AS \"stage!: String\", kind AS \"kind?: String\", user_id AS \"user_id?: String\",
                event AS \"event!: String\", CAST(printf('%.2e', duration_ms) AS REAL) AS \"duration_ms?: f64\",
                count(*) AS \"runs!: i64\", total(duration_ms) AS \"duration_ms_sum!: f64\",
                total(item_count) AS \"items!: f64\", total(metrics ->> 'cost_usd') AS \"cost_usd!: f64\"
            FROM (
                SELECT stage, kind, user_id, event, duration_ms, item_count, metrics FROM logs INDEXED BY logs_time
                WHERE timestamp >= ?1 AND timestamp < ?2 AND event IN ('completed', 'failed', 'cancelled')
                UNION ALL
                SELECT stage, kind, user_id, event, duration_ms, item_count, metrics
                FROM logs_archive INDEXED BY logs_archive_time
                WHERE timestamp >= ?1 AND timestamp < ?2 AND event IN ('completed', 'failed', 'cancelled'))
            WHERE stage IS NOT NULL GROUP BY 1, 2, 3, 4, 5",
            since,
            until
        );
        Ok(sum_by_user(rows.fetch_all(&self.pool).await.map_err(while_reading)?, window))
    }

    /// Returns the costs and tokens of a window. Numbers that a stage declares among its `fields`
    /// are in the context.
    pub(crate) async fn costs(&self, window: Window) -> Result<Vec<CostRow>, StoreError> {
        let (since, until) = (window.since.to_string(), window.until.to_string());
        let [stage, older] = window.names().map_or([None; 2], |names| names.map(Some));
        let rows = sqlx::query_as!(
            CostColumns,
            "SELECT tenant_id AS \"tenant_id?: String\", model AS \"model?: String\", provider AS \"provider?: String\",
                count(*) AS \"runs!: i64\", total(input_tokens) AS \"input_tokens!: f64\",
                total(output_tokens) AS \"output_tokens!: f64\", total(cached_tokens) AS \"cached_tokens!: f64\",
                total(cost_usd) AS \"cost_usd!: f64\"
            FROM (
                SELECT tenant_id, context ->> 'model' AS model, context ->> 'provider' AS provider,
                    coalesce(metrics ->> 'input_tokens', context ->> 'input_tokens') AS input_tokens,
                    coalesce(metrics ->> 'output_tokens', context ->> 'output_tokens') AS output_tokens,
                    coalesce(metrics ->> 'cached_tokens', context ->> 'cached_tokens') AS cached_tokens,
                    coalesce(metrics ->> 'cost_usd', context ->> 'cost_usd') AS cost_usd
                FROM (
                    SELECT tenant_id, context, metrics FROM logs INDEXED BY logs_time
                    WHERE timestamp >= ?1 AND timestamp < ?2 AND event IN ('completed', 'failed', 'cancelled')
                        AND (?3 IS NULL OR stage IN (?3, ?4))
                        AND (instr(metrics, '_tokens\"') OR instr(metrics, 'cost_usd\"') OR instr(context, '_tokens\"')
                            OR instr(context, 'cost_usd\"'))
                    UNION ALL
                    SELECT tenant_id, context, metrics FROM logs_archive INDEXED BY logs_archive_time
                    WHERE timestamp >= ?1 AND timestamp < ?2 AND event IN ('completed', 'failed', 'cancelled')
                        AND (?3 IS NULL OR stage IN (?3, ?4))
                        AND (instr(metrics, '_tokens\"') OR instr(metrics, 'cost_usd\"') OR instr(context, '_tokens\"')
                            OR instr(context, 'cost_usd\"')))
                ) AS runs
            WHERE coalesce(input_tokens, output_tokens, cached_tokens, cost_usd) IS NOT NULL GROUP BY 1, 2, 3",
            since,
            until,
            stage,
            older
        );
        Ok(by_cost(rows.fetch_all(&self.pool).await.map_err(while_reading)?))
    }

    /// Returns what retrieving stages found in a window.
    pub(crate) async fn retrieval_stats(&self, window: Window) -> Result<Vec<RetrievalStats>, StoreError> {
        let (since, until) = (window.since.to_string(), window.until.to_string());
        let rows = sqlx::query_as!(
            RetrievalColumns,
            "SELECT stage AS \"stage!: String\", kind AS \"kind!: String\", count(*) AS \"runs!: i64\",
                count(*) FILTER (WHERE item_count = 0) AS \"empty!: i64\", avg(top_score) AS \"mean_top_score?: f64\",
                min(top_score) AS \"least_top_score?: f64\"
            FROM (
                SELECT stage, kind, item_count, CAST(coalesce(metrics ->> 'top_score', (
                    SELECT max(value ->> 'score') FROM json_each(generated) WHERE value ->> 'score' IS NOT NULL)) AS REAL)
                    AS top_score
                FROM (
                    SELECT stage, kind, item_count, metrics, generated FROM logs INDEXED BY logs_time
                    WHERE timestamp >= ?1 AND timestamp < ?2 AND event = 'completed' AND kind IN ('retrieve', 'rerank')
                    UNION ALL
                    SELECT stage, kind, item_count, metrics, generated FROM logs_archive INDEXED BY logs_archive_time
                    WHERE timestamp >= ?1 AND timestamp < ?2 AND event = 'completed' AND kind IN ('retrieve', 'rerank'))
                ) AS runs
            WHERE stage IS NOT NULL GROUP BY 1, 2",
            since,
            until
        );
        Ok(of_window(rows.fetch_all(&self.pool).await.map_err(while_reading)?, window))
    }
}
