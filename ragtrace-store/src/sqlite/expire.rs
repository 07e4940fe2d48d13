//! Removes what is too old from a SQLite file's archive, metrics and bookkeeping tables.

use serde_json::json;
use sqlx::SqliteConnection;

use super::steps::{Found, STEP_ROWS, Sized, Step, WEIGHED_ROWS, fitting, groups};
use crate::retention::{Retention, RetentionReport};

/// The number of traces looked up at once.
const FOUND: i64 = 1_000;

/// Removes what is too old.
pub(super) async fn expire(
    connection: &mut SqliteConnection,
    retention: &Retention,
    report: &mut RetentionReport,
    progress: &mut (dyn FnMut(&RetentionReport) + Send),
) -> Result<(), sqlx::Error> {
    let archive = retention.archive_horizon().to_string();
    let mut after = (String::new(), 0);
    loop {
        let traces = next_traces(connection, &archive, &after).await?;
        let Some(last) = traces.last() else { break };
        after = (last.timestamp.clone(), last.row);
        report.expired += traces.len() as u64;
        for group in groups(&traces).filter(|_| !retention.is_dry_run()) {
            match group {
                [one] if !one.fits() => {
                    while remove_piece(connection, &one.trace_id).await? {
                        progress(report);
                    }
                }
                together => remove_traces(connection, together).await?,
            }
            remove_scores(connection, group).await?;
            progress(report);
        }
    }
    if retention.is_dry_run() {
        return Ok(());
    }
    while let removed @ 1.. = remove_late_scores(connection).await? + remove_old_scores(connection, &archive).await? {
        report.metrics += removed;
        progress(report);
    }
    while let removed @ 1.. = remove_loose(connection, &archive).await? {
        report.metrics += removed;
        progress(report);
    }
    forget(connection, &retention.metrics_horizon().to_string(), report, progress).await
}

/// Returns the next traces, by time, whose last record lies before the horizon and after a given
/// trace.
async fn next_traces(
    connection: &mut SqliteConnection,
    horizon: &str,
    (after, after_row): &(String, i64),
) -> Result<Vec<Found>, sqlx::Error> {
    let traces = sqlx::query_as!(
        Found,
        "SELECT trace_id AS \"trace_id!\", timestamp AS \"timestamp!\", rowid AS \"row!: i64\", (
                SELECT sum(bytes) FROM (
                    SELECT 600 + coalesce(octet_length(user_id), 0) + coalesce(octet_length(tenant_id), 0)
                    + coalesce(octet_length(context), 0) + coalesce(octet_length(metrics), 0)
                    + coalesce(octet_length(error), 0) + coalesce(octet_length(stack_trace), 0) + octet_length(message)
                    + coalesce(octet_length(links), 0) + coalesce(octet_length(used), 0) + coalesce(octet_length(generated), 0) AS bytes
                    FROM logs_archive INDEXED BY logs_archive_trace
                    WHERE trace_id = last.trace_id LIMIT ?5)) AS \"bytes!: i64\"
        FROM logs_archive AS last INDEXED BY logs_archive_time
        WHERE timestamp >= ?2 AND timestamp < ?1 AND (timestamp, rowid) > (?2, ?3) AND trace_id IS NOT NULL
            AND NOT EXISTS (
                SELECT 1 FROM logs_archive AS later INDEXED BY logs_archive_trace
                WHERE later.trace_id = last.trace_id AND later.timestamp > last.timestamp)
            AND NOT EXISTS (
                SELECT 1 FROM logs_archive AS later INDEXED BY logs_archive_trace
                WHERE later.trace_id = last.trace_id AND later.timestamp = last.timestamp AND later.rowid > last.rowid)
        ORDER BY timestamp, rowid LIMIT ?4",
        horizon,
        after,
        after_row,
        FOUND,
        WEIGHED_ROWS
    );
    traces.fetch_all(connection).await
}

/// Removes from the archive traces that fit into one step together.
async fn remove_traces(connection: &mut SqliteConnection, traces: &[Found]) -> Result<(), sqlx::Error> {
    let traces = json!(traces.iter().map(|found| &found.trace_id).collect::<Vec<_>>()).to_string();
    let mut step = Step::begin(connection).await?;
    let delete = sqlx::query!(
        "DELETE FROM logs_archive INDEXED BY logs_archive_trace WHERE trace_id IN (SELECT value FROM json_each(?1))",
        traces
    );
    delete.execute(&mut *step.transaction).await?;
    step.commit().await
}

/// Removes the scores of traces.
async fn remove_scores(connection: &mut SqliteConnection, traces: &[Found]) -> Result<(), sqlx::Error> {
    let traces = json!(traces.iter().map(|found| &found.trace_id).collect::<Vec<_>>()).to_string();
    let mut step = Step::begin(connection).await?;
    let delete = sqlx::query!(
        "DELETE FROM scores INDEXED BY scores_trace WHERE trace_id IN (SELECT value FROM json_each(?1))",
        traces
    );
    delete.execute(&mut *step.transaction).await?;
    step.commit().await
}

/// Removes some scores that arrived after their trace was removed. Returns their number.
async fn remove_late_scores(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let mut step = Step::begin(connection).await?;
    let delete = sqlx::query!(
        "DELETE FROM scores WHERE id IN (
            SELECT id FROM scores INDEXED BY scores_late WHERE late = 1 ORDER BY timestamp LIMIT ?1)",
        STEP_ROWS
    );
    let removed = delete.execute(&mut *step.transaction).await?.rows_affected();
    step.commit().await.map(|()| removed)
}

