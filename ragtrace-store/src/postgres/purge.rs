//! The erasure of a person from PostgreSQL.

use std::collections::BTreeSet;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use uuid::Uuid;

use super::clean;
use super::connect::PgLocation;
use super::fault::while_writing;
use super::partitions::{AFTER_ALL, days_before};
use crate::fault::Fault;
use crate::retention::{Purge, PurgeReport};

/// Traces of one transaction.
const STEP: usize = 2_000;

/// Erases a person from the schema at `location`.
pub(crate) async fn purge(
    location: &PgLocation,
    purge: &Purge,
    progress: &mut (dyn FnMut(&PurgeReport) + Send),
) -> Result<PurgeReport, Fault> {
    let mut connection = location.connect_to_tidy().await?;
    let mut report = PurgeReport::default();
    let user = clean::text(purge.user_id());
    let erased = erase(&mut connection, &user, purge.is_dry_run(), &mut report, progress).await;
    let _ = connection.close().await;
    erased.map(|()| report).map_err(while_writing)
}

/// Finds the traces of a person, a day after the other, since no index leads to a user's rows; then
/// erases them, some at once, each whole in one transaction. One that is stopped leaves whole
/// traces, and finds them the next time.
async fn erase(
    connection: &mut PgConnection,
    user: &str,
    dry_run: bool,
    report: &mut PurgeReport,
    progress: &mut (dyn FnMut(&PurgeReport) + Send),
) -> Result<(), sqlx::Error> {
    let days = days_before(connection, AFTER_ALL).await?;
    report.steps = days.len() + 1;
    let others = sqlx::query_scalar!(
        r#"SELECT trace_id AS "trace_id!" FROM logs_archive WHERE user_id = $1 AND trace_id IS NOT NULL
        UNION SELECT trace_id FROM request_metrics WHERE user_id = $1"#,
        user
    );
    let mut found: BTreeSet<Uuid> = others.fetch_all(&mut *connection).await?.into_iter().collect();
    report.advance(progress);
    for day in &days {
        let traces = sqlx::query_scalar!(
            r#"SELECT DISTINCT trace_id AS "trace_id!" FROM logs WHERE user_id = $1 AND trace_id IS NOT NULL
                AND timestamp >= $2::text::timestamptz AND timestamp < $2::text::timestamptz + interval '1 day'"#,
            user,
            day.day
        );
        found.extend(traces.fetch_all(&mut *connection).await?);
        report.advance(progress);
    }
    let found: Vec<Uuid> = found.into_iter().collect();
    let groups = found.chunks(STEP);
    report.steps += groups.len() + 1;
    for traces in groups {
        erase_rows(connection, Rows::OfTraces(traces), dry_run, report).await?;
        report.advance(progress);
    }
    erase_rows(connection, Rows::OfNoTrace(user), dry_run, report).await?;
    report.advance(progress);
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
    report: &mut PurgeReport,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let tables =
        [("logs", &mut report.logs), ("logs_archive", &mut report.archived), ("request_metrics", &mut report.requests)];
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
