//! The erasure of a person from a SQLite file.

use std::path::Path;

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::connect::{close, to_tidy};
use super::fault::while_writing;
use crate::fault::Fault;
use crate::retention::{Purge, PurgeReport};

/// Traces of one transaction.
const STEP: usize = 200;

/// Erases a person from the file at `path`.
pub(crate) async fn purge(
    path: &Path,
    purge: &Purge,
    progress: &mut (dyn FnMut(&PurgeReport) + Send),
) -> Result<PurgeReport, Fault> {
    let mut connection = to_tidy(path).await?;
    let mut report = PurgeReport::default();
    erase(&mut connection, purge, &mut report, progress).await.map_err(while_writing)?;
    close(connection).await;
    Ok(report)
}

/// Finds the traces of a person, and erases them, some at once, each whole in one transaction. One
/// that is stopped leaves whole traces, and finds them the next time.
async fn erase(
    connection: &mut SqliteConnection,
    purge: &Purge,
    report: &mut PurgeReport,
    progress: &mut (dyn FnMut(&PurgeReport) + Send),
) -> Result<(), sqlx::Error> {
    let user = purge.user_id();
    report.steps = 1;
    let found = sqlx::query_scalar!(
        "SELECT trace_id AS \"trace_id!\" FROM logs WHERE user_id = ?1 AND trace_id IS NOT NULL
        UNION SELECT trace_id FROM logs_archive WHERE user_id = ?1 AND trace_id IS NOT NULL
        UNION SELECT trace_id FROM request_metrics WHERE user_id = ?1 AND trace_id IS NOT NULL",
        user
    );
    let found = found.fetch_all(&mut *connection).await?;
    report.advance(progress);
    let groups = found.chunks(STEP);
    report.steps += groups.len() + 1;
    for traces in groups {
        erase_rows(
            connection,
            &json!(traces).to_string(),
            "trace_id IN (SELECT value FROM json_each(?1))",
            purge,
            report,
        )
        .await?;
        report.advance(progress);
    }
    erase_rows(connection, user, "trace_id IS NULL AND user_id = ?1", purge, report).await?;
    report.advance(progress);
    Ok(())
}

/// In one transaction, which a dry run takes back: what it says is what it would do.
async fn erase_rows(
    connection: &mut SqliteConnection,
    whose: &str,
    condition: &str,
    purge: &Purge,
    report: &mut PurgeReport,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let tables =
        [("logs", &mut report.logs), ("logs_archive", &mut report.archived), ("request_metrics", &mut report.requests)];
    for (table, removed) in tables {
        let delete = AssertSqlSafe(format!("DELETE FROM {table} WHERE {condition}"));
        *removed += sqlx::query(delete).bind(whose).execute(&mut *transaction).await?.rows_affected();
    }
    if purge.is_dry_run() { transaction.rollback().await } else { transaction.commit().await }
}
