//! Retention in a SQLite file, in small transactions, so that a writer waits only for milliseconds.
//!
//! Traces are found by their first record, oldest first, and handled as many together as fit into a
//! step. A trace that is larger than a step moves in pieces; a reader still finds it whole, since
//! it looks into both tables. Such a trace is removed in pieces too.

use std::path::Path;

use ragtrace::TraceId;
use serde_json::json;
use sqlx::SqliteConnection;

use super::connect::{close, to_tidy};
use super::erase::{free_bytes, rewrite};
use super::expire::expire;
use super::fault::while_writing;
use super::steps::{Found, STEP_ROWS, Sized, Step, WEIGHED_ROWS, fitting, groups};
use crate::fault::Fault;
use crate::retention::{Retention, RetentionReport};

/// The number of traces looked up at once.
const FOUND: i64 = 1_000;

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

/// Gives every trace that is old enough its verdict, and carries it out.
pub(super) async fn decide_all(
    connection: &mut SqliteConnection,
    retention: &Retention,
    progress: &mut (dyn FnMut(&RetentionReport) + Send),
) -> Result<RetentionReport, sqlx::Error> {
    let horizon = retention.horizon().to_string();
    let mut report = RetentionReport { days: days(connection, &horizon).await?, ..RetentionReport::default() };
    report.days_in_all = report.days.len();
    let mut after = (String::new(), 0);
    loop {
        let traces = next_traces(connection, &horizon, &after).await?;
        let Some(last) = traces.last() else { break };
        after = (last.timestamp.clone(), last.row);
        for group in groups(&traces) {
            let verdict = decide(connection, retention, group, &mut report).await?;
            progress(&report);
            if let ([one], Some(keeps), false) = (group, verdict, retention.is_dry_run())
                && !one.fits()
            {
                while carry_out_piece(connection, &one.trace_id, keeps).await? {
                    progress(&report);
                }
            }
        }
    }
    if !retention.is_dry_run() {
        while judge_loose(connection, retention, &horizon).await? {
            progress(&report);
        }
    }
    expire(connection, retention, &mut report, progress).await?;
    progress(&report);
    Ok(report)
}

/// Returns the days before the horizon that have records, oldest first, with one step down the
/// index for each day.
async fn days(connection: &mut SqliteConnection, horizon: &str) -> Result<Vec<String>, sqlx::Error> {
    let days = sqlx::query_scalar!(
        // A time continues with a T after its date, so the times of the next day sort after a U.
        "WITH RECURSIVE first(timestamp) AS (
            SELECT min(timestamp) FROM logs INDEXED BY logs_time WHERE timestamp < ?1
            UNION ALL
            SELECT (
                SELECT min(timestamp) FROM logs INDEXED BY logs_time
                WHERE timestamp > substr(first.timestamp, 1, 10) || 'U' AND timestamp < ?1)
            FROM first WHERE first.timestamp IS NOT NULL)
        SELECT substr(timestamp, 1, 10) AS \"day!: String\" FROM first WHERE timestamp IS NOT NULL",
        horizon
    );
    days.fetch_all(connection).await
}

/// Returns the next traces, by time, whose first record lies before the horizon and after a given
/// trace.
async fn next_traces(
    connection: &mut SqliteConnection,
    horizon: &str,
    (after, after_row): &(String, i64),
) -> Result<Vec<Found>, sqlx::Error> {
    let traces = sqlx::query_as!(
        Found,
        "SELECT trace_id AS \"trace_id!\", timestamp, number AS \"row!: i64\", (
                SELECT sum(bytes) FROM (
                    SELECT 600 + coalesce(octet_length(user_id), 0) + coalesce(octet_length(tenant_id), 0)
            + coalesce(octet_length(context), 0) + coalesce(octet_length(metrics), 0) + coalesce(octet_length(error), 0)
            + coalesce(octet_length(stack_trace), 0) + octet_length(message)
            + coalesce(octet_length(links), 0) + coalesce(octet_length(used), 0) + coalesce(octet_length(generated), 0) AS bytes
                    FROM logs INDEXED BY logs_trace WHERE trace_id = first.trace_id LIMIT ?5)) AS \"bytes!: i64\"
        FROM logs AS first INDEXED BY logs_time
        WHERE timestamp >= ?2 AND timestamp < ?1 AND (timestamp, number) > (?2, ?3) AND trace_id IS NOT NULL
            AND NOT EXISTS (
                SELECT 1 FROM logs AS earlier INDEXED BY logs_trace
                WHERE earlier.trace_id = first.trace_id AND earlier.timestamp <= first.timestamp
                    AND (earlier.timestamp, earlier.number) < (first.timestamp, first.number))
        ORDER BY timestamp, number LIMIT ?4",
        horizon,
        after,
        after_row,
        FOUND,
        WEIGHED_ROWS
    );
    traces.fetch_all(connection).await
}

