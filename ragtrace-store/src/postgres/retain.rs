//! Retention in PostgreSQL: traces in small transactions, and days by dropping their partitions.
//!
//! Traces that are removed and lie within their day are not touched, since they vanish with its
//! partition. Only those that cross midnight are deleted row by row, and only those that are kept
//! are copied.

use std::time::Duration;

use ragtrace::TraceId;
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::fault::{has_sqlstate, while_writing};
use super::identifier::quoted;
use super::location::PgLocation;
use super::partitions::{Day, days_before};
use super::session::{PgTransaction, Session, Use};
use crate::fault::Fault;
use crate::retention::{Retention, RetentionReport};

/// The number of traces handled in one transaction.
const STEP: i64 = 2_000;
/// The number of attempts to drop a day's partition while others use the table. Together they take
/// longer than any of ragtrace's own statements may.
const ATTEMPTS: u32 = 60;
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(1);
/// The first number of the advisory lock that a job holds: `ragt` in ASCII. The second number
/// stands for the schema.
const LOCK: i32 = 0x7261_6774;

/// Runs retention over the schema at `location`.
pub(crate) async fn retain(
    location: &PgLocation,
    retention: &Retention,
    progress: &mut (dyn FnMut(&RetentionReport) + Send),
) -> Result<RetentionReport, Fault> {
    let session = location.session(Use::Tidying)?;
    let mut connection = location.connect().await?;
    let mut job = Job { connection: &mut connection, session, retention, report: RetentionReport::default() };
    let done = job.run(progress).await;
    let report = job.report;
    let _ = connection.close().await;
    done.map(|()| report).map_err(while_writing)
}

/// A retention job in progress.
///
/// Each transaction takes the lock for itself, since a session's lock would stay with a pooler's
/// connection. If another job holds the lock, this job ends, and the other one does the rest.
struct Job<'c> {
    connection: &'c mut PgConnection,
    session: Session,
    retention: &'c Retention,
    report: RetentionReport,
}

/// The outcome of an attempt to drop a day's partition.
enum Attempt {
    Done,
    /// Some trace or row of the day has no verdict yet.
    Undecided,
    /// Other sessions use the table.
    InUse(sqlx::Error),
}

