//! Reads scores.

use ragtrace::TraceId;

use super::database::PostgresStore;
use crate::error::StoreError;
use crate::postgres::clean::as_stored;
use crate::postgres::fault::while_reading;
use crate::postgres::time::PgTime;
use crate::read::{SCORE_ROWS, ScoreColumns, ScoreFilter, ScoreRow};

/// Selects scores. The rest of the statement, from `FROM` on, is given.
macro_rules! select_scores {
    ($rest:literal, $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            ScoreColumns,
            r#"SELECT id::text AS "id!", to_char(timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "timestamp!",
                trace_id::text AS "trace_id!", span_id, name, number, flag, label, judged_by, comment, user_id, tenant_id,
                service, environment, version, host, instance::text AS "instance!", thread,
                to_char(created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "created_at!" "# + $rest,
            $($parameter),+
        )
    };
}

impl PostgresStore {
    /// Returns the scores of a trace, oldest first.
    pub(crate) async fn scores(&self, trace: TraceId) -> Result<Vec<ScoreRow>, StoreError> {
        let rows = select_scores!(
            "FROM scores WHERE trace_id = $1 ORDER BY scores.timestamp, scores.id LIMIT $2",
            trace.as_uuid(),
            SCORE_ROWS
        );
        rows.fetch_all(&self.lookups).await.map_err(while_reading)?.into_iter().map(ScoreRow::try_from).collect()
    }

    /// Returns the matching scores, newest first.
    pub(crate) async fn recent_scores(&self, filter: &ScoreFilter) -> Result<Vec<ScoreRow>, StoreError> {
        let rows = select_scores!(
            "FROM scores WHERE timestamp >= $1 AND timestamp < $2 AND (timestamp, id) < ($3, $4)
                AND ($5::text IS NULL OR left(name, 64) = left($5, 64) AND name = $5)
                AND ($6::text IS NULL OR judged_by = $6) AND ($7::text IS NULL OR tenant_id = $7)
            ORDER BY scores.timestamp DESC, scores.id DESC LIMIT $8",
            PgTime::since(filter.since) as _,
            PgTime(filter.after.last_instant(filter.until).as_micros().saturating_add(1)) as _,
            PgTime::from(filter.after.timestamp) as _,
            filter.after.id,
            as_stored(filter.name.as_deref()),
            as_stored(filter.by.as_deref()),
            as_stored(filter.tenant_id.as_deref()),
            i64::try_from(filter.limit).unwrap_or(i64::MAX)
        );
        rows.fetch_all(&self.pool).await.map_err(while_reading)?.into_iter().map(ScoreRow::try_from).collect()
    }
}
