//! The tables in a schema: their version, their migrations, and the partitions of `logs`.

use std::time::Instant;

use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, PgExecutor};

use super::fault::{has_sqlstate, while_making_schema};
use super::identifier::quoted;
use super::session::{PgTransaction, Session};
use crate::fault::Fault;
use crate::tables::check_version;

/// The migrations that make the tables, from the first version on.
static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// The applied migrations, by version and checksum.
type Applied = Vec<(i64, Vec<u8>)>;

/// Creates or upgrades the tables. The schema is created if it does not exist.
pub(super) async fn prepare(connection: &mut PgConnection, session: &Session, schema: &str) -> Result<(), Fault> {
    let subject = subject(schema);
    let failed = |error| while_making_schema(&subject, error);
    // Tables of this version need no lock, and tables that cannot be upgraded are reported at once.
    let mut transaction = session.begin(connection).await.map_err(failed)?;
    let found = applied(&mut transaction, schema).await;
    transaction.rollback().await.map_err(failed)?;
    match found.map_err(failed)? {
        Some(applied) if check(schema, &applied).is_ok() => return Ok(()),
        _ => {}
    }
    let mut transaction = session.begin(connection).await.map_err(failed)?;
    let migrated = bring_up(&mut transaction, schema).await;
    match &migrated {
        Ok(Ok(())) => transaction.commit().await.map_err(failed)?,
        _ => drop(transaction.rollback().await),
    }
    migrated.map_err(failed)?
}

/// Applies the missing migrations in one transaction and under a lock, so that the second of two
/// processes that start at once finds the work done. sqlx could do this too, but with a lock of the
/// session's, which does not work over a pooler.
async fn bring_up(transaction: &mut PgTransaction<'_>, schema: &str) -> Result<Result<(), Fault>, sqlx::Error> {
    let lock = sqlx::query("SELECT pg_advisory_xact_lock(hashtext('ragtrace.migrate'), hashtext($1))");
    lock.bind(schema).execute(&mut *transaction).await?;
    // The schema is looked up first, since `CREATE SCHEMA IF NOT EXISTS` needs the right to create
    // even if the schema exists.
    let is_there = sqlx::query_scalar::<_, bool>("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)");
    if !is_there.bind(schema).fetch_one(&mut *transaction).await? {
        transaction.run(format!("CREATE SCHEMA {}", quoted(schema))).await?;
    }
    let has_table = sqlx::query_scalar::<_, bool>(
        "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = 'ragtrace_migrations')",
    );
    let mut done = Vec::new();
    if has_table.bind(schema).fetch_one(&mut *transaction).await? {
        done = applied(&mut *transaction, schema).await?.unwrap_or_default();
        if let Err(fault) = check(schema, &done)
            && !is_older(&done)
        {
            return Ok(Err(fault));
        }
    } else {
        // The columns are those of sqlx's own migration table.
        let table = "CREATE TABLE ragtrace_migrations (version bigint PRIMARY KEY, description text NOT NULL,
            installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, checksum bytea NOT NULL,
            execution_time bigint NOT NULL)";
        transaction.run(table).await?;
    }
    for migration in
        MIGRATIONS.iter().filter(|migration| !done.iter().any(|(version, _)| *version == migration.version))
    {
        let began = Instant::now();
        transaction.run(migration.sql.as_str()).await?;
        let note = sqlx::query(
            "INSERT INTO ragtrace_migrations (version, description, success, checksum, execution_time)
            VALUES ($1, $2, true, $3, $4)",
        );
        let note = note.bind(migration.version).bind(&*migration.description).bind(&*migration.checksum);
        let nanoseconds = i64::try_from(began.elapsed().as_nanos()).unwrap_or(i64::MAX);
        note.bind(nanoseconds).execute(&mut *transaction).await?;
    }
    Ok(Ok(()))
}

/// Returns `true` if all applied migrations are known, and some known ones are not applied yet.
fn is_older(applied: &[(i64, Vec<u8>)]) -> bool {
    applied.iter().all(|(version, checksum)| {
        MIGRATIONS.iter().any(|migration| migration.version == *version && *migration.checksum == **checksum)
    })
}

/// Returns the applied migrations, or `None` if there are no tables.
pub(super) async fn applied(executor: impl PgExecutor<'_>, schema: &str) -> Result<Option<Applied>, sqlx::Error> {
    // This table is sqlx's own, so the statement cannot be checked at compile time. The schema is
    // named explicitly, since a schema that the role may not use is skipped in the search path.
    let select = format!("SELECT version, checksum FROM {}.ragtrace_migrations WHERE success", quoted(schema));
    match sqlx::query_as(AssertSqlSafe(select)).fetch_all(executor).await {
        Err(error) if has_sqlstate(&error, &["42P01", "3F000"]) => Ok(None),
        found => found.map(Some),
    }
}

/// Checks that the tables are of this version.
pub(super) fn check(schema: &str, applied: &[(i64, Vec<u8>)]) -> Result<(), Fault> {
    check_version(&subject(schema), &MIGRATIONS, applied)
}

/// Returns the schema's name for use in a message.
pub(super) fn subject(schema: &str) -> String {
    format!("the schema `{schema}`")
}

/// Creates the partition of a day, counted from 1970, if it does not exist.
pub(super) async fn make_day(connection: &mut PgConnection, session: &Session, day: i64) -> Result<(), sqlx::Error> {
    let day = i32::try_from(day).unwrap_or(i32::MAX);
    let mut transaction = session.begin(connection).await?;
    sqlx::query!("SELECT make_day('1970-01-01'::date + $1::integer)", day).fetch_one(&mut transaction).await?;
    transaction.commit().await
}
