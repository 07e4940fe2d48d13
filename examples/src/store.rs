//! Stores documents, their chunks and their vectors in one `SQLite` file, searched by `sqlite-vec`.
//!
//! A document belongs to a tenant and is identified by its path. Storing it again replaces it in
//! one transaction, so that a reader sees either the old chunks or the new ones. Vectors are in the
//! chunks' own rows, and a search compares all vectors of a tenant, which is exact and takes
//! milliseconds for tens of thousands. The extension's own table type (`vec0`) would compare them
//! all as well, and keeps holes where rows were deleted, which ingesting again does all the time.

mod error;
mod search;
mod write;

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, Transaction};

pub use error::StoreError;
pub use search::Hit;
pub use write::Stored;

use crate::embed::Embedder;
use crate::vector_extension;

/// The number in the file's header by which a database of another program is recognized: "rtex" in
/// ASCII.
const APPLICATION_ID: i32 = 0x7274_6578;

/// The longest wait of a writer for another one, even in another program.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest wait of one of many documents for its turn.
const TURN_TIMEOUT: Duration = Duration::from_mins(5);

const SCHEMA: &str = "
    CREATE TABLE settings (model TEXT NOT NULL, dimensions INTEGER NOT NULL);
    CREATE TABLE documents (
        id INTEGER PRIMARY KEY,
        tenant TEXT NOT NULL,
        path TEXT NOT NULL,
        name TEXT NOT NULL,
        format TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        pages INTEGER NOT NULL,
        stored_at INTEGER NOT NULL DEFAULT (unixepoch()),
        UNIQUE (tenant, path)
    );
    CREATE TABLE chunks (
        document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        text TEXT NOT NULL,
        headings TEXT NOT NULL,
        page INTEGER,
        language TEXT,
        keywords TEXT NOT NULL,
        tokens INTEGER NOT NULL,
        vector BLOB NOT NULL,
        PRIMARY KEY (document_id, position)
    );
";

/// The database.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens the database at `path` for vectors of `embedder`, and creates it if it does not exist.
    pub async fn create<E: Embedder>(path: &Path, embedder: &E) -> Result<Self, StoreError> {
        let store = Self::connect(path, true).await?;
        store.prepare(path, embedder).await?;
        Ok(store)
    }

    /// Opens the existing database at `path` to search it with vectors of `embedder`.
    pub async fn open<E: Embedder>(path: &Path, embedder: &E) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing(path.to_owned()));
        }
        let store = Self::connect(path, false).await?;
        store.prepare(path, embedder).await?;
        Ok(store)
    }

    async fn connect(path: &Path, create: bool) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(create)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            // Questions do not wait for an ingestion. A power failure may lose the last documents,
            // which can be ingested again.
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal);
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(TURN_TIMEOUT)
            .after_connect(|connection, _| Box::pin(vector_extension::load(connection)))
            .connect_with(options)
            .await
            .map_err(|cause| StoreError::Open(path.to_owned(), cause))?;
        Ok(Self { pool })
    }

    /// Creates the tables in an empty file, or checks that existing tables are this program's and
    /// of the same model.
    async fn prepare<E: Embedder>(&self, path: &Path, embedder: &E) -> Result<(), StoreError> {
        let open = |cause| StoreError::Open(path.to_owned(), cause);
        let dimensions = i64::try_from(embedder.dimensions()).unwrap_or(i64::MAX);
        // A file with tables is only read, so that this does not wait for a program that writes to
        // it.
        let mut reader = self.pool.begin().await.map_err(open)?;
        if is_empty(&mut reader, path).await? {
            drop(reader);
            let mut writer = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(open)?;
            if is_empty(&mut writer, path).await? {
                create_tables(&mut writer, embedder.model(), dimensions).await.map_err(open)?;
                return writer.commit().await.map_err(open);
            }
            // Another program was faster.
            reader = writer;
        }
        let (model, stored): (String, i64) =
            sqlx::query_as("SELECT model, dimensions FROM settings").fetch_one(&mut *reader).await.map_err(open)?;
        if model != embedder.model() || stored != dimensions {
            return Err(StoreError::OtherModel { path: path.to_owned(), model });
        }
        Ok(())
    }

    /// Returns the number of chunks of `tenant`.
    pub async fn chunk_count(&self, tenant: &str) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT count(*) FROM chunks JOIN documents ON documents.id = document_id WHERE tenant = ?")
            .bind(tenant)
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::Read)
    }

    /// Closes all connections. Everything stored is in the one file then.
    pub async fn close(self) {
        self.pool.close().await;
    }
}

/// Returns `true` if the file at `path` has no tables yet, or an error if it has another program's.
async fn is_empty(transaction: &mut Transaction<'_, Sqlite>, path: &Path) -> Result<bool, StoreError> {
    let open = |cause| StoreError::Open(path.to_owned(), cause);
    let id: i32 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut **transaction).await.map_err(open)?;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut **transaction).await.map_err(open)?;
    if id != APPLICATION_ID && (id != 0 || tables != 0) {
        return Err(StoreError::NotOurs(path.to_owned()));
    }
    Ok(tables == 0)
}

async fn create_tables(
    transaction: &mut Transaction<'_, Sqlite>,
    model: &str,
    dimensions: i64,
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(SCHEMA).execute(&mut **transaction).await?;
    // A pragma takes no bound value.
    sqlx::query("PRAGMA application_id = 1920230776").execute(&mut **transaction).await?;
    sqlx::query("INSERT INTO settings (model, dimensions) VALUES (?, ?)")
        .bind(model)
        .bind(dimensions)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Returns a vector in the form that `sqlite-vec` reads: 32-bit floats in the machine's byte order.
fn blob(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|value| value.to_ne_bytes()).collect()
}
