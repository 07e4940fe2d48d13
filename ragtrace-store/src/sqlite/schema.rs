//! The tables of a file, and their version.

use sqlx::migrate::Migrator;
use sqlx::{Connection, SqliteConnection, SqlitePool};

use super::fault::{while_migrating, while_opening, while_opening_to_read};
use super::files::{Files, subject};
use crate::fault::Fault;
use crate::tables::check_version;

/// The migrations that make the tables, from the first version on.
static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Creates or upgrades the tables. sqlx takes no lock for SQLite, so this holds the write lock over
/// all migrations: the second of two processes that start at once finds the work done.
pub(super) async fn migrate(connection: &mut SqliteConnection, files: &Files) -> Result<(), Fault> {
    let failed = |error: sqlx::Error| while_opening(files, error);
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    // `run` would do the same, but the compiler cannot prove its future `Send` for every lifetime.
    let migrated = MIGRATIONS.run_direct(None, &mut *transaction, false).await;
    migrated.map_err(|error| while_migrating(files, error))?;
    transaction.commit().await.map_err(failed)
}

/// Checks that the tables are of this version.
pub(super) async fn check(pool: &SqlitePool, files: &Files) -> Result<(), Fault> {
    // This table is sqlx's own, so the statement cannot be checked at compile time.
    let applied: Vec<(i64, Vec<u8>)> = sqlx::query_as("SELECT version, checksum FROM ragtrace_migrations")
        .fetch_all(pool)
        .await
        .map_err(|error| while_opening_to_read(files, error))?;
    check_version(&subject(&files.path), &MIGRATIONS, &applied)
}
