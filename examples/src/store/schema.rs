//! The tables of the database, and the way from an earlier version of them to this one.
//!
//! A document without a tenant is a draft: it is being written, for the tenant in its column
//! `draft_of`, and no reader sees it, since readers ask for a tenant's documents. The last
//! transaction of writing it gives it its tenant. `chunks_text` is the full-text index of the
//! chunks. Triggers keep it up to date, also when a document is removed with its chunks.
//! `chunks_vocabulary` shows its words.

use std::path::Path;

use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};

use super::StoreError;
use crate::embed::Embedder;

/// The number in the file's header by which a database of another program is recognized: "rtex" in
/// ASCII.
const APPLICATION_ID: i32 = 0x7274_6578;

/// The version of the tables, in the file's header (`PRAGMA user_version`). The first version left
/// the number at 0.
const VERSION: i64 = 2;

const TABLES: &str = "
    CREATE TABLE documents (
        id INTEGER PRIMARY KEY,
        tenant TEXT,
        path TEXT NOT NULL,
        name TEXT NOT NULL,
        format TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        pages INTEGER NOT NULL,
        chunks INTEGER NOT NULL DEFAULT 0,
        metadata TEXT NOT NULL DEFAULT '[]',
        content_hash BLOB,
        fingerprint TEXT,
        draft_of TEXT,
        stored_at INTEGER NOT NULL DEFAULT (unixepoch()),
        UNIQUE (tenant, path)
    );
    CREATE INDEX drafts ON documents (path) WHERE tenant IS NULL;
    CREATE TABLE chunks (
        id INTEGER PRIMARY KEY,
        document_id INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        text TEXT NOT NULL,
        headings TEXT NOT NULL,
        page INTEGER,
        language TEXT,
        keywords TEXT NOT NULL,
        tokens INTEGER NOT NULL,
        vector BLOB NOT NULL,
        UNIQUE (document_id, position)
    );
    CREATE VIRTUAL TABLE chunks_text USING fts5 (
        text,
        headings,
        content = 'chunks',
        content_rowid = 'id',
        tokenize = 'unicode61 remove_diacritics 2'
    );
    CREATE VIRTUAL TABLE chunks_vocabulary USING fts5vocab (chunks_text, row);
    CREATE TRIGGER index_chunk AFTER INSERT ON chunks BEGIN
        INSERT INTO chunks_text (rowid, text, headings) VALUES (new.id, new.text, new.headings);
    END;
    CREATE TRIGGER unindex_chunk AFTER DELETE ON chunks BEGIN
        INSERT INTO chunks_text (chunks_text, rowid, text, headings)
        VALUES ('delete', old.id, old.text, old.headings);
    END;
    CREATE TRIGGER reindex_chunk AFTER UPDATE OF id, text, headings ON chunks BEGIN
        INSERT INTO chunks_text (chunks_text, rowid, text, headings)
        VALUES ('delete', old.id, old.text, old.headings);
        INSERT INTO chunks_text (rowid, text, headings) VALUES (new.id, new.text, new.headings);
    END;
";

const SETTINGS: &str = "CREATE TABLE settings (model TEXT NOT NULL, dimensions INTEGER NOT NULL);";

/// Moves the tables of version 1 out of the way.
const SET_ASIDE: &str = "
    ALTER TABLE chunks RENAME TO chunks_of_version_1;
    ALTER TABLE documents RENAME TO documents_of_version_1;
";

/// Copies what the tables of version 1 hold, and drops them.
const TAKE_OVER: &str = "
    INSERT INTO documents (id, tenant, path, name, format, bytes, pages, chunks, stored_at)
    SELECT id, tenant, path, name, format, bytes, pages,
           (SELECT count(*) FROM chunks_of_version_1 WHERE document_id = documents_of_version_1.id),
           stored_at
    FROM documents_of_version_1;
    INSERT INTO chunks (document_id, position, text, headings, page, language, keywords, tokens, vector)
    SELECT document_id, position, text, headings, page, language, keywords, tokens, vector
    FROM chunks_of_version_1 ORDER BY document_id, position;
    DROP TABLE chunks_of_version_1;
    DROP TABLE documents_of_version_1;
";

/// The state of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// There are no tables yet.
    Empty,
    /// The tables are those of an earlier version.
    Earlier,
    /// The tables are those of this version.
    Current,
}

/// Creates the tables in an empty file, brings those of an earlier version up to date, or checks
/// that existing tables are this program's and of the same model.
pub(super) async fn prepare<E: Embedder>(pool: &SqlitePool, path: &Path, embedder: &E) -> Result<(), StoreError> {
    let open = |cause| StoreError::Open(path.to_owned(), cause);
    let dimensions = i64::try_from(embedder.dimensions()).unwrap_or(i64::MAX);
    // A file with current tables is only read, so that this does not wait for a program that writes
    // to it.
    let mut transaction = pool.begin().await.map_err(open)?;
    if state(&mut transaction, path).await? != State::Current {
        drop(transaction);
        transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(open)?;
        // Another program may have been faster.
        match state(&mut transaction, path).await? {
            State::Empty => create(&mut transaction, embedder.model(), dimensions).await.map_err(open)?,
            State::Earlier => migrate(&mut transaction).await.map_err(open)?,
            State::Current => (),
        }
    }
    let (model, stored): (String, i64) =
        sqlx::query_as("SELECT model, dimensions FROM settings").fetch_one(&mut *transaction).await.map_err(open)?;
    if model != embedder.model() || stored != dimensions {
        return Err(StoreError::OtherModel { path: path.to_owned(), model });
    }
    transaction.commit().await.map_err(open)
}

/// Returns the state of the file at `path`, or an error if its tables are another program's or a
/// later version's.
async fn state(connection: &mut SqliteConnection, path: &Path) -> Result<State, StoreError> {
    let open = |cause| StoreError::Open(path.to_owned(), cause);
    let id: i32 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await.map_err(open)?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await.map_err(open)?;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *connection).await.map_err(open)?;
    if id != APPLICATION_ID && (id != 0 || tables != 0) {
        return Err(StoreError::NotOurs(path.to_owned()));
    }
    if version > VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), version });
    }
    Ok(match tables {
        0 => State::Empty,
        _ if version < VERSION => State::Earlier,
        _ => State::Current,
    })
}

async fn create(transaction: &mut Transaction<'_, Sqlite>, model: &str, dimensions: i64) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(SETTINGS).execute(&mut **transaction).await?;
    sqlx::raw_sql(TABLES).execute(&mut **transaction).await?;
    sqlx::query("INSERT INTO settings (model, dimensions) VALUES (?, ?)")
        .bind(model)
        .bind(dimensions)
        .execute(&mut **transaction)
        .await?;
    mark(transaction).await
}

async fn migrate(transaction: &mut Transaction<'_, Sqlite>) -> Result<(), sqlx::Error> {
    for step in [SET_ASIDE, TABLES, TAKE_OVER] {
        sqlx::raw_sql(step).execute(&mut **transaction).await?;
    }
    mark(transaction).await
}

/// Writes the numbers into the file's header. A pragma takes no bound value.
async fn mark(transaction: &mut Transaction<'_, Sqlite>) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA application_id = 1920230776").execute(&mut **transaction).await?;
    sqlx::query("PRAGMA user_version = 2").execute(&mut **transaction).await?;
    Ok(())
}
