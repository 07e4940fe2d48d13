//! Reads scores.

use ragtrace::TraceId;

use super::database::SqliteStore;
use crate::error::StoreError;
use crate::read::{SCORE_ROWS, ScoreColumns, ScoreRow};
use crate::sqlite::fault::while_reading;

impl SqliteStore {
    /// Returns the scores of a trace, oldest first.
    pub(crate) async fn scores(&self, trace: TraceId) -> Result<Vec<ScoreRow>, StoreError> {
        let id = trace.to_string();
        let rows = sqlx::query_as!(
            ScoreColumns,
            "SELECT id AS \"id!\", timestamp AS \"timestamp!\", trace_id AS \"trace_id!\", span_id, name AS \"name!\",
                number, flag AS \"flag?: bool\", label, judged_by, comment, user_id, tenant_id, service, environment,
                version, host, instance AS \"instance!\", thread, created_at AS \"created_at!\"
            FROM scores INDEXED BY scores_trace WHERE trace_id = ?1 ORDER BY timestamp, id LIMIT ?2",
            id,
            SCORE_ROWS
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(ScoreRow::try_from).collect()
    }
}
