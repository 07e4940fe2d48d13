//! Tells which documents are stored, and in which version.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Store, StoreError, Version};

/// A document that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The size of its file in bytes.
    pub bytes: u64,
    /// The number of its pages; 1 for a format without pages.
    pub pages: usize,
    /// The number of its chunks.
    pub chunks: usize,
    /// The version of its file, or `None` if a program stored it that did not tell.
    pub version: Option<Version>,
}

impl Store {
    /// Returns `true` if the store has a document of `tenant` that was made with the settings of
    /// `fingerprint`.
    pub async fn has_version(&self, tenant: &str, fingerprint: &str) -> bool {
        let found = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM documents WHERE tenant = ? AND fingerprint = ?)")
            .bind(tenant)
            .bind(fingerprint)
            .fetch_one(&self.pool)
            .await;
        found.unwrap_or(false)
    }

    /// Returns the documents of `tenant`, by their paths in the form of
    /// [`path_text`](crate::document::path_text).
    pub async fn known(&self, tenant: &str) -> Result<BTreeMap<String, Known>, StoreError> {
        let rows =
            sqlx::query("SELECT path, bytes, pages, chunks, content_hash, fingerprint FROM documents WHERE tenant = ?")
                .bind(tenant)
                .fetch_all(&self.pool)
                .await
                .map_err(StoreError::Read)?;
        rows.iter().map(known).collect::<Result<_, _>>().map_err(StoreError::Read)
    }
}

fn known(row: &SqliteRow) -> Result<(String, Known), sqlx::Error> {
    let number = |column: &str| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
    let count = |column: &str| number(column).map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    let content_hash = row.try_get::<Option<&[u8]>, _>("content_hash")?.and_then(|hash| hash.try_into().ok());
    let fingerprint: Option<String> = row.try_get("fingerprint")?;
    let version =
        content_hash.zip(fingerprint).map(|(content_hash, fingerprint)| Version { content_hash, fingerprint });
    let known = Known { bytes: number("bytes")?, pages: count("pages")?, chunks: count("chunks")?, version };
    Ok((row.try_get("path")?, known))
}
