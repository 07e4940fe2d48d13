//! Retention in a SQLite file: a few hundred traces a transaction, so that a writer waits for milliseconds.

use std::path::Path;

use ragtrace::TraceId;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::{Purge, Purged, Retention, Settled};
use crate::sqlite::open;
use crate::sqlite::{Fault, Synchronous};
use crate::store::StoreError;

/// Traces of one transaction.
const STEP: i64 = 200;
/// Rows of one transaction, where they are no traces.
const ROWS: i64 = 5_000;

pub(crate) async fn retain(
    path: &Path,
    retention: &Retention,
    progress: &mut (dyn FnMut(&Settled) + Send),
) -> Result<Settled, StoreError> {
    let mut connection = open(path).await?;
    settle_all(&mut connection, retention, progress).await.map_err(failed)
}

async fn open(path: &Path) -> Result<SqliteConnection, StoreError> {
    if !path.is_file() {
        return Err(StoreError::missing_file(path));
    }
    let opened = open::for_writing(path, Synchronous::Normal).await;
    opened.map(|opened| opened.connection).map_err(|fault| StoreError::told(fault.to_string()))
}

fn failed(error: sqlx::Error) -> StoreError {
    StoreError::told(Fault::from(error).to_string())
}

async fn settle_all(
    connection: &mut SqliteConnection,
    retention: &Retention,
    progress: &mut (dyn FnMut(&Settled) + Send),
) -> Result<Settled, sqlx::Error> {
    let horizon = retention.horizon().to_string();
    let mut settled = Settled::default();
    settled.days = sqlx::query_scalar!(
        "SELECT DISTINCT substr(timestamp, 1, 10) AS \"day!: String\" FROM logs INDEXED BY logs_time
        WHERE timestamp < ?1 ORDER BY 1",
        horizon
    )
    .fetch_all(&mut *connection)
    .await?;
    settled.days_to_settle = settled.days.len();
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
        settle(connection, retention, &traces, &mut settled).await?;
        progress(&settled);
    }
    loose(connection, retention, &horizon).await?;
    expire(connection, retention, &mut settled).await?;
    progress(&settled);
    Ok(settled)
}

/// Gives each trace its verdict, if it has none, and carries it out.
async fn settle(
    connection: &mut SqliteConnection,
    retention: &Retention,
    traces: &[String],
    settled: &mut Settled,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for trace in traces {
        let known = sqlx::query!(
            "SELECT (SELECT kept FROM settled_traces WHERE trace_id = ?1) AS \"kept: bool\",
                EXISTS (SELECT 1 FROM logs INDEXED BY logs_trace WHERE trace_id = ?1 AND level = 'ERROR') AS \"error!: bool\",
                (SELECT min(substr(timestamp, 1, 10)) FROM logs INDEXED BY logs_trace WHERE trace_id = ?1) AS \"day: String\"",
            trace
        );
        let known = known.fetch_one(&mut *transaction).await?;
        // Another job has settled it since it was found.
        let Some(day) = known.day else { continue };
        let id: Option<TraceId> = trace.parse().ok();
        let kept = known.kept.unwrap_or_else(|| id.is_none_or(|id| retention.keeps(id, known.error)));
        *(if kept { &mut settled.archived } else { &mut settled.removed }) += u64::from(known.kept.is_none());
        if retention.dry_run {
            continue;
        }
        let note = sqlx::query!(
            "INSERT INTO settled_traces (trace_id, day, kept) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
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

/// Rows of no trace: each is judged by itself.
async fn loose(connection: &mut SqliteConnection, retention: &Retention, horizon: &str) -> Result<(), sqlx::Error> {
    if retention.dry_run {
        return Ok(());
    }
    loop {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        if retention.keep_errors {
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

/// What is too old in the archive, in the metrics and in our own books.
async fn expire(
    connection: &mut SqliteConnection,
    retention: &Retention,
    settled: &mut Settled,
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
    settled.expired = expired.len() as u64;
    if retention.dry_run {
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
        sqlx::query!("DELETE FROM settled_traces WHERE day < ?1", metrics),
    ];
    for delete in old {
        settled.metrics += delete.execute(&mut *connection).await?.rows_affected();
    }
    Ok(())
}

pub(super) async fn purge(
    path: &Path,
    purge: &Purge,
    progress: &mut (dyn FnMut(&Purged) + Send),
) -> Result<Purged, StoreError> {
    let mut connection = open(path).await?;
    let mut purged = Purged::default();
    let erased = erase(&mut connection, purge, &mut purged, progress).await;
    erased.map(|()| purged).map_err(failed)
}

/// Finds the traces of a person, and erases them, some at once, each whole in one transaction. One that is stopped leaves
/// whole traces, and finds them the next time.
async fn erase(
    connection: &mut SqliteConnection,
    purge: &Purge,
    purged: &mut Purged,
    progress: &mut (dyn FnMut(&Purged) + Send),
) -> Result<(), sqlx::Error> {
    let user = &purge.user;
    purged.steps = 1;
    let found = sqlx::query_scalar!(
        "SELECT trace_id AS \"trace_id!\" FROM logs WHERE user_id = ?1 AND trace_id IS NOT NULL
        UNION SELECT trace_id FROM logs_archive WHERE user_id = ?1 AND trace_id IS NOT NULL
        UNION SELECT trace_id FROM request_metrics WHERE user_id = ?1 AND trace_id IS NOT NULL",
        user
    );
    let found = found.fetch_all(&mut *connection).await?;
    purged.advance(progress);
    let groups = found.chunks(usize::try_from(STEP).unwrap_or(1));
    purged.steps += groups.len() + 1;
    for traces in groups {
        erase_rows(
            connection,
            &json!(traces).to_string(),
            "trace_id IN (SELECT value FROM json_each(?1))",
            purge,
            purged,
        )
        .await?;
        purged.advance(progress);
    }
    erase_rows(connection, user, "trace_id IS NULL AND user_id = ?1", purge, purged).await?;
    purged.advance(progress);
    Ok(())
}

/// In one transaction, which a dry run takes back: what it says is what it would do.
async fn erase_rows(
    connection: &mut SqliteConnection,
    whose: &str,
    condition: &str,
    purge: &Purge,
    purged: &mut Purged,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let tables =
        [("logs", &mut purged.logs), ("logs_archive", &mut purged.archived), ("request_metrics", &mut purged.requests)];
    for (table, removed) in tables {
        let delete = AssertSqlSafe(format!("DELETE FROM {table} WHERE {condition}"));
        *removed += sqlx::query(delete).bind(whose).execute(&mut *transaction).await?.rows_affected();
    }
    if purge.dry_run { transaction.rollback().await } else { transaction.commit().await }
}