/// Removes some scores of traces that are not stored, by the scores' own age. Returns their number.
async fn remove_old_scores(connection: &mut SqliteConnection, horizon: &str) -> Result<u64, sqlx::Error> {
    let mut step = Step::begin(connection).await?;
    let delete = sqlx::query!(
        "DELETE FROM scores WHERE id IN (
            SELECT id FROM scores AS old INDEXED BY scores_time
            WHERE timestamp < ?1
                AND NOT EXISTS (SELECT 1 FROM logs INDEXED BY logs_trace WHERE trace_id = old.trace_id)
                AND NOT EXISTS (SELECT 1 FROM logs_archive INDEXED BY logs_archive_trace WHERE trace_id = old.trace_id)
            ORDER BY timestamp LIMIT ?2)",
        horizon,
        STEP_ROWS
    );
    let removed = delete.execute(&mut *step.transaction).await?.rows_affected();
    step.commit().await.map(|()| removed)
}

/// Removes some rows of a trace from the archive, and its last record last, by which a later job
/// would find the trace again. Returns `false` if there were no rows.
async fn remove_piece(connection: &mut SqliteConnection, trace: &str) -> Result<bool, sqlx::Error> {
    let mut step = Step::begin(connection).await?;
    let rows = sqlx::query_as!(
        Sized,
        "SELECT rowid AS \"number!: i64\",
            600 + coalesce(octet_length(user_id), 0) + coalesce(octet_length(tenant_id), 0)
            + coalesce(octet_length(context), 0) + coalesce(octet_length(metrics), 0)
            + coalesce(octet_length(error), 0) + coalesce(octet_length(stack_trace), 0) + octet_length(message)
            + coalesce(octet_length(links), 0) + coalesce(octet_length(used), 0) + coalesce(octet_length(generated), 0) AS \"bytes!: i64\"
        FROM logs_archive INDEXED BY logs_archive_trace WHERE trace_id = ?1 ORDER BY timestamp, rowid LIMIT ?2",
        trace,
        STEP_ROWS
    );
    let rows = rows.fetch_all(&mut *step.transaction).await?;
    remove_rows(step, &rows).await.map(|removed| removed > 0)
}

/// Removes some rows without a trace from the archive. Returns their number.
async fn remove_loose(connection: &mut SqliteConnection, horizon: &str) -> Result<u64, sqlx::Error> {
    let mut step = Step::begin(connection).await?;
    let rows = sqlx::query_as!(
        Sized,
        "SELECT rowid AS \"number!: i64\",
            600 + coalesce(octet_length(user_id), 0) + coalesce(octet_length(tenant_id), 0)
            + coalesce(octet_length(context), 0) + coalesce(octet_length(metrics), 0)
            + coalesce(octet_length(error), 0) + coalesce(octet_length(stack_trace), 0) + octet_length(message)
            + coalesce(octet_length(links), 0) + coalesce(octet_length(used), 0) + coalesce(octet_length(generated), 0) AS \"bytes!: i64\"
        FROM logs_archive INDEXED BY logs_archive_time WHERE trace_id IS NULL AND timestamp < ?1
        ORDER BY timestamp, rowid LIMIT ?2",
        horizon,
        STEP_ROWS
    );
    let rows = rows.fetch_all(&mut *step.transaction).await?;
    remove_rows(step, &rows).await
}

/// Removes as many of these rows from the archive as fit into a step. Returns their number.
async fn remove_rows(mut step: Step<'_>, rows: &[Sized]) -> Result<u64, sqlx::Error> {
    let Some(numbers) = fitting(rows) else { return step.transaction.rollback().await.map(|()| 0) };
    let delete = sqlx::query!("DELETE FROM logs_archive WHERE rowid IN (SELECT value FROM json_each(?1))", numbers);
    let removed = delete.execute(&mut *step.transaction).await?.rows_affected();
    step.commit().await.map(|()| removed)
}

/// Removes what is older than metrics are kept, some rows per step.
async fn forget(
    connection: &mut SqliteConnection,
    horizon: &str,
    report: &mut RetentionReport,
    progress: &mut (dyn FnMut(&RetentionReport) + Send),
) -> Result<(), sqlx::Error> {
    macro_rules! forget {
        ($delete:literal, $($limit:expr)?) => {
            loop {
                let mut step = Step::begin(&mut *connection).await?;
                let delete = sqlx::query!($delete, horizon $(, $limit)?);
                let removed = delete.execute(&mut *step.transaction).await?.rows_affected();
                step.commit().await?;
                if removed == 0 {
                    break;
                }
                report.metrics += removed;
                progress(report);
            }
        };
    }
    forget!(
        "DELETE FROM request_metrics WHERE number IN (
            SELECT number FROM request_metrics INDEXED BY request_metrics_time WHERE timestamp < ?1
            ORDER BY timestamp LIMIT ?2)",
        STEP_ROWS
    );
    forget!(
        "DELETE FROM stage_minutes WHERE (minute, instance, stage, tenant_id) IN (
            SELECT minute, instance, stage, tenant_id FROM stage_minutes WHERE minute < ?1 ORDER BY minute LIMIT ?2)",
        STEP_ROWS
    );
    forget!(
        "DELETE FROM delivered_batches WHERE batch_id IN (
            SELECT batch_id FROM delivered_batches INDEXED BY delivered_batches_time WHERE delivered_at < ?1
            ORDER BY delivered_at LIMIT ?2)",
        STEP_ROWS
    );
    // A spool may deliver a late record after the archive has dropped its trace, so verdicts are
    // kept for as long as metrics.
    forget!(
        "DELETE FROM retention_decisions WHERE trace_id IN (
            SELECT trace_id FROM retention_decisions INDEXED BY retention_decisions_day WHERE day < ?1
            ORDER BY day LIMIT ?2)",
        STEP_ROWS
    );
    // This table has one row per process.
    forget!("DELETE FROM instances WHERE last_seen_at < ?1",);
    Ok(())
}
