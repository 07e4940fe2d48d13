//! Reads scores.

use ragtrace::TraceId;

use super::database::PostgresStore;
use crate::error::StoreError;
use crate::postgres::fault::while_reading;
use crate::read::{SCORE_ROWS, ScoreColumns, ScoreRow};

impl PostgresStore {
    /// Returns the scores of a trace, oldest first.
    pub(crate) async fn scores(&self, trace: TraceId) -> Result<Vec<ScoreRow>, StoreError> {
        let rows = sqlx::query_as!(
            ScoreColumns,
            r#"SELECT id::text AS "id!", to_char(timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "timestamp!",
                trace_id::text AS "trace_id!", span_id, name, number, flag, label, judged_by, comment, user_id, tenant_id,
                service, environment, version, host, instance::text AS "instance!", thread,
                to_char(created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "created_at!"
            FROM scores WHERE trace_id = $1 ORDER BY scores.timestamp, scores.id LIMIT $2"#,
            trace.as_uuid(),
            SCORE_ROWS
        );
        rows.fetch_all(&self.lookups).await.map_err(while_reading)?.into_iter().map(ScoreRow::try_from).collect()
    }
}
