//! Retention in a SQLite file: a few hundred traces a transaction, so that a writer waits for
//! milliseconds.

use std::path::Path;

use ragtrace::TraceId;
use sqlx::{Connection, SqliteConnection};

use super::connect::{close, to_tidy};
use super::erase::{free_bytes, rewrite};
use super::fault::while_writing;
use crate::fault::Fault;
use crate::retention::{Retention, RetentionReport};

/// Traces of one transaction.
const STEP: i64 = 200;
/// Rows of one transaction, where they are no traces.
const ROWS: i64 = 5_000;

/// Runs retention over the file at `path`.
pub(crate) async fn retain(
    path: &Path,
    retention: &Retention,
    progress: &mut (dyn FnMut(&RetentionReport) + Send),
) -> Result<RetentionReport, Fault> {
    let mut connection = to_tidy(path).await?;
    let mut report = decide_all(&mut connection, retention, progress).await.map_err(while_writing)?;
    if retention.shrinks() {
        rewrite(&mut connection).await?;
    }
    report.free_bytes = free_bytes(&mut connection).await.map_err(while_writing)?;
    close(connection).await;
    Ok(report)
}

async fn decide_all(
    connection: &mut SqliteConnection,
    retention: &Retention,
    progress: &mut (dyn FnMut(&RetentionReport) + Send),
) -> Result<RetentionReport, sqlx::Error> {
    let horizon = retention.horizon().to_string();
    let mut report = RetentionReport::default();
    report.days = sqlx::query_scalar!(
        "SELECT DISTINCT substr(timestamp, 1, 10) AS \"day!: String\" FROM logs INDEXED BY logs_time
        WHERE timestamp < ?1 ORDER BY 1",
        horizon
    )
    .fetch_all(&mut *connection)
    .await?;
    report.days_in_all = report.days.len();
    // After the last trace of the step before, by the order of the index.
    let mut after = String::new();
    loop {
        let traces = sqlx::query_scalar!(
            "SELECT DISTINCT trace_id AS \"trace_id!\" FROM logs INDEXED BY logs_trace
            WHERE trace_id > ?1 AND timestamp < ?2 AND trace_id IS NOT NULL ORDER BY trace_id LIMIT ?3",
            after,
            horizon,
            STEP
        );
        let traces = traces.fetch_all(&mut *connection).await?;
        let Some(last) = traces.last() else { break };
        after.clone_from(last);
        decide(connection, retention, &traces, &mut report).await?;
        progress(&report);
    }
    loose(connection, retention, &horizon).await?;
    expire(connection, retention, &mut report).await?;
    progress(&report);
    Ok(report)
}

/// Gives each trace its verdict, if it has none, and carries it out.
async fn decide(
    connection: &mut SqliteConnection,
    retention: &Retention,
    traces: &[String],
    report: &mut RetentionReport,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for trace in traces {
        let known = sqlx::query!(
            "SELECT (SELECT kept FROM retention_decisions WHERE trace_id = ?1) AS \"kept: bool\",
                EXISTS (SELECT 1 FROM logs INDEXED BY logs_trace WHERE trace_id = ?1 AND level = 'ERROR') AS \"error!: bool\",
                (SELECT min(substr(timestamp, 1, 10)) FROM logs INDEXED BY logs_trace WHERE trace_id = ?1) AS \"day: String\"",
            trace
        );
        let known = known.fetch_one(&mut *transaction).await?;
        // Another job has decided on it since it was found.
        let Some(day) = known.day else { continue };
        let id: Option<TraceId> = trace.parse().ok();
        let kept = known.kept.unwrap_or_else(|| id.is_none_or(|id| retention.keeps(id, known.error)));
        *(if kept { &mut report.archived } else { &mut report.removed }) += u64::from(known.kept.is_none());
        if retention.is_dry_run() {
            continue;
        }
        let note = sqlx::query!(
            "INSERT INTO retention_decisions (trace_id, day, kept) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            trace,
            day,
            kept
        );
        note.execute(&mut *transaction).await?;
        if kept {
            let copy = sqlx::query!(
                "INSERT INTO logs_archive SELECT * FROM logs INDEXED BY logs_trace WHERE trace_id = ?1
                ON CONFLICT (id) DO NOTHING",
                trace
            );
            copy.execute(&mut *transaction).await?;
        }
        sqlx::query!("DELETE FROM logs WHERE trace_id = ?1", trace).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

/// Decides on rows of no trace, each by itself.
async fn loose(connection: &mut SqliteConnection, retention: &Retention, horizon: &str) -> Result<(), sqlx::Error> {
    if retention.is_dry_run() {
        return Ok(());
    }
    loop {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        if retention.keeps_errors() {
            let copy = sqlx::query!(
                "INSERT INTO logs_archive SELECT * FROM logs WHERE rowid IN (
                    SELECT rowid FROM logs INDEXED BY logs_time WHERE trace_id IS NULL AND timestamp < ?1
                    ORDER BY timestamp LIMIT ?2) AND level = 'ERROR' ON CONFLICT (id) DO NOTHING",
                horizon,
                ROWS
            );
            copy.execute(&mut *transaction).await?;
        }
        let delete = sqlx::query!(
            "DELETE FROM logs WHERE rowid IN (
                SELECT rowid FROM logs INDEXED BY logs_time WHERE trace_id IS NULL AND timestamp < ?1
                ORDER BY timestamp LIMIT ?2)",
            horizon,
            ROWS
        );
        let deleted = delete.execute(&mut *transaction).await?.rows_affected();
        transaction.commit().await?;
        if deleted == 0 {
            break;
        }
    }
    Ok(())
}

/// Removes what is too old in the archive, in the metrics and in our own books.
async fn expire(
    connection: &mut SqliteConnection,
    retention: &Retention,
    report: &mut RetentionReport,
) -> Result<(), sqlx::Error> {
    let archive = retention.archive_horizon().to_string();
    let metrics = retention.metrics_horizon().to_string();
    let expired = sqlx::query_scalar!(
        "SELECT DISTINCT trace_id AS \"trace_id!\" FROM logs_archive a INDEXED BY logs_archive_time
        WHERE trace_id IS NOT NULL AND timestamp < ?1 AND NOT EXISTS (
            SELECT 1 FROM logs_archive b INDEXED BY logs_archive_trace
            WHERE b.trace_id = a.trace_id AND b.timestamp >= ?1)",
        archive
    );
    let expired = expired.fetch_all(&mut *connection).await?;
    report.expired = expired.len() as u64;
    if retention.is_dry_run() {
        return Ok(());
    }
    for traces in expired.chunks(usize::try_from(STEP).unwrap_or(1)) {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for trace in traces {
            sqlx::query!("DELETE FROM logs_archive WHERE trace_id = ?1", trace).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
    }
    let old = [
        sqlx::query!("DELETE FROM logs_archive WHERE trace_id IS NULL AND timestamp < ?1", archive),
        sqlx::query!("DELETE FROM request_metrics WHERE timestamp < ?1", metrics),
        sqlx::query!("DELETE FROM stage_minutes WHERE minute < ?1", metrics),
        sqlx::query!("DELETE FROM delivered_batches WHERE delivered_at < ?1", metrics),
        sqlx::query!("DELETE FROM instances WHERE last_seen_at < ?1", metrics),
        // A spool may deliver a late record for longer than the archive keeps its trace.
        sqlx::query!("DELETE FROM retention_decisions WHERE day < ?1", metrics),
    ];
    for delete in old {
        report.metrics += delete.execute(&mut *connection).await?.rows_affected();
    }
    Ok(())
}