/// Gives traces their verdicts, if they have none yet, and carries these out if all the traces fit
/// into one step. Returns the last verdict: `true` if that trace is kept, `None` if it no longer
/// exists.
async fn decide(
    connection: &mut SqliteConnection,
    retention: &Retention,
    traces: &[Found],
    report: &mut RetentionReport,
) -> Result<Option<bool>, sqlx::Error> {
    let mut step = Step::begin(connection).await?;
    let transaction = &mut step.transaction;
    let ids = json!(traces.iter().map(|found| &found.trace_id).collect::<Vec<_>>()).to_string();
    // Another job may have moved a trace since it was found.
    let known = sqlx::query!(
        "SELECT CAST(value AS TEXT) AS \"trace_id!: String\",
            (SELECT kept FROM retention_decisions WHERE trace_id = value) AS \"kept?: bool\",
            EXISTS (
                SELECT 1 FROM logs INDEXED BY logs_trace_errors WHERE trace_id = value AND level = 'ERROR'
            ) AS \"has_error!: bool\",
            (SELECT min(timestamp) FROM logs INDEXED BY logs_trace WHERE trace_id = value) AS \"begins?: String\"
        FROM json_each(?1)",
        ids
    );
    let mut notes = Vec::new();
    let (mut kept, mut all) = (Vec::new(), Vec::new());
    let mut verdict = None;
    for trace in known.fetch_all(&mut **transaction).await? {
        verdict = None;
        let Some(begins) = trace.begins else { continue };
        let id: Option<TraceId> = trace.trace_id.parse().ok();
        let keeps = trace.kept.unwrap_or_else(|| id.is_none_or(|id| retention.keeps(id, trace.has_error)));
        if trace.kept.is_none() {
            *(if keeps { &mut report.archived } else { &mut report.removed }) += 1;
            notes.push(json!([trace.trace_id, begins, keeps]));
        }
        verdict = Some(keeps);
        if keeps {
            kept.push(trace.trace_id.clone());
        }
        all.push(trace.trace_id);
    }
    if retention.is_dry_run() {
        return step.transaction.rollback().await.map(|()| verdict);
    }
    let gone: Vec<&String> = all.iter().filter(|id| !kept.contains(id)).collect();
    let (gone, notes) = (json!(gone).to_string(), json!(notes).to_string());
    let (kept, all) = (json!(kept).to_string(), json!(all).to_string());
    let note = sqlx::query!(
        "INSERT INTO retention_decisions (trace_id, day, kept)
        SELECT value ->> 0, substr(value ->> 1, 1, 10), value ->> 2 FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING",
        notes
    );
    note.execute(&mut **transaction).await?;
    // Scores of a kept trace stay where they are.
    let scores = sqlx::query!(
        "DELETE FROM scores INDEXED BY scores_trace WHERE trace_id IN (SELECT value FROM json_each(?1))",
        gone
    );
    scores.execute(&mut **transaction).await?;
    if traces.iter().all(Found::fits) {
        let copy = sqlx::query!(
            "INSERT INTO logs_archive SELECT * FROM logs INDEXED BY logs_trace
            WHERE trace_id IN (SELECT value FROM json_each(?1)) ON CONFLICT (id) DO NOTHING",
            kept
        );
        copy.execute(&mut **transaction).await?;
        let delete = sqlx::query!(
            "DELETE FROM logs INDEXED BY logs_trace WHERE trace_id IN (SELECT value FROM json_each(?1))",
            all
        );
        delete.execute(&mut **transaction).await?;
    }
    step.commit().await.map(|()| verdict)
}

