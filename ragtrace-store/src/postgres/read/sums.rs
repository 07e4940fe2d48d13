//! Adds up what the end records of a window hold. Rows of both tables are read by one statement, so
//! that a row that retention moves meanwhile counts once.

use super::database::PostgresStore;
use crate::error::StoreError;
use crate::postgres::fault::while_reading;
use crate::postgres::time::PgTime;
use crate::read::{
    CostColumns, CostRow, RetrievalColumns, RetrievalStats, RunColumns, StageStats, Window, by_cost, of_window,
    sum_by_user,
};

impl PostgresStore {
    /// Returns the counts of a window by user. Durations are rounded to three digits, which is
    /// within the error of a sketch.
    pub(super) async fn stage_stats_by_user(&self, window: Window) -> Result<Vec<StageStats>, StoreError> {
        let rows = sqlx::query_as!(
            RunColumns,
            r#"SELECT stage AS "stage!", kind, user_id, event AS "event!", min(duration_ms) AS duration_ms,
                count(*) AS "runs!", coalesce(sum(least(duration_ms, 1e15)), 0) AS "duration_ms_sum!",
                coalesce(sum(item_count), 0)::double precision AS "items!", coalesce(sum(cost), 0) AS "cost_usd!"
            FROM (
                SELECT stage, kind, user_id, event, duration_ms, item_count, CASE jsonb_typeof(metrics -> 'cost_usd')
                    WHEN 'number' THEN least(greatest((metrics ->> 'cost_usd')::numeric, -1e15), 1e15)::double precision END
                    AS cost
                FROM (SELECT * FROM logs UNION ALL SELECT * FROM logs_archive) ends
                WHERE timestamp >= $1 AND timestamp < $2 AND event IN ('completed', 'failed', 'cancelled')
                    AND stage IS NOT NULL) runs
            GROUP BY stage, kind, user_id, event, floor(ln(greatest(duration_ms, 0.001)) * 200)"#,
            PgTime::from(window.since) as _,
            PgTime::from(window.until) as _
        );
        Ok(sum_by_user(rows.fetch_all(&self.pool).await.map_err(while_reading)?, window))
    }

    /// Returns the costs and tokens of a window. Numbers that a stage declares among its `fields`
    /// are in the context. A number that somebody made absurd does not have the others refused.
    pub(crate) async fn costs(&self, window: Window) -> Result<Vec<CostRow>, StoreError> {
        let names = window.names().map(|names| names.map(str::to_owned).to_vec());
        let rows = sqlx::query_as!(
            CostColumns,
            r#"SELECT tenant_id, model, provider, count(*) AS "runs!", coalesce(sum(input), 0) AS "input_tokens!",
                coalesce(sum(output), 0) AS "output_tokens!", coalesce(sum(cached), 0) AS "cached_tokens!",
                coalesce(sum(cost), 0) AS "cost_usd!"
            FROM (
                SELECT tenant_id, context ->> 'model' AS model, context ->> 'provider' AS provider,
                    CASE jsonb_typeof(numbers -> 'input_tokens') WHEN 'number' THEN
                        least(greatest((numbers ->> 'input_tokens')::numeric, 0), 1e15)::double precision END AS input,
                    CASE jsonb_typeof(numbers -> 'output_tokens') WHEN 'number' THEN
                        least(greatest((numbers ->> 'output_tokens')::numeric, 0), 1e15)::double precision END AS output,
                    CASE jsonb_typeof(numbers -> 'cached_tokens') WHEN 'number' THEN
                        least(greatest((numbers ->> 'cached_tokens')::numeric, 0), 1e15)::double precision END AS cached,
                    CASE jsonb_typeof(numbers -> 'cost_usd') WHEN 'number' THEN
                        least(greatest((numbers ->> 'cost_usd')::numeric, -1e15), 1e15)::double precision END AS cost
                FROM (
                    SELECT tenant_id, context, coalesce(context, '{}') || coalesce(metrics, '{}') AS numbers
                    FROM (SELECT * FROM logs UNION ALL SELECT * FROM logs_archive) ends
                    WHERE timestamp >= $1 AND timestamp < $2 AND event IN ('completed', 'failed', 'cancelled')
                        AND ($3::text[] IS NULL OR stage = ANY ($3))
                        AND (metrics ?| ARRAY['input_tokens', 'output_tokens', 'cached_tokens', 'cost_usd']
                            OR context ?| ARRAY['input_tokens', 'output_tokens', 'cached_tokens', 'cost_usd'])) found
                ) runs
            WHERE coalesce(input, output, cached, cost) IS NOT NULL GROUP BY tenant_id, model, provider"#,
            PgTime::from(window.since) as _,
            PgTime::from(window.until) as _,
            names as _
        );
        Ok(by_cost(rows.fetch_all(&self.pool).await.map_err(while_reading)?))
    }

    /// Returns what retrieving stages found in a window.
    pub(crate) async fn retrieval_stats(&self, window: Window) -> Result<Vec<RetrievalStats>, StoreError> {
        let rows = sqlx::query_as!(
            RetrievalColumns,
            r#"SELECT stage AS "stage!", kind AS "kind!", count(*) AS "runs!",
                count(*) FILTER (WHERE item_count = 0) AS "empty!", avg(top_score) AS mean_top_score,
                min(top_score) AS least_top_score
            FROM (
                SELECT stage, kind, item_count, coalesce(
                    CASE jsonb_typeof(metrics -> 'top_score') WHEN 'number' THEN
                        least(greatest((metrics ->> 'top_score')::numeric, -1e15), 1e15)::double precision END,
                    (
                        SELECT max(least(greatest((item ->> 'score')::numeric, -1e15), 1e15)::double precision)
                        FROM jsonb_array_elements(generated) item WHERE jsonb_typeof(item -> 'score') = 'number'
                    )) AS top_score
                FROM (SELECT * FROM logs UNION ALL SELECT * FROM logs_archive) ends
                WHERE timestamp >= $1 AND timestamp < $2 AND event = 'completed' AND kind IN ('retrieve', 'rerank')
                    AND stage IS NOT NULL) runs
            GROUP BY stage, kind"#,
            PgTime::from(window.since) as _,
            PgTime::from(window.until) as _
        );
        Ok(of_window(rows.fetch_all(&self.pool).await.map_err(while_reading)?, window))
    }
}
