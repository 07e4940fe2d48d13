//! Retention in PostgreSQL: traces in small transactions, and days by dropping their partitions.
//!
//! Traces that go and lie within their day are not touched: they vanish with its partition. Only those that cross
//! midnight are deleted row by row, and only those that are kept are copied.

use std::collections::BTreeSet;
use std::time::Duration;

use ragtrace::TraceId;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use uuid::Uuid;

use super::{Purge, Purged, Retention, Settled};
use crate::postgres::fault::has_sqlstate;
use crate::postgres::{Fault, Target};
use crate::store::StoreError;

/// Traces of one transaction.
const STEP: i64 = 2_000;
/// How often, and how far apart, a day is tried to be dropped while others use the table: longer than a statement of ours
/// may take.
const ATTEMPTS: u32 = 60;
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(1);
/// A date after that of every partition.
const AFTER_ALL: &str = "9999-12-31";
/// The number of the lock that a job holds, together with one that stands for the schema: `ragt` in ASCII.
const LOCK: i32 = 0x7261_6774;

pub(crate) async fn retain(
    target: &Target,
    retention: &Retention,
    progress: &mut (dyn FnMut(&Settled) + Send),
) -> Result<Settled, StoreError> {
    let mut connection = open(target).await?;
    let mut settled = Settled::default();
    let done = settle_all(&mut connection, retention, &mut settled, progress).await;
    // The lock goes with the connection too, but only when the server gets to it, and the next job may come sooner.
    if done.is_ok() && !settled.is_running_elsewhere {
        let _ = sqlx::query!("SELECT pg_advisory_unlock($1, hashtext(current_schema()))", LOCK)
            .fetch_one(&mut connection)
            .await;
    }
    let _ = connection.close().await;
    done.map(|()| settled).map_err(failed)
}

/// A session whose statements may take their time: it is alone, and some of them read a whole day.
async fn open(target: &Target) -> Result<PgConnection, StoreError> {
    let mut connection = target.connect().await.map_err(|fault| StoreError::told(fault.to_string()))?;
    sqlx::query("SET statement_timeout = 0").execute(&mut connection).await.map_err(failed)?;
    Ok(connection)
}

fn failed(error: sqlx::Error) -> StoreError {
    StoreError::told(Fault::from(error).to_string())
}

async fn settle_all(
    connection: &mut PgConnection,
    retention: &Retention,
    settled: &mut Settled,
    progress: &mut (dyn FnMut(&Settled) + Send),
) -> Result<(), sqlx::Error> {
    let got = sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1, hashtext(current_schema())) AS "got!""#, LOCK);
    settled.is_running_elsewhere = !got.fetch_one(&mut *connection).await?;
    if settled.is_running_elsewhere {
        return Ok(());
    }
    let days = days_before(connection, &retention.horizon().to_string()).await?;
    settled.days_to_settle = days.len();
    for day in days {
        loop {
            settle_day(connection, retention, &day.day, settled, progress).await?;
            // A writer may have been faster than the lock, with a record of a trace that has no verdict yet.
            if retention.dry_run || drop_when_unused(connection, retention, &day).await? {
                break;
            }
        }
        settled.days.push(day.day);
        progress(settled);
    }
    expire(connection, retention, settled).await
}

/// A day that has a partition.
struct Day {
    partition: String,
    /// As a date.
    day: String,
}

/// The days before one, the oldest first.
async fn days_before(connection: &mut PgConnection, horizon: &str) -> Result<Vec<Day>, sqlx::Error> {
    let days = sqlx::query_as!(
        Day,
        // By names alone, which sort as days do: the server may look at names of other tables before it looks whose
        // partitions they are.
        r#"SELECT c.relname::text AS "partition!",
            substr(c.relname, 6, 4) || '-' || substr(c.relname, 10, 2) || '-' || substr(c.relname, 12, 2) AS "day!"
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'logs'::regclass AND c.relname::text < 'logs_' || replace(left($1, 10), '-', '')
        ORDER BY 1"#,
        horizon
    );
    days.fetch_all(connection).await
}

/// Gives the traces of a day their verdicts, and carries them out.
async fn settle_day(
    connection: &mut PgConnection,
    retention: &Retention,
    day: &str,
    settled: &mut Settled,
    progress: &mut (dyn FnMut(&Settled) + Send),
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
            ) t LEFT JOIN settled_traces s ON s.trace_id = t.trace_id
            ORDER BY t.trace_id"#,
            after,
            day,
            STEP,
            retention.dry_run
        );
        let traces = traces.fetch_all(&mut *connection).await?;
        let Some(last) = traces.last() else { return Ok(()) };
        after = last.trace_id;
        let (mut kept, mut gone) = (Vec::new(), Vec::new());
        for trace in &traces {
            let id = TraceId::from_u128(trace.trace_id.as_u128());
            let keeps = trace.kept.unwrap_or_else(|| id.is_none_or(|id| retention.keeps(id, trace.has_error)));
            // Nothing is noted in a dry run, so a trace that began on an earlier day is known by its rows there.
            if trace.kept.is_none() && !trace.seen {
                *(if keeps { &mut settled.archived } else { &mut settled.removed }) += 1;
            }
            (if keeps { &mut kept } else { &mut gone }).push(trace.trace_id);
        }
        if !retention.dry_run {
            carry_out(connection, day, &kept, &gone).await?;
        }
        progress(settled);
    }
}

