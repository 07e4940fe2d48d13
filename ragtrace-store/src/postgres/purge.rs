//! Erases a user's data from PostgreSQL.

use std::collections::BTreeSet;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use uuid::Uuid;

use super::clean;
use super::fault::while_writing;
use super::location::PgLocation;
use super::partitions::{AFTER_ALL, days_before};
use super::session::{Session, Use};
use crate::fault::Fault;
use crate::retention::{AuditLine, Purge, PurgeReport};

/// The number of traces erased in one transaction.
const STEP: usize = 2_000;

/// Erases a user's data from the schema at `location`.
pub(crate) async fn purge(
    location: &PgLocation,
    purge: &Purge,
    progress: &mut (dyn FnMut(&PurgeReport) + Send),
) -> Result<PurgeReport, Fault> {
    let session = location.session(Use::Tidying)?;
    let mut connection = location.connect().await?;
    let mut report = PurgeReport::default();
    let user = clean::text(purge.user_id());
    let mut erasure = Erasure { connection: &mut connection, session, dry_run: purge.is_dry_run() };
    let mut erased = erasure.run(&user, &mut report, progress).await;
    if erased.is_ok() && !purge.is_dry_run() {
        erased = erasure.note(purge, &report).await;
    }
    let _ = connection.close().await;
    erased.map(|()| report).map_err(while_writing)
}

/// An erasure in progress.
struct Erasure<'c> {
    connection: &'c mut PgConnection,
    session: Session,
    dry_run: bool,
}

/// Rows that are erased in one transaction.
#[derive(Clone, Copy)]
enum Rows<'a> {
    /// All rows of these traces, but for the scores that the user gave, which are counted with the
    /// user's other scores.
    OfTraces(&'a [Uuid], &'a str),
    OfNoTrace(&'a str),
}

impl Erasure<'_> {
    /// Finds the user's traces, one day after the other, since no index leads to a user's rows;
    /// then erases them, some at a time, each trace whole in one transaction. If the job is
    /// stopped, the next one finds the traces that are left.
    async fn run(
        &mut self,
        user: &str,
        report: &mut PurgeReport,
        progress: &mut (dyn FnMut(&PurgeReport) + Send),
    ) -> Result<(), sqlx::Error> {
        let mut transaction = self.session.begin(self.connection).await?;
        let days = days_before(&mut transaction, AFTER_ALL).await?;
        report.steps = days.len() + 1;
        let others = sqlx::query_scalar!(
            r#"SELECT trace_id AS "trace_id!" FROM logs_archive WHERE user_id = $1 AND trace_id IS NOT NULL
            UNION SELECT trace_id FROM request_metrics WHERE user_id = $1"#,
            user
        );
        let mut found: BTreeSet<Uuid> = others.fetch_all(&mut transaction).await?.into_iter().collect();
        transaction.commit().await?;
        report.advance(progress);
        for day in &days {
            let mut transaction = self.session.begin(self.connection).await?;
            let traces = sqlx::query_scalar!(
                r#"SELECT DISTINCT trace_id AS "trace_id!" FROM logs WHERE user_id = $1 AND trace_id IS NOT NULL
                    AND timestamp >= $2::text::timestamptz AND timestamp < $2::text::timestamptz + interval '1 day'"#,
                user,
                day.day
            );
            found.extend(traces.fetch_all(&mut transaction).await?);
            transaction.commit().await?;
            report.advance(progress);
        }
        let found: Vec<Uuid> = found.into_iter().collect();
        let groups = found.chunks(STEP);
        report.steps += groups.len() + 1;
        for traces in groups {
            self.erase(Rows::OfTraces(traces, user), report).await?;
            report.advance(progress);
        }
        self.erase(Rows::OfNoTrace(user), report).await?;
        report.advance(progress);
        Ok(())
    }

    /// Leaves a line in the audit.
    async fn note(&mut self, purge: &Purge, report: &PurgeReport) -> Result<(), sqlx::Error> {
        let AuditLine { action, actor, subject_hash, reference, details } = purge.audit_line(report);
        let mut transaction = self.session.begin(self.connection).await?;
        let insert = sqlx::query!(
            "INSERT INTO audit (action, actor, subject_hash, reference, details) VALUES ($1, $2, $3, $4, $5::text::jsonb)",
            action,
            clean::as_stored(actor),
            subject_hash,
            clean::as_stored(reference),
            clean::json(details)
        );
        insert.execute(&mut transaction).await?;
        transaction.commit().await
    }

    /// Erases rows in one transaction. A dry run rolls it back, so that its report is exact.
    async fn erase(&mut self, rows: Rows<'_>, report: &mut PurgeReport) -> Result<(), sqlx::Error> {
        let mut transaction = self.session.begin(self.connection).await?;
        let tables = [
            ("logs", &mut report.logs),
            ("logs_archive", &mut report.archived),
            ("request_metrics", &mut report.requests),
            ("scores", &mut report.scores),
        ];
        for (table, removed) in tables {
            let deleted = match rows {
                Rows::OfTraces(traces, user) if table == "scores" => {
                    let delete = "DELETE FROM scores WHERE trace_id = ANY ($1) AND user_id IS DISTINCT FROM $2";
                    sqlx::query(delete).bind(traces).bind(user).execute(&mut transaction).await?
                }
                Rows::OfTraces(traces, _) => {
                    let delete = format!("DELETE FROM {table} WHERE trace_id = ANY ($1)");
                    sqlx::query(AssertSqlSafe(delete)).bind(traces).execute(&mut transaction).await?
                }
                // A score always has a trace, which may be another user's.
                Rows::OfNoTrace(user) if table == "scores" => {
                    let delete = "DELETE FROM scores WHERE left(user_id, 64) = left($1, 64) AND user_id = $1";
                    sqlx::query(delete).bind(user).execute(&mut transaction).await?
                }
                Rows::OfNoTrace(user) => {
                    let delete = format!("DELETE FROM {table} WHERE trace_id IS NULL AND user_id = $1");
                    sqlx::query(AssertSqlSafe(delete)).bind(user).execute(&mut transaction).await?
                }
            };
            *removed += deleted.rows_affected();
        }
        if self.dry_run { transaction.rollback().await } else { transaction.commit().await }
    }
}
