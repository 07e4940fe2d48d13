//! Erases a user's data from a SQLite file.

use std::path::Path;

use ragtrace::Timestamp;
use serde_json::json;
use sqlx::SqliteConnection;

use super::connect::{Synchronous, for_writing};
use super::erase::rewrite;
use super::fault::while_writing;
use super::files::Files;
use super::leftovers::logs_set_aside;
use super::rotation::close_in_place;
use super::steps::{Found, STEP_ROWS, Sized, Step, WEIGHED_ROWS, fitting, groups};
use crate::fault::Fault;
use crate::retention::{AuditLine, Purge, PurgeReport};

/// The number of traces looked up together.
const STEP: usize = 1_000;

/// Erases a user's data from the file at `path`: first the rows, then the bytes they leave behind.
pub(crate) async fn purge(
    path: &Path,
    purge: &Purge,
    progress: &mut (dyn FnMut(&PurgeReport) + Send),
) -> Result<PurgeReport, Fault> {
    let files = Files::existing(path)?;
    let mut opened = for_writing(path, Synchronous::Full).await?;
    // One step is for rewriting the file. A dry run counts it too, so that both have the same
    // number.
    let mut report = PurgeReport { steps: 1, logs_set_aside: logs_set_aside(&files), ..PurgeReport::default() };
    // This covers the bytes in case the file cannot be rewritten in the end.
    sqlx::query("PRAGMA secure_delete = ON").execute(&mut opened.connection).await.map_err(while_writing)?;
    erase(&mut opened.connection, purge, &mut report, progress).await.map_err(while_writing)?;
    if !purge.is_dry_run() {
        note(&mut opened.connection, purge, &report).await.map_err(while_writing)?;
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

/// Leaves a line in the audit.
async fn note(connection: &mut SqliteConnection, purge: &Purge, report: &PurgeReport) -> Result<(), sqlx::Error> {
    let AuditLine { action, actor, subject_hash, reference, details } = purge.audit_line(report);
    let at = Timestamp::now().to_string();
    let insert = sqlx::query!(
        "INSERT INTO audit (at, action, actor, subject_hash, reference, details) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        at,
        action,
        actor,
        subject_hash,
        reference,
        details
    );
    insert.execute(connection).await.map(drop)
}

/// Finds the user's traces and erases them: as many together as fit into a step, each of them
/// whole. A trace that is larger than a step is erased in pieces. If the job is stopped, the next
/// one finds what is left.
pub(super) async fn erase(
    connection: &mut SqliteConnection,
    purge: &Purge,
    report: &mut PurgeReport,
    progress: &mut (dyn FnMut(&PurgeReport) + Send),
) -> Result<(), sqlx::Error> {
    let user = purge.user_id();
    report.steps += 1;
    let found = sqlx::query_scalar!(
        // No index leads to a user's rows.
        "SELECT trace_id AS \"trace_id!\" FROM logs WHERE user_id = ?1 AND trace_id IS NOT NULL
        UNION SELECT trace_id FROM logs_archive WHERE user_id = ?1 AND trace_id IS NOT NULL
        UNION SELECT trace_id FROM request_metrics WHERE user_id = ?1 AND trace_id IS NOT NULL",
        user
    );
    let found = found.fetch_all(&mut *connection).await?;
    report.advance(progress);
    let chunks = found.chunks(STEP);
    report.steps += chunks.len() + 1;
    for traces in chunks {
        if purge.is_dry_run() {
            count_traces(connection, &json!(traces).to_string(), user, report).await?;
        } else {
            erase_traces(connection, traces, report, progress).await?;
        }
        report.advance(progress);
    }
    if purge.is_dry_run() {
        count_loose(connection, user, report).await?;
    } else {
        erase_loose(connection, user, report, progress).await?;
    }
    report.advance(progress);
    Ok(())
}

/// Erases traces. Those that are larger than a step are erased row by row.
async fn erase_traces(
    connection: &mut SqliteConnection,
    traces: &[String],
    report: &mut PurgeReport,
    progress: &mut (dyn FnMut(&PurgeReport) + Send),
) -> Result<(), sqlx::Error> {
    let found = weigh(connection, &json!(traces).to_string()).await?;
    for group in groups(&found) {
        if let [one] = group
            && !one.fits()
        {
            while erase_piece(connection, &one.trace_id, report).await? {
                progress(report);
            }
        }
        let ids = json!(group.iter().map(|found| &found.trace_id).collect::<Vec<_>>()).to_string();
        erase_whole(connection, &ids, report).await?;
        progress(report);
    }
    Ok(())
}

/// Returns traces with the size of their rows in both tables.
async fn weigh(connection: &mut SqliteConnection, traces: &str) -> Result<Vec<Found>, sqlx::Error> {
    let weighed = sqlx::query_as!(
        Found,
        "SELECT CAST(value AS TEXT) AS \"trace_id!: String\", '' AS \"timestamp!: String\", 0 AS \"row!: i64\", (
                SELECT coalesce(sum(bytes), 0) FROM (
                    SELECT 600 + coalesce(octet_length(user_id), 0) + coalesce(octet_length(tenant_id), 0)
                    + coalesce(octet_length(context), 0) + coalesce(octet_length(metrics), 0)
                    + coalesce(octet_length(error), 0) + coalesce(octet_length(stack_trace), 0) + octet_length(message)
                    + coalesce(octet_length(links), 0) + coalesce(octet_length(used), 0) + coalesce(octet_length(generated), 0) AS bytes
                    FROM logs INDEXED BY logs_trace WHERE trace_id = value LIMIT ?2)) + (
                SELECT coalesce(sum(bytes), 0) FROM (
                    SELECT 600 + coalesce(octet_length(user_id), 0) + coalesce(octet_length(tenant_id), 0)
                    + coalesce(octet_length(context), 0) + coalesce(octet_length(metrics), 0)
                    + coalesce(octet_length(error), 0) + coalesce(octet_length(stack_trace), 0) + octet_length(message)
                    + coalesce(octet_length(links), 0) + coalesce(octet_length(used), 0) + coalesce(octet_length(generated), 0) AS bytes
                    FROM logs_archive INDEXED BY logs_archive_trace WHERE trace_id = value LIMIT ?2)) AS \"bytes!: i64\"
        FROM json_each(?1)",
        traces,
        WEIGHED_ROWS
    );
    weighed.fetch_all(connection).await
}

/// Erases traces in one transaction.
async fn erase_whole(
    connection: &mut SqliteConnection,
    traces: &str,
    report: &mut PurgeReport,
) -> Result<(), sqlx::Error> {
    let mut step = Step::begin(connection).await?;
    let logs = sqlx::query!(
        "DELETE FROM logs INDEXED BY logs_trace WHERE trace_id IN (SELECT value FROM json_each(?1))",
        traces
    );
    let logs = logs.execute(&mut *step.transaction).await?.rows_affected();
    let archived = sqlx::query!(
        "DELETE FROM logs_archive INDEXED BY logs_archive_trace WHERE trace_id IN (SELECT value FROM json_each(?1))",
        traces
    );
    let archived = archived.execute(&mut *step.transaction).await?.rows_affected();
    let requests = sqlx::query!(
        "DELETE FROM request_metrics INDEXED BY request_metrics_trace
        WHERE trace_id IN (SELECT value FROM json_each(?1))",
        traces
    );
    let requests = requests.execute(&mut *step.transaction).await?.rows_affected();
    let scores = sqlx::query!(
        "DELETE FROM scores INDEXED BY scores_trace WHERE trace_id IN (SELECT value FROM json_each(?1))",
        traces
    );
    let scores = scores.execute(&mut *step.transaction).await?.rows_affected();
    step.commit().await?;
    add(report, logs, archived, requests);
    report.scores += scores;
    Ok(())
}

/// Erases some rows of a trace. Returns `false` if there were none.
async fn erase_piece(
    connection: &mut SqliteConnection,
    trace: &str,
    report: &mut PurgeReport,
) -> Result<bool, sqlx::Error> {
    let mut step = Step::begin(connection).await?;
    let rows = sqlx::query_as!(
        Sized,
        "SELECT number AS \"number!\",
            600 + coalesce(octet_length(user_id), 0) + coalesce(octet_length(tenant_id), 0)
                + coalesce(octet_length(context), 0) + coalesce(octet_length(metrics), 0)
                + coalesce(octet_length(error), 0) + coalesce(octet_length(stack_trace), 0) + octet_length(message)
                + coalesce(octet_length(links), 0) + coalesce(octet_length(used), 0) + coalesce(octet_length(generated), 0) AS \"bytes!: i64\"
        FROM logs INDEXED BY logs_trace WHERE trace_id = ?1 LIMIT ?2",
        trace,
        STEP_ROWS
    );
    let rows = rows.fetch_all(&mut *step.transaction).await?;
    if let Some(numbers) = fitting(&rows) {
        let delete = sqlx::query!("DELETE FROM logs WHERE number IN (SELECT value FROM json_each(?1))", numbers);
        let removed = delete.execute(&mut *step.transaction).await?.rows_affected();
        step.commit().await?;
        add(report, removed, 0, 0);
        return Ok(true);
    }
    let rows = sqlx::query_as!(
        Sized,
        "SELECT rowid AS \"number!: i64\",
            600 + coalesce(octet_length(user_id), 0) + coalesce(octet_length(tenant_id), 0)
                + coalesce(octet_length(context), 0) + coalesce(octet_length(metrics), 0)
                + coalesce(octet_length(error), 0) + coalesce(octet_length(stack_trace), 0) + octet_length(message)
                + coalesce(octet_length(links), 0) + coalesce(octet_length(used), 0) + coalesce(octet_length(generated), 0) AS \"bytes!: i64\"
        FROM logs_archive INDEXED BY logs_archive_trace WHERE trace_id = ?1 LIMIT ?2",
        trace,
        STEP_ROWS
    );
    let rows = rows.fetch_all(&mut *step.transaction).await?;
    let Some(numbers) = fitting(&rows) else { return step.transaction.rollback().await.map(|()| false) };
    let delete = sqlx::query!("DELETE FROM logs_archive WHERE rowid IN (SELECT value FROM json_each(?1))", numbers);
    let removed = delete.execute(&mut *step.transaction).await?.rows_affected();
    step.commit().await?;
    add(report, 0, removed, 0);
    Ok(true)
}

/// Erases the user's rows that belong to no trace, some at a time, and the scores that the user
/// gave.
async fn erase_loose(
    connection: &mut SqliteConnection,
    user: &str,
    report: &mut PurgeReport,
    progress: &mut (dyn FnMut(&PurgeReport) + Send),
) -> Result<(), sqlx::Error> {
    let mut after = 0;
    loop {
        let rows = sqlx::query_as!(
            Sized,
            "SELECT number AS \"number!\",
                600 + coalesce(octet_length(user_id), 0) + coalesce(octet_length(tenant_id), 0)
                + coalesce(octet_length(context), 0) + coalesce(octet_length(metrics), 0)
                + coalesce(octet_length(error), 0) + coalesce(octet_length(stack_trace), 0) + octet_length(message)
                + coalesce(octet_length(links), 0) + coalesce(octet_length(used), 0) + coalesce(octet_length(generated), 0) AS \"bytes!: i64\"
            FROM logs WHERE number > ?2 AND trace_id IS NULL AND user_id = ?1 ORDER BY number LIMIT ?3",
            user,
            after,
            STEP_ROWS
        );
        let rows = rows.fetch_all(&mut *connection).await?;
        let Some(numbers) = fitting(&rows) else { break };
        let mut step = Step::begin(connection).await?;
        let delete = sqlx::query!("DELETE FROM logs WHERE number IN (SELECT value FROM json_each(?1))", numbers);
        let removed = delete.execute(&mut *step.transaction).await?.rows_affected();
        step.commit().await?;
        after = rows.get(usize::try_from(removed).unwrap_or(0).saturating_sub(1)).map_or(after, |row| row.number);
        add(report, removed, 0, 0);
        progress(report);
    }
    let mut after = 0;
    loop {
        let rows = sqlx::query_as!(
            Sized,
            "SELECT rowid AS \"number!: i64\",
                600 + coalesce(octet_length(user_id), 0) + coalesce(octet_length(tenant_id), 0)
                + coalesce(octet_length(context), 0) + coalesce(octet_length(metrics), 0)
                + coalesce(octet_length(error), 0) + coalesce(octet_length(stack_trace), 0) + octet_length(message)
                + coalesce(octet_length(links), 0) + coalesce(octet_length(used), 0) + coalesce(octet_length(generated), 0) AS \"bytes!: i64\"
            FROM logs_archive WHERE rowid > ?2 AND trace_id IS NULL AND user_id = ?1 ORDER BY rowid LIMIT ?3",
            user,
            after,
            STEP_ROWS
        );
        let rows = rows.fetch_all(&mut *connection).await?;
        let Some(numbers) = fitting(&rows) else { break };
        let mut step = Step::begin(connection).await?;
        let delete = sqlx::query!("DELETE FROM logs_archive WHERE rowid IN (SELECT value FROM json_each(?1))", numbers);
        let removed = delete.execute(&mut *step.transaction).await?.rows_affected();
        step.commit().await?;
        after = rows.get(usize::try_from(removed).unwrap_or(0).saturating_sub(1)).map_or(after, |row| row.number);
        add(report, 0, removed, 0);
        progress(report);
    }
    let requests = sqlx::query!(
        "DELETE FROM request_metrics INDEXED BY request_metrics_trace WHERE trace_id IS NULL AND user_id = ?1",
        user
    );
    add(report, 0, 0, requests.execute(&mut *connection).await?.rows_affected());
    let scores = sqlx::query!("DELETE FROM scores INDEXED BY scores_user WHERE user_id = ?1", user);
    report.scores += scores.execute(connection).await?.rows_affected();
    Ok(())
}

/// Counts what would be erased with these traces. Scores that the user gave are counted in
/// [`count_loose`].
async fn count_traces(
    connection: &mut SqliteConnection,
    traces: &str,
    user: &str,
    report: &mut PurgeReport,
) -> Result<(), sqlx::Error> {
    let counted = sqlx::query!(
        "SELECT (
                SELECT count(*) FROM logs INDEXED BY logs_trace WHERE trace_id IN (SELECT value FROM json_each(?1))
            ) AS \"logs!: i64\", (
                SELECT count(*) FROM logs_archive INDEXED BY logs_archive_trace
                WHERE trace_id IN (SELECT value FROM json_each(?1))
            ) AS \"archived!: i64\", (
                SELECT count(*) FROM request_metrics INDEXED BY request_metrics_trace
                WHERE trace_id IN (SELECT value FROM json_each(?1))
            ) AS \"requests!: i64\", (
                SELECT count(*) FROM scores INDEXED BY scores_trace
                WHERE trace_id IN (SELECT value FROM json_each(?1)) AND user_id IS NOT ?2
            ) AS \"scores!: i64\"",
        traces,
        user
    );
    let counted = counted.fetch_one(connection).await?;
    report.scores += counted.scores.unsigned_abs();
    let [logs, archived, requests] = [counted.logs, counted.archived, counted.requests].map(i64::unsigned_abs);
    add(report, logs, archived, requests);
    Ok(())
}