/// Moves and removes, in one transaction.
async fn carry_out(connection: &mut PgConnection, day: &str, kept: &[Uuid], gone: &[Uuid]) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    for (traces, keeps) in [(kept, true), (gone, false)] {
        let note = sqlx::query!(
            "INSERT INTO settled_traces (trace_id, day, kept) SELECT unnest($1::uuid[]), $2::text::date, $3
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

/// Drops the partition of a day as soon as nobody reads or writes the table for a moment, see [`drop_day`]. While a drop
/// waits, everybody else waits behind it, so each attempt waits for a moment only.
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

/// Drops the partition of a day, unless something in it has still to be settled. Rows of no trace are judged each by
/// itself.
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
    let unsettled = sqlx::query_scalar!(
        r#"SELECT EXISTS (
            SELECT FROM logs l LEFT JOIN settled_traces s ON s.trace_id = l.trace_id
            WHERE l.trace_id IS NOT NULL AND l.timestamp >= $1::text::timestamptz
                AND l.timestamp < $1::text::timestamptz + interval '1 day' AND s.kept IS DISTINCT FROM false) AS "any!""#,
        day
    );
    if unsettled.fetch_one(&mut *transaction).await? {
        transaction.rollback().await?;
        return Ok(false);
    }
    if retention.keep_errors {
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

/// What is too old in the archive, in the metrics and in our own books.
async fn expire(
    connection: &mut PgConnection,
    retention: &Retention,
    settled: &mut Settled,
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
    settled.expired = expired.len() as u64;
    if retention.dry_run {
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
        ("DELETE FROM settled_traces WHERE day < $1::text::timestamptz", &metrics),
    ];
    for (delete, before) in old {
        settled.metrics += sqlx::query(delete).bind(before).execute(&mut *connection).await?.rows_affected();
    }
    Ok(())
}

pub(super) async fn purge(
    target: &Target,
    purge: &Purge,
    progress: &mut (dyn FnMut(&Purged) + Send),
) -> Result<Purged, StoreError> {
    let mut connection = open(target).await?;
    let mut purged = Purged::default();
    let user = crate::postgres::clean::text(&purge.user);
    let erased = erase(&mut connection, &user, purge.dry_run, &mut purged, progress).await;
    let _ = connection.close().await;
    erased.map(|()| purged).map_err(failed)
}

/// Finds the traces of a person, a day after the other, since no index leads to a user's rows; then erases them, some
/// at once, each whole in one transaction. One that is stopped leaves whole traces, and finds them the next time.
async fn erase(
    connection: &mut PgConnection,
    user: &str,
    dry_run: bool,
    purged: &mut Purged,
    progress: &mut (dyn FnMut(&Purged) + Send),
) -> Result<(), sqlx::Error> {
    let days = days_before(connection, AFTER_ALL).await?;
    purged.steps = days.len() + 1;
    let others = sqlx::query_scalar!(
        r#"SELECT trace_id AS "trace_id!" FROM logs_archive WHERE user_id = $1 AND trace_id IS NOT NULL
        UNION SELECT trace_id FROM request_metrics WHERE user_id = $1"#,
        user
    );
    let mut found: BTreeSet<Uuid> = others.fetch_all(&mut *connection).await?.into_iter().collect();
    purged.advance(progress);
    for day in &days {
        let traces = sqlx::query_scalar!(
            r#"SELECT DISTINCT trace_id AS "trace_id!" FROM logs WHERE user_id = $1 AND trace_id IS NOT NULL
                AND timestamp >= $2::text::timestamptz AND timestamp < $2::text::timestamptz + interval '1 day'"#,
            user,
            day.day
        );
        found.extend(traces.fetch_all(&mut *connection).await?);
        purged.advance(progress);
    }
    let found: Vec<Uuid> = found.into_iter().collect();
    let groups = found.chunks(usize::try_from(STEP).unwrap_or(1));
    purged.steps += groups.len() + 1;
    for traces in groups {
        erase_rows(connection, Rows::OfTraces(traces), dry_run, purged).await?;
        purged.advance(progress);
    }
    erase_rows(connection, Rows::OfNoTrace(user), dry_run, purged).await?;
    purged.advance(progress);
    Ok(())
}

/// Which rows are erased together.
#[derive(Clone, Copy)]
enum Rows<'a> {
    OfTraces(&'a [Uuid]),
    OfNoTrace(&'a str),
}

/// In one transaction, which a dry run takes back: what it says is what it would do.
async fn erase_rows(
    connection: &mut PgConnection,
    rows: Rows<'_>,
    dry_run: bool,
    purged: &mut Purged,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let tables =
        [("logs", &mut purged.logs), ("logs_archive", &mut purged.archived), ("request_metrics", &mut purged.requests)];
    for (table, removed) in tables {
        let deleted = match rows {
            Rows::OfTraces(traces) => {
                let delete = format!("DELETE FROM {table} WHERE trace_id = ANY ($1)");
                sqlx::query(AssertSqlSafe(delete)).bind(traces).execute(&mut *transaction).await?
            }
            Rows::OfNoTrace(user) => {
                let delete = format!("DELETE FROM {table} WHERE trace_id IS NULL AND user_id = $1");
                sqlx::query(AssertSqlSafe(delete)).bind(user).execute(&mut *transaction).await?
            }
        };
        *removed += deleted.rows_affected();
    }
    if dry_run { transaction.rollback().await } else { transaction.commit().await }
}
