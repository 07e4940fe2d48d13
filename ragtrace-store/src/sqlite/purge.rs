//! The erasure of a person from a SQLite file.

use std::path::Path;

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::connect::{Synchronous, for_writing};
use super::erase::rewrite;
use super::fault::while_writing;
use super::files::Files;
use super::rotation::close_in_place;
use crate::fault::Fault;
use crate::retention::{Purge, PurgeReport};

/// Traces of one transaction.
const STEP: usize = 200;

/// Erases a person from the file at `path`: their rows first, and then what is left of them where
/// they were.
pub(crate) async fn purge(
    path: &Path,
    purge: &Purge,
    progress: &mut (dyn FnMut(&PurgeReport) + Send),
) -> Result<PurgeReport, Fault> {
    Files::existing(path)?;
    let mut opened = for_writing(path, Synchronous::Full).await?;
    let mut report = PurgeReport::default();
    // Nothing else is left should the file not be written anew in the end.
    sqlx::query("PRAGMA secure_delete = ON").execute(&mut opened.connection).await.map_err(while_writing)?;
    erase(&mut opened.connection, purge, &mut report, progress).await.map_err(while_writing)?;
    if !purge.is_dry_run() {
        let rewritten = rewrite(&mut opened.connection).await;
        report.bytes_remain = !rewritten.map_err(|fault| {
            let message =
                format!("the rows are removed, and their bytes may still be in the file: {fault}; purge again");
            fault.with_message(message)
        })?;
    }
    report.advance(progress);
    close_in_place(opened).await;
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
    // The groups, what is of no trace, and the file that is written anew.
    report.steps += groups.len() + 2;
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