impl Job<'_> {
    async fn run(&mut self, progress: &mut (dyn FnMut(&RetentionReport) + Send)) -> Result<(), sqlx::Error> {
        let Some(mut transaction) = begin_locked(self.connection, &self.session).await? else {
            self.leave();
            return Ok(());
        };
        let days = days_before(&mut transaction, &self.retention.horizon().to_string()).await?;
        transaction.commit().await?;
        self.report.days_in_all = days.len();
        for day in days {
            loop {
                if !self.decide_day(&day.day, progress).await? {
                    self.leave();
                    return Ok(());
                }
                // A writer may have been faster than the lock, with a record of a trace that has no
                // verdict yet.
                if self.retention.is_dry_run() {
                    break;
                }
                match self.drop_when_unused(&day).await? {
                    None => {
                        self.leave();
                        return Ok(());
                    }
                    Some(true) => break,
                    Some(false) => {}
                }
            }
            self.report.days.push(day.day);
            progress(&self.report);
        }
        self.expire().await
    }

    /// Reports that another job is running.
    fn leave(&mut self) {
        self.report.is_running_elsewhere = true;
    }

    /// Gives the traces of a day their verdicts, and carries them out. Returns `false` if another
    /// job is running.
    async fn decide_day(
        &mut self,
        day: &str,
        progress: &mut (dyn FnMut(&RetentionReport) + Send),
    ) -> Result<bool, sqlx::Error> {
        let mut after = Uuid::nil();
        loop {
            let Some(mut transaction) = begin_locked(self.connection, &self.session).await? else { return Ok(false) };
            let traces = sqlx::query!(
                r#"SELECT t.trace_id AS "trace_id!", s.kept AS "kept?",
                    EXISTS (SELECT FROM logs e WHERE e.trace_id = t.trace_id AND e.level = 'ERROR') AS "has_error!",
                    $4 AND EXISTS (
                        SELECT FROM logs e WHERE e.trace_id = t.trace_id AND e.timestamp < $2::text::timestamptz)
                        AS "seen!"
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
                self.retention.is_dry_run()
            );
            let traces = traces.fetch_all(&mut transaction).await?;
            let Some(last) = traces.last() else {
                transaction.commit().await?;
                return Ok(true);
            };
            after = last.trace_id;
            let (mut kept, mut gone) = (Vec::new(), Vec::new());
            let (mut archived, mut removed) = (0, 0);
            for trace in &traces {
                let id = TraceId::from_u128(trace.trace_id.as_u128());
                let decides = || id.is_none_or(|id| self.retention.keeps(id, trace.has_error));
                let keeps = trace.kept.unwrap_or_else(decides);
                // A dry run writes no verdicts, so a trace that began on an earlier day is
                // recognized by its rows there.
                if trace.kept.is_none() && !trace.seen {
                    *(if keeps { &mut archived } else { &mut removed }) += 1;
                }
                (if keeps { &mut kept } else { &mut gone }).push(trace.trace_id);
            }
            if !self.retention.is_dry_run() {
                carry_out(&mut transaction, day, &kept, &gone).await?;
            }
            transaction.commit().await?;
            self.report.archived += archived;
            self.report.removed += removed;
            progress(&self.report);
        }
    }

    /// Drops the partition of a day as soon as no other session uses the table, see
    /// [`Self::drop_day`]. All other sessions queue behind a waiting drop, so each attempt waits
    /// only briefly. Returns `true` if the partition was dropped, `false` if some of its traces
    /// have no verdict yet, or `None` if another job is running.
    async fn drop_when_unused(&mut self, day: &Day) -> Result<Option<bool>, sqlx::Error> {
        let mut attempts = 1..=ATTEMPTS;
        loop {
            let attempt = attempts.next();
            match (self.drop_day(day).await?, attempt) {
                (None, _) => return Ok(None),
                (Some(Attempt::Done), _) => return Ok(Some(true)),
                (Some(Attempt::Undecided), _) => return Ok(Some(false)),
                (Some(Attempt::InUse(_)), Some(_)) => tokio::time::sleep(BETWEEN_ATTEMPTS).await,
                (Some(Attempt::InUse(error)), None) => return Err(error),
            }
        }
    }

    /// Drops the partition of a day in one transaction, unless another job is running.
    async fn drop_day(&mut self, day: &Day) -> Result<Option<Attempt>, sqlx::Error> {
        let Some(mut transaction) = begin_locked(self.connection, &self.session).await? else { return Ok(None) };
        match drop_decided(&mut transaction, self.retention, day).await {
            Ok(true) => transaction.commit().await.map(|()| Some(Attempt::Done)),
            Ok(false) => transaction.rollback().await.map(|()| Some(Attempt::Undecided)),
            Err(error) if has_sqlstate(&error, &["55P03", "40P01"]) => {
                transaction.rollback().await.map(|()| Some(Attempt::InUse(error)))
            }
            Err(error) => Err(error),
        }
    }
}

/// Begins a transaction that holds the lock, or returns `None` if another job holds it.
async fn begin_locked<'c>(
    connection: &'c mut PgConnection,
    session: &Session,
) -> Result<Option<PgTransaction<'c>>, sqlx::Error> {
    let mut transaction = session.begin(connection).await?;
    let got =
        sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1, hashtext(current_schema())) AS "got!""#, LOCK);
    if got.fetch_one(&mut transaction).await? {
        return Ok(Some(transaction));
    }
    transaction.rollback().await.map(|()| None)
}

/// Moves the kept traces to the archive, and removes the others.
async fn carry_out(
    transaction: &mut PgTransaction<'_>,
    day: &str,
    kept: &[Uuid],
    gone: &[Uuid],
) -> Result<(), sqlx::Error> {
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
    // Scores of a kept trace stay where they are.
    sqlx::query!("DELETE FROM scores WHERE trace_id = ANY ($1)", gone).execute(&mut *transaction).await?;
    sqlx::query!("DELETE FROM logs WHERE trace_id = ANY ($1)", kept).execute(&mut *transaction).await?;
    let crossing = sqlx::query!(
        "DELETE FROM logs WHERE trace_id IN (
            SELECT trace_id FROM logs WHERE trace_id = ANY ($1) AND timestamp >= $2::text::timestamptz + interval '1 day')",
        gone,
        day
    );
    crossing.execute(transaction).await.map(drop)
}