/// Moves or removes some rows of a trace that has its verdict. Returns `false` if there were none.
async fn carry_out_piece(connection: &mut SqliteConnection, trace: &str, keeps: bool) -> Result<bool, sqlx::Error> {
    let mut step = Step::begin(connection).await?;
    let rows = sqlx::query_as!(
        Sized,
        "SELECT number AS \"number!\",
            600 + coalesce(octet_length(user_id), 0) + coalesce(octet_length(tenant_id), 0)
            + coalesce(octet_length(context), 0) + coalesce(octet_length(metrics), 0) + coalesce(octet_length(error), 0)
            + coalesce(octet_length(stack_trace), 0) + octet_length(message)
            + coalesce(octet_length(links), 0) + coalesce(octet_length(used), 0) + coalesce(octet_length(generated), 0) AS \"bytes!: i64\"
        FROM logs INDEXED BY logs_trace WHERE trace_id = ?1 ORDER BY timestamp, number LIMIT ?2",
        trace,
        STEP_ROWS
    );
    let rows = rows.fetch_all(&mut *step.transaction).await?;
    let Some(numbers) = fitting(&rows) else { return step.transaction.rollback().await.map(|()| false) };
    if keeps {
        let copy = sqlx::query!(
            "INSERT INTO logs_archive SELECT * FROM logs
            WHERE number IN (SELECT value FROM json_each(?1)) ON CONFLICT (id) DO NOTHING",
            numbers
        );
        copy.execute(&mut *step.transaction).await?;
    }
    let delete = sqlx::query!("DELETE FROM logs WHERE number IN (SELECT value FROM json_each(?1))", numbers);
    delete.execute(&mut *step.transaction).await?;
    step.commit().await.map(|()| true)
}

/// Decides on some rows without a trace, each by itself. Returns `false` if there were none.
async fn judge_loose(
    connection: &mut SqliteConnection,
    retention: &Retention,
    horizon: &str,
) -> Result<bool, sqlx::Error> {
    let mut step = Step::begin(connection).await?;
    let rows = sqlx::query_as!(
        Sized,
        "SELECT number AS \"number!\",
            600 + coalesce(octet_length(user_id), 0) + coalesce(octet_length(tenant_id), 0)
            + coalesce(octet_length(context), 0) + coalesce(octet_length(metrics), 0) + coalesce(octet_length(error), 0)
            + coalesce(octet_length(stack_trace), 0) + octet_length(message)
            + coalesce(octet_length(links), 0) + coalesce(octet_length(used), 0) + coalesce(octet_length(generated), 0) AS \"bytes!: i64\"
        FROM logs INDEXED BY logs_time WHERE trace_id IS NULL AND timestamp < ?1 ORDER BY timestamp, number LIMIT ?2",
        horizon,
        STEP_ROWS
    );
    let rows = rows.fetch_all(&mut *step.transaction).await?;
    let Some(numbers) = fitting(&rows) else { return step.transaction.rollback().await.map(|()| false) };
    if retention.keeps_errors() {
        let copy = sqlx::query!(
            "INSERT INTO logs_archive SELECT * FROM logs NOT INDEXED
            WHERE number IN (SELECT value FROM json_each(?1)) AND level = 'ERROR' ON CONFLICT (id) DO NOTHING",
            numbers
        );
        copy.execute(&mut *step.transaction).await?;
    }
    let delete = sqlx::query!("DELETE FROM logs WHERE number IN (SELECT value FROM json_each(?1))", numbers);
    delete.execute(&mut *step.transaction).await?;
    step.commit().await.map(|()| true)
}
