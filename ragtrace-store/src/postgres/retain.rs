//! Retention in PostgreSQL: traces in small transactions, and days by dropping their partitions.
//!
//! Traces that go and lie within their day are not touched: they vanish with its partition. Only
//! those that cross midnight are deleted row by row, and only those that are kept are copied.

use std::time::Duration;

use ragtrace::TraceId;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use uuid::Uuid;

use super::connect::PgLocation;
use super::fault::{has_sqlstate, while_writing};
use super::partitions::{Day, days_before};
use crate::fault::Fault;
use crate::retention::{Retention, RetentionReport};

/// Traces of one transaction.
const STEP: i64 = 2_000;
/// How often, and how far apart, a day is tried to be dropped while others use the table: longer
/// than a statement of ours may take.
const ATTEMPTS: u32 = 60;
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(1);
/// The number of the lock that a job holds, together with one that stands for the schema: `ragt` in
/// ASCII.
const LOCK: i32 = 0x7261_6774;

/// Runs retention over the schema at `location`.
pub(crate) async fn retain(
    location: &PgLocation,
    retention: &Retention,
    progress: &mut (dyn FnMut(&RetentionReport) + Send),
) -> Result<RetentionReport, Fault> {
    let mut connection = location.connect_to_tidy().await?;
    let mut report = RetentionReport::default();
    let done = decide_all(&mut connection, retention, &mut report, progress).await;
    // The lock goes with the connection too, but only when the server gets to it, and the next job
    // may come sooner.
    if done.is_ok() && !report.is_running_elsewhere {
        let _ = sqlx::query!("SELECT pg_advisory_unlock($1, hashtext(current_schema()))", LOCK)
            .fetch_one(&mut connection)
            .await;
    }
    let _ = connection.close().await;
    done.map(|()| report).map_err(while_writing)
}

async fn decide_all(
    connection: &mut PgConnection,
    retention: &Retention,
    report: &mut RetentionReport,
    progress: &mut (dyn FnMut(&RetentionReport) + Send),
) -> Result<(), sqlx::Error> {
    let got = sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1, hashtext(current_schema())) AS "got!""#, LOCK);
    report.is_running_elsewhere = !got.fetch_one(&mut *connection).await?;
    if report.is_running_elsewhere {
        return Ok(());
    }
    let days = days_before(connection, &retention.horizon().to_string()).await?;
    report.days_in_all = days.len();
    for day in days {
        loop {
            decide_day(connection, retention, &day.day, report, progress).await?;
            // A writer may have been faster than the lock, with a record of a trace that has no
            // verdict yet.
            if retention.is_dry_run() || drop_when_unused(connection, retention, &day).await? {
                break;
            }
        }
        report.days.push(day.day);
        progress(report);
    }
    expire(connection, retention, report).await
}

/// Gives the traces of a day their verdicts, and carries them out.
async fn decide_day(
    connection: &mut PgConnection,
    retention: &Retention,
    day: &str,
    report: &mut RetentionReport,
    progress: &mut (dyn FnMut(&RetentionReport) + Send),
) -> Result<(), sqlx::Error> {
    let mut after = Uuid::nil();
    loop {
        let traces = sqlx::query!(
            r#"SELECT t.trace_id AS "trace_id!", s.kept AS "kept?",
                EXISTS (SELECT FROM logs e WHERE e.trace_id = t.trace_id AND e.level = 'ERROR') AS "has_error!",
                $4 AND EXISTS (
                    SELECT FROM logs e WHERE e.trace_id = t.trace_id AND e.timestamp < $2::text::timestamptz) AS "seen!"
            FROM (
                SELECT DISTINCT trace_id FROM logs
                WHERE trace_id > $1 AND timestamp >= $2::text::timestamptz
                    AND timestamp < $2::text::timestamptz + interval '1 day'
                ORDER BY trace_id LIMIT $3
            ) t LEFT JOIN retention_decisions s ON s.trace_id = t.trace_id
            ORDER BY t.trace_id"#,
            after,
            day,
            STEP,
            retention.is_dry_run()
        );
        let traces = traces.fetch_all(&mut *connection).await?;
        let Some(last) = traces.last() else { return Ok(()) };
        after = last.trace_id;
        let (mut kept, mut gone) = (Vec::new(), Vec::new());
        for trace in &traces {
            let id = TraceId::from_u128(trace.trace_id.as_u128());
            let keeps = trace.kept.unwrap_or_else(|| id.is_none_or(|id| retention.keeps(id, trace.has_error)));
            // Nothing is noted in a dry run, so a trace that began on an earlier day is known by
            // its rows there.
            if trace.kept.is_none() && !trace.seen {
                *(if keeps { &mut report.archived } else { &mut report.removed }) += 1;
            }
            (if keeps { &mut kept } else { &mut gone }).push(trace.trace_id);
        }
        if !retention.is_dry_run() {
            carry_out(connection, day, &kept, &gone).await?;
        }
        progress(report);
    }
}

