//! Reads scores.

use ragtrace::TraceId;

use super::database::SqliteStore;
use crate::error::StoreError;
use crate::read::{SCORE_ROWS, ScoreColumns, ScoreFilter, ScoreRow};
use crate::sqlite::fault::while_reading;

/// Selects scores. The rest of the statement, from `FROM` on, is given in parts.
macro_rules! select_scores {
    ([$($rest:literal),+ $(,)?], $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            ScoreColumns,
            "SELECT id AS \"id!\", timestamp AS \"timestamp!\", trace_id AS \"trace_id!\", span_id, name AS \"name!\",
                number, flag AS \"flag?: bool\", label, judged_by, comment, user_id, tenant_id, service, environment,
                version, host, instance AS \"instance!\", thread, created_at AS \"created_at!\" " $(+ $rest)+,
            $($parameter),+
        )
    };
}

impl SqliteStore {
    /// Returns the scores of a trace, oldest first.
    pub(crate) async fn scores(&self, trace: TraceId) -> Result<Vec<ScoreRow>, StoreError> {
        let id = trace.to_string();
        let rows = select_scores!(
            ["FROM scores INDEXED BY scores_trace WHERE trace_id = ?1 ORDER BY timestamp, id LIMIT ?2"],
            id,
            SCORE_ROWS
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(ScoreRow::try_from).collect()
    }

    /// Returns the matching scores, newest first.
    pub(crate) async fn recent_scores(&self, filter: &ScoreFilter) -> Result<Vec<ScoreRow>, StoreError> {
        let since = filter.since.map_or_else(String::new, |since| since.to_string());
        let up_to = filter.after.last_instant(filter.until).to_string();
        let (after_time, after_id) = (filter.after.timestamp.to_string(), filter.after.id.to_string());
        let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
        macro_rules! fetch {
            ($index:literal, $condition:literal) => {
                select_scores!(
                    [
                        "FROM scores INDEXED BY ", $index, " WHERE ", $condition,
                        " AND timestamp >= ?1 AND timestamp <= ?2 AND (timestamp, id) < (?3, ?4)
                        AND (?5 IS NULL OR name = ?5) AND (?6 IS NULL OR judged_by = ?6) AND (?7 IS NULL OR tenant_id = ?7)
                        ORDER BY timestamp DESC, id DESC LIMIT ?8"
                    ],
                    since,
                    up_to,
                    after_time,
                    after_id,
                    filter.name,
                    filter.by,
                    filter.tenant_id,
                    limit
                )
                .fetch_all(&self.pool)
                .await
            };
        }
        let rows = match filter.name {
            Some(_) => fetch!("scores_name", "name = ?5"),
            None => fetch!("scores_time", "true"),
        };
        rows.map_err(while_reading)?.into_iter().map(ScoreRow::try_from).collect()
    }
}