/// Drops the partition of a day and returns `true`, unless some of its traces have no verdict yet.
/// Rows without a trace are decided on one by one.
async fn drop_decided(
    transaction: &mut PgTransaction<'_>,
    retention: &Retention,
    day: &Day,
) -> Result<bool, sqlx::Error> {
    let partition = quoted(&day.partition);
    // From here on nobody can write to the day. A writer that wants to creates its partition again
    // afterwards.
    transaction.run(format!("SET LOCAL lock_timeout = '1s'; LOCK TABLE {partition} IN SHARE MODE")).await?;
    let undecided = sqlx::query_scalar!(
        r#"SELECT EXISTS (
            SELECT FROM logs l LEFT JOIN retention_decisions s ON s.trace_id = l.trace_id
            WHERE l.trace_id IS NOT NULL AND l.timestamp >= $1::text::timestamptz
                AND l.timestamp < $1::text::timestamptz + interval '1 day' AND s.kept IS DISTINCT FROM false) AS "any!""#,
        day.day
    );
    if undecided.fetch_one(&mut *transaction).await? {
        return Ok(false);
    }
    if retention.keeps_errors() {
        let copy = sqlx::query!(
            "INSERT INTO logs_archive SELECT * FROM logs
            WHERE trace_id IS NULL AND level = 'ERROR' AND timestamp >= $1::text::timestamptz
                AND timestamp < $1::text::timestamptz + interval '1 day'
            ON CONFLICT (id) DO NOTHING",
            day.day
        );
        copy.execute(&mut *transaction).await?;
    }
    transaction.run(format!("DROP TABLE {partition}")).await?;
    Ok(true)
}

impl Job<'_> {
    /// Removes what is too old from the archive, the metrics, and the store's bookkeeping tables.
    async fn expire(&mut self) -> Result<(), sqlx::Error> {
        let archive = self.retention.archive_horizon().to_string();
        let metrics = self.retention.metrics_horizon().to_string();
        let mut transaction = self.session.begin(self.connection).await?;
        let expired = sqlx::query_scalar!(
            // The index on time finds these rows, so the rest of the archive is not read.
            r#"SELECT DISTINCT trace_id AS "trace_id!" FROM logs_archive a
        WHERE trace_id IS NOT NULL AND timestamp < $1::text::timestamptz AND NOT EXISTS (
            SELECT FROM logs_archive b WHERE b.trace_id = a.trace_id AND b.timestamp >= $1::text::timestamptz)"#,
            archive
        );
        let expired = expired.fetch_all(&mut transaction).await?;
        transaction.commit().await?;
        self.report.expired = expired.len() as u64;
        if self.retention.is_dry_run() {
            return Ok(());
        }
        for traces in expired.chunks(usize::try_from(STEP).unwrap_or(1)) {
            let mut transaction = self.session.begin(self.connection).await?;
            let delete = sqlx::query!("DELETE FROM logs_archive WHERE trace_id = ANY ($1)", traces);
            delete.execute(&mut transaction).await?;
            let scores = sqlx::query!("DELETE FROM scores WHERE trace_id = ANY ($1)", traces);
            scores.execute(&mut transaction).await?;
            transaction.commit().await?;
        }
        // All statements take the same text parameter, and are fixed strings.
        let old = [
            ("DELETE FROM logs_archive WHERE trace_id IS NULL AND timestamp < $1::text::timestamptz", &archive),
            // Scores that arrived after their trace was removed.
            ("DELETE FROM scores WHERE late AND $1::text IS NOT NULL", &archive),
            (
                "DELETE FROM scores s WHERE timestamp < $1::text::timestamptz
                    AND NOT EXISTS (SELECT FROM logs l WHERE l.trace_id = s.trace_id)
                    AND NOT EXISTS (SELECT FROM logs_archive a WHERE a.trace_id = s.trace_id)",
                &archive,
            ),
            ("DELETE FROM request_metrics WHERE timestamp < $1::text::timestamptz", &metrics),
            ("DELETE FROM stage_minutes WHERE minute < $1::text::timestamptz", &metrics),
            ("DELETE FROM stage_hours WHERE hour < $1::text::timestamptz", &metrics),
            ("DELETE FROM delivered_batches WHERE delivered_at < $1::text::timestamptz", &metrics),
            ("DELETE FROM instances WHERE last_seen_at < $1::text::timestamptz", &metrics),
            ("DELETE FROM retention_decisions WHERE day < $1::text::timestamptz", &metrics),
        ];
        for (delete, before) in old {
            let mut transaction = self.session.begin(self.connection).await?;
            let deleted = sqlx::query(delete).bind(before).execute(&mut transaction).await?;
            transaction.commit().await?;
            self.report.metrics += deleted.rows_affected();
        }
        Ok(())
    }
}