/// Moves and removes, in one transaction.
async fn carry_out(connection: &mut PgConnection, day: &str, kept: &[Uuid], gone: &[Uuid]) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    for (traces, keeps) in [(kept, true), (gone, false)] {
        let note = sqlx::query!(
            "INSERT INTO retention_decisions (trace_id, day, kept) SELECT unnest($1::uuid[]), $2::text::date, $3
            ON CONFLICT DO NOTHING",
            traces,
            day,
            keeps
        );
        note.execute(&mut *transaction).await?;
    }
    let archive = sqlx::query!(
        "INSERT INTO logs_archive SELECT * FROM logs WHERE trace_id = ANY ($1) ON CONFLICT (id) DO NOTHING",
        kept
    );
    archive.execute(&mut *transaction).await?;
    sqlx::query!("DELETE FROM logs WHERE trace_id = ANY ($1)", kept).execute(&mut *transaction).await?;
    let crossing = sqlx::query!(
        "DELETE FROM logs WHERE trace_id IN (
            SELECT trace_id FROM logs WHERE trace_id = ANY ($1) AND timestamp >= $2::text::timestamptz + interval '1 day')",
        gone,
        day
    );
    crossing.execute(&mut *transaction).await?;
    transaction.commit().await
}

/// Drops the partition of a day as soon as nobody reads or writes the table for a moment, see
/// [`drop_day`]. While a drop waits, everybody else waits behind it, so each attempt waits for a
/// moment only.
async fn drop_when_unused(
    connection: &mut PgConnection,
    retention: &Retention,
    day: &Day,
) -> Result<bool, sqlx::Error> {
    for _ in 1..ATTEMPTS {
        match drop_day(connection, retention, &day.partition, &day.day).await {
            Err(error) if has_sqlstate(&error, &["55P03", "40P01"]) => tokio::time::sleep(BETWEEN_ATTEMPTS).await,
            dropped => return dropped,
        }
    }
    drop_day(connection, retention, &day.partition, &day.day).await
}

/// Drops the partition of a day, unless something in it has still to be decided on. Rows of no
/// trace are judged each by itself.
async fn drop_day(
    connection: &mut PgConnection,
    retention: &Retention,
    partition: &str,
    day: &str,
) -> Result<bool, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query("SET LOCAL lock_timeout = '1s'").execute(&mut *transaction).await?;
    // Nobody writes to the day from here on; who wants to makes it anew afterwards.
    let lock = format!("LOCK TABLE \"{partition}\" IN SHARE MODE");
    sqlx::query(AssertSqlSafe(lock)).execute(&mut *transaction).await?;
    let undecided = sqlx::query_scalar!(
        r#"SELECT EXISTS (
            SELECT FROM logs l LEFT JOIN retention_decisions s ON s.trace_id = l.trace_id
            WHERE l.trace_id IS NOT NULL AND l.timestamp >= $1::text::timestamptz
                AND l.timestamp < $1::text::timestamptz + interval '1 day' AND s.kept IS DISTINCT FROM false) AS "any!""#,
        day
    );
    if undecided.fetch_one(&mut *transaction).await? {
        transaction.rollback().await?;
        return Ok(false);
    }
    if retention.keeps_errors() {
        let copy = sqlx::query!(
            "INSERT INTO logs_archive SELECT * FROM logs
            WHERE trace_id IS NULL AND level = 'ERROR' AND timestamp >= $1::text::timestamptz
                AND timestamp < $1::text::timestamptz + interval '1 day'
            ON CONFLICT (id) DO NOTHING",
            day
        );
        copy.execute(&mut *transaction).await?;
    }
    sqlx::query(AssertSqlSafe(format!("DROP TABLE \"{partition}\""))).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Removes what is too old in the archive, in the metrics and in our own books.
async fn expire(
    connection: &mut PgConnection,
    retention: &Retention,
    report: &mut RetentionReport,
) -> Result<(), sqlx::Error> {
    let archive = retention.archive_horizon().to_string();
    let metrics = retention.metrics_horizon().to_string();
    let expired = sqlx::query_scalar!(
        // By the index on time: the rest of the archive need not be read.
        r#"SELECT DISTINCT trace_id AS "trace_id!" FROM logs_archive a
        WHERE trace_id IS NOT NULL AND timestamp < $1::text::timestamptz AND NOT EXISTS (
            SELECT FROM logs_archive b WHERE b.trace_id = a.trace_id AND b.timestamp >= $1::text::timestamptz)"#,
        archive
    );
    let expired = expired.fetch_all(&mut *connection).await?;
    report.expired = expired.len() as u64;
    if retention.is_dry_run() {
        return Ok(());
    }
    for traces in expired.chunks(usize::try_from(STEP).unwrap_or(1)) {
        sqlx::query!("DELETE FROM logs_archive WHERE trace_id = ANY ($1)", traces).execute(&mut *connection).await?;
    }
    // The statements take the same parameter as text, and are known by heart.
    let old = [
        ("DELETE FROM logs_archive WHERE trace_id IS NULL AND timestamp < $1::text::timestamptz", &archive),
        ("DELETE FROM request_metrics WHERE timestamp < $1::text::timestamptz", &metrics),
        ("DELETE FROM stage_minutes WHERE minute < $1::text::timestamptz", &metrics),
        ("DELETE FROM stage_hours WHERE hour < $1::text::timestamptz", &metrics),
        ("DELETE FROM delivered_batches WHERE delivered_at < $1::text::timestamptz", &metrics),
        ("DELETE FROM instances WHERE last_seen_at < $1::text::timestamptz", &metrics),
        ("DELETE FROM retention_decisions WHERE day < $1::text::timestamptz", &metrics),
    ];
    for (delete, before) in old {
        report.metrics += sqlx::query(delete).bind(before).execute(&mut *connection).await?.rows_affected();
    }
    Ok(())
}
