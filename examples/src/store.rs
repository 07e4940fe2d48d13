//! Stores documents, their chunks and their vectors in one `SQLite` file, searched by `sqlite-vec`.
//!
//! A document belongs to a tenant and is identified by its path. Storing it again replaces it in
//! one transaction, so that a reader sees either the old chunks or the new ones. A large document
//! is written in several transactions, of which only the last one makes it visible. Vectors are in
//! the chunks' own rows, and a search compares all vectors of a tenant, which is exact and takes
//! milliseconds for tens of thousands. The extension's own table type (`vec0`) would compare them
//! all as well, and keeps holes where rows were deleted, which ingesting again does all the time.

mod change;
mod error;
mod known;
mod schema;
mod search;
mod write;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

pub use error::StoreError;
pub use known::Known;
pub use search::{Form, Found, Hit, Weighted};
pub use write::{Draft, Entry, Stored, Version};

use crate::embed::Embedder;
use crate::vector_extension;
use change::Writers;

/// The longest wait of a statement for another program that writes. A change is tried several
/// times.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest wait of one of many documents for its turn.
const TURN_TIMEOUT: Duration = Duration::from_mins(5);

/// The database.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
    writers: Arc<Writers>,
}

impl Store {
    /// Opens the database at `path` for vectors of `embedder`, and creates it if it does not exist.
    /// Parts of documents that an interrupted run left behind are removed.
    pub async fn create<E: Embedder>(path: &Path, embedder: &E) -> Result<Self, StoreError> {
        let store = Self::connect(path, true).await?;
        schema::prepare(&store.pool, path, embedder).await?;
        store.remove_old_drafts().await?;
        Ok(store)
    }

    /// Opens the existing database at `path` to search it with vectors of `embedder`.
    pub async fn open<E: Embedder>(path: &Path, embedder: &E) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing(path.to_owned()));
        }
        let store = Self::connect(path, false).await?;
        schema::prepare(&store.pool, path, embedder).await?;
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
            .synchronous(SqliteSynchronous::Normal)
            // The stages tell how long it took.
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(TURN_TIMEOUT)
            .acquire_slow_threshold(TURN_TIMEOUT)
            .after_connect(|connection, _| Box::pin(vector_extension::load(connection)))
            // A connection whose transaction was abandoned and could not be rolled back is closed.
            .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
            .connect_with(options)
            .await
            .map_err(|cause| StoreError::Open(path.to_owned(), cause))?;
        Ok(Self { pool, writers: Arc::default() })
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

/// Returns a vector in the form that `sqlite-vec` reads: 32-bit floats in the machine's byte order.
fn blob(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|value| value.to_ne_bytes()).collect()
}
