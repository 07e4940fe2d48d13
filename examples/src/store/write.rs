//! Stores and removes documents.

use sqlx::SqliteConnection;

use super::change::Change;
use super::{Store, StoreError, blob};
use crate::document::{Document, path_text};
use crate::embed::{EmbeddedChunk, EmbeddedChunks};

/// The outcome of storing a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The number of chunks stored.
    pub chunks: usize,
    /// The number of removed chunks of an earlier version.
    pub replaced: u64,
}

/// A document to store.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The tenant that it belongs to; empty without tenants.
    pub tenant: &'a str,
    /// The document itself.
    pub document: &'a Document,
    /// The version of the file that it was read from, by which a later run recognizes that nothing
    /// has changed.
    pub version: Option<&'a Version>,
}

/// The version of a document: what its chunks are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The hash of the file's bytes.
    pub content_hash: [u8; 32],
    /// The settings that its chunks depend on, as a text to compare.
    pub fingerprint: String,
}

/// A document of which some chunks are stored. No reader sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draft {
    id: i64,
}

impl Store {
    /// Stores `document` for `tenant` with all of its chunks, in place of its earlier version.
    pub async fn replace(
        &self,
        tenant: &str,
        document: &Document,
        embedded: &EmbeddedChunks,
    ) -> Result<Stored, StoreError> {
        self.publish(Entry { tenant, document, version: None }, None, embedded).await
    }

    /// Stores a part of a document's chunks, which no reader sees until the document is
    /// [published](Self::publish). The first part has no draft yet.
    pub async fn append(
        &self,
        entry: Entry<'_>,
        draft: Option<Draft>,
        embedded: &EmbeddedChunks,
    ) -> Result<Draft, StoreError> {
        self.writers.make(&self.pool, &Append { entry, draft, embedded }).await
    }

    /// Stores the last part of a document's chunks, or all of them if there is no draft, and
    /// publishes the document in place of its earlier version, in one transaction.
    pub async fn publish(
        &self,
        entry: Entry<'_>,
        draft: Option<Draft>,
        embedded: &EmbeddedChunks,
    ) -> Result<Stored, StoreError> {
        self.writers.make(&self.pool, &Publish(Append { entry, draft, embedded })).await
    }

    /// Removes a draft that will not be published. If that fails, a later run does it.
    pub async fn discard(&self, draft: Draft) {
        let _ = self.writers.make(&self.pool, &Discard(draft)).await;
    }

    /// Removes the documents of `tenant` at `paths`, in the form of [`path_text`]. Returns the
    /// number of documents removed.
    pub async fn remove(&self, tenant: &str, paths: &[String]) -> Result<u64, StoreError> {
        self.writers.make(&self.pool, &Remove { tenant, paths }).await
    }

    /// Removes the drafts that an interrupted run left behind. Those of the last hour may belong to
    /// a run of another program.
    pub(super) async fn remove_old_drafts(&self) -> Result<(), StoreError> {
        let old = "SELECT count(*) FROM documents WHERE tenant IS NULL AND stored_at < unixepoch() - 3600";
        let count: i64 = sqlx::query_scalar(old).fetch_one(&self.pool).await.map_err(StoreError::Read)?;
        if count > 0 {
            self.writers.make(&self.pool, &RemoveOldDrafts).await?;
        }
        Ok(())
    }
}

/// Adds chunks to a draft.
struct Append<'a> {
    entry: Entry<'a>,
    draft: Option<Draft>,
    embedded: &'a EmbeddedChunks,
}

impl Change for Append<'_> {
    type Outcome = Draft;

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<Draft, sqlx::Error> {
        let draft = match self.draft {
            Some(draft) => draft,
            None => begin(connection, self.entry).await?,
        };
        for chunk in &self.embedded.chunks {
            insert(connection, draft.id, chunk).await?;
        }
        sqlx::query("UPDATE documents SET chunks = chunks + ?, stored_at = unixepoch() WHERE id = ?")
            .bind(i64::try_from(self.embedded.chunks.len()).unwrap_or(i64::MAX))
            .bind(draft.id)
            .execute(connection)
            .await?;
        Ok(draft)
    }
}

/// Creates a draft, in place of one that an interrupted run left behind.
async fn begin(
    connection: &mut SqliteConnection,
    Entry { tenant, document, version }: Entry<'_>,
) -> Result<Draft, sqlx::Error> {
    let path = path_text(&document.path);
    sqlx::query("DELETE FROM documents WHERE tenant IS NULL AND path = ? AND draft_of = ?")
        .bind(path.as_ref())
        .bind(tenant)
        .execute(&mut *connection)
        .await?;
    let id = sqlx::query_scalar(
        "INSERT INTO documents (draft_of, path, name, format, bytes, pages, metadata, content_hash, fingerprint)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(tenant)
    .bind(path.as_ref())
    .bind(&document.name)
    .bind(document.format.name())
    .bind(i64::try_from(document.bytes).unwrap_or(i64::MAX))
    .bind(i64::try_from(document.pages()).unwrap_or(i64::MAX))
    .bind(serde_json::json!(document.metadata).to_string())
    .bind(version.map(|version| &version.content_hash[..]))
    .bind(version.map(|version| &version.fingerprint))
    .fetch_one(connection)
    .await?;
    Ok(Draft { id })
}

/// Adds the last chunks, and gives the draft its tenant.
struct Publish<'a>(Append<'a>);

impl Change for Publish<'_> {
    type Outcome = Stored;

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<Stored, sqlx::Error> {
        let Draft { id } = self.0.apply(&mut *connection).await?;
        let Entry { tenant, document, .. } = self.0.entry;
        let path = path_text(&document.path);
        let replaced: Option<i64> =
            sqlx::query_scalar("DELETE FROM documents WHERE tenant = ? AND path = ? RETURNING chunks")
                .bind(tenant)
                .bind(path.as_ref())
                .fetch_optional(&mut *connection)
                .await?;
        let chunks: i64 =
            sqlx::query_scalar("UPDATE documents SET tenant = draft_of, draft_of = NULL WHERE id = ? RETURNING chunks")
                .bind(id)
                .fetch_one(connection)
                .await?;
        let chunks = usize::try_from(chunks).unwrap_or_default();
        Ok(Stored { chunks, replaced: replaced.unwrap_or_default().unsigned_abs() })
    }
}

async fn insert(
    connection: &mut SqliteConnection,
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
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes documents.
struct Remove<'a> {
    tenant: &'a str,
    paths: &'a [String],
}

impl Change for Remove<'_> {
    type Outcome = u64;

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
        let mut removed = 0;
        for path in self.paths {
            let done = sqlx::query("DELETE FROM documents WHERE tenant = ? AND path = ?")
                .bind(self.tenant)
                .bind(path)
                .execute(&mut *connection)
                .await?;
            removed += done.rows_affected();
        }
        Ok(removed)
    }
}

/// Removes a draft.
struct Discard(Draft);

impl Change for Discard {
    type Outcome = ();

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let draft = "DELETE FROM documents WHERE id = ? AND tenant IS NULL";
        sqlx::query(draft).bind(self.0.id).execute(connection).await?;
        Ok(())
    }
}

struct RemoveOldDrafts;

impl Change for RemoveOldDrafts {
    type Outcome = ();

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let old = "DELETE FROM documents WHERE tenant IS NULL AND stored_at < unixepoch() - 3600";
        sqlx::query(old).execute(connection).await?;
        Ok(())
    }
}
