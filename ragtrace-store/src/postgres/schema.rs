//! The tables in a schema, which version they are of, and their partitions.

use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor, PgExecutor};

use super::fault::{has_sqlstate, while_making_schema, while_migrating};
use crate::fault::Fault;
use crate::tables::check_version;

/// The tables, from the first version on.
static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Brings the tables up to this version, in a schema that is made if need be.
pub(super) async fn prepare(connection: &mut PgConnection, schema: &str) -> Result<(), Fault> {
    let subject = subject(schema);
    let failed = |error| while_making_schema(&subject, error);
    // What is of this version need not be locked, and what cannot be brought up to it need not be
    // tried.
    match applied(&mut *connection).await.map_err(failed)? {
        Some(applied) if check(schema, &applied).is_ok() => return Ok(()),
        _ => {}
    }
    // Asked first, since creating what is there already needs the right to create all the same.
    let is_there = sqlx::query_scalar::<_, bool>("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)");
    if !is_there.bind(schema).fetch_one(&mut *connection).await.map_err(failed)? {
        let create = format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(schema));
        let created = connection.execute(AssertSqlSafe(create)).await;
        // Two that create it at once may both find it missing.
        if let Err(error) = created
            && !has_sqlstate(&error, &["23505", "42P06"])
        {
            return Err(failed(error));
        }
    }
    // Under an advisory lock of sqlx's: the second of two processes that start at once finds the
    // work done.
    let migrated = MIGRATIONS.run_direct(None, connection, false).await;
    migrated.map_err(|error| while_migrating(&subject, error))
}

/// Returns the migrations that were applied, by version and checksum, or `None` if there are no
/// tables.
pub(super) async fn applied(executor: impl PgExecutor<'_>) -> Result<Option<Vec<(i64, Vec<u8>)>>, sqlx::Error> {
    // The table is sqlx's own, so it is not among those that statements are checked against.
    let applied = sqlx::query_as("SELECT version, checksum FROM ragtrace_migrations WHERE success");
    match applied.fetch_all(executor).await {
        Err(error) if has_sqlstate(&error, &["42P01", "3F000"]) => Ok(None),
        found => found.map(Some),
    }
}

/// Checks that the tables are of this version.
pub(super) fn check(schema: &str, applied: &[(i64, Vec<u8>)]) -> Result<(), Fault> {
    check_version(&subject(schema), &MIGRATIONS, applied)
}

/// Names the schema in a message.
pub(super) fn subject(schema: &str) -> String {
    format!("the schema `{schema}`")
}

/// Quotes a name for a statement.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Makes the partition of a day, counted from 1970, unless it is there.
pub(super) async fn make_day(connection: &mut PgConnection, day: i64) -> Result<(), sqlx::Error> {
    let day = i32::try_from(day).unwrap_or(i32::MAX);
    sqlx::query!("SELECT make_day('1970-01-01'::date + $1::integer)", day).fetch_one(connection).await.map(drop)
}
