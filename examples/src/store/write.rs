//! Stores documents.

use sqlx::{Sqlite, Transaction};

use super::{Store, StoreError, blob};
use crate::document::Document;
use crate::embed::{EmbeddedChunk, EmbeddedChunks};

/// The outcome of storing a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The number of chunks stored.
    pub chunks: usize,
    /// The number of removed chunks of an earlier version.
    pub replaced: u64,
}

impl Store {
    /// Stores `document` for `tenant`, in place of its earlier version.
    pub async fn replace(
        &self,
        tenant: &str,
        document: &Document,
        embedded: &EmbeddedChunks,
    ) -> Result<Stored, StoreError> {
        // The transaction takes the write lock at once: a reader that becomes a writer may be
        // refused without waiting.
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(StoreError::Write)?;
        let stored = write(&mut transaction, tenant, document, embedded).await.map_err(StoreError::Write)?;
        transaction.commit().await.map_err(StoreError::Write)?;
        Ok(stored)
    }
}

async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    tenant: &str,
    document: &Document,
    embedded: &EmbeddedChunks,
) -> Result<Stored, sqlx::Error> {
    let path = document.path.to_string_lossy();
    let replaced: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM chunks JOIN documents ON documents.id = document_id WHERE tenant = ? AND path = ?",
    )
    .bind(tenant)
    .bind(path.as_ref())
    .fetch_one(&mut **transaction)
    .await?;
    sqlx::query("DELETE FROM documents WHERE tenant = ? AND path = ?")
        .bind(tenant)
        .bind(path.as_ref())
        .execute(&mut **transaction)
        .await?;
    let document_id: i64 = sqlx::query_scalar(
        "INSERT INTO documents (tenant, path, name, format, bytes, pages) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(tenant)
    .bind(path.as_ref())
    .bind(&document.name)
    .bind(document.format.name())
    .bind(i64::try_from(document.bytes).unwrap_or(i64::MAX))
    .bind(i64::try_from(document.pages()).unwrap_or(i64::MAX))
    .fetch_one(&mut **transaction)
    .await?;
    for chunk in &embedded.chunks {
        insert(transaction, document_id, chunk).await?;
    }
    Ok(Stored { chunks: embedded.chunks.len(), replaced: replaced.unsigned_abs() })
}

async fn insert(
    transaction: &mut Transaction<'_, Sqlite>,
    document_id: i64,
    EmbeddedChunk { enriched, vector }: &EmbeddedChunk,
) -> Result<(), sqlx::Error> {
    let chunk = &enriched.chunk;
    sqlx::query(
        "INSERT INTO chunks (document_id, position, text, headings, page, language, keywords, tokens, vector)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(document_id)
    .bind(i64::try_from(chunk.position).unwrap_or(i64::MAX))
    .bind(&chunk.text)
    .bind(serde_json::json!(chunk.headings).to_string())
    .bind(chunk.page)
    .bind(enriched.language)
    .bind(serde_json::json!(enriched.keywords).to_string())
    .bind(i64::try_from(chunk.tokens).unwrap_or(i64::MAX))
    .bind(blob(vector))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
