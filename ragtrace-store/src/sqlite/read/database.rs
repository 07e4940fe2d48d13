//! A file that is open for reading.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use crate::error::StoreError;
use crate::sqlite::connect::options;
use crate::sqlite::fault::{is_cannot_open, missing, while_reading_version};
use crate::sqlite::schema;

/// Readers at once. They do not wait for each other, nor for the writer.
const CONNECTIONS: u32 = 4;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(crate) struct SqliteStore {
    pub(super) pool: SqlitePool,
}

impl SqliteStore {
    /// Opens the file for reading. It is not created, and not written to.
    pub(crate) async fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.is_file() {
            return Err(missing(path).into());
        }
        let pool = match connect(options(path).read_only(true)).await {
            // A file in WAL mode needs its companions beside it, which cannot be made in a folder
            // that is read-only. If there are none, nobody is writing.
            Err(error) if is_cannot_open(&error) && !wal_of(path).exists() => {
                connect(options(path).read_only(true).immutable(true)).await
            }
            connected => connected,
        };
        let pool = pool.map_err(|error| while_reading_version(path, error))?;
        schema::check(&pool, path).await?;
        Ok(Self { pool })
    }
}

/// Connects, and reads from the file for the first time, since SQLite opens it no sooner.
async fn connect(options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
    let pool = pool.connect_with(options).await?;
    sqlx::query("SELECT 1 FROM sqlite_schema").execute(&pool).await?;
    Ok(pool)
}

fn wal_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push("-wal");
    name.into()
}