/// Counts the user's rows that belong to no trace, and the scores that the user gave.
async fn count_loose(
    connection: &mut SqliteConnection,
    user: &str,
    report: &mut PurgeReport,
) -> Result<(), sqlx::Error> {
    let counted = sqlx::query!(
        "SELECT (
                SELECT count(*) FROM logs WHERE trace_id IS NULL AND user_id = ?1
            ) AS \"logs!: i64\", (
                SELECT count(*) FROM logs_archive WHERE trace_id IS NULL AND user_id = ?1
            ) AS \"archived!: i64\", (
                SELECT count(*) FROM request_metrics INDEXED BY request_metrics_trace
                WHERE trace_id IS NULL AND user_id = ?1
            ) AS \"requests!: i64\", (
                SELECT count(*) FROM scores INDEXED BY scores_user WHERE user_id = ?1
            ) AS \"scores!: i64\"",
        user
    );
    let counted = counted.fetch_one(connection).await?;
    report.scores += counted.scores.unsigned_abs();
    let [logs, archived, requests] = [counted.logs, counted.archived, counted.requests].map(i64::unsigned_abs);
    add(report, logs, archived, requests);
    Ok(())
}

fn add(report: &mut PurgeReport, logs: u64, archived: u64, requests: u64) {
    report.logs += logs;
    report.archived += archived;
    report.requests += requests;
}
