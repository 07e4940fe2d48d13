//! Finds chunks by words, in the full-text index. Scripts without spaces are not cut into words
//! there, so their terms are looked for in the texts themselves.

use std::fmt::Write as _;

use sqlx::sqlite::SqliteRow;

use super::{COLUMNS, Hit, Weighted, hits};
use crate::store::{Store, StoreError, blob};

impl Store {
    /// Returns the `top_k` chunks of `tenant` that contain most of the words, best first (BM25).
    pub(super) async fn matching(
        &self,
        tenant: &str,
        words: &[Weighted],
        vector: &[f32],
        top_k: u32,
    ) -> Result<Vec<Hit>, StoreError> {
        let (unspaced, spaced): (Vec<&Weighted>, Vec<&Weighted>) = words.iter().partition(|word| word.is_unspaced);
        let mut found = Vec::new();
        if let Some(expression) = any_of(&spaced) {
            found = hits(&self.in_index(tenant, &expression, vector, top_k).await?)?;
        }
        if !unspaced.is_empty() {
            let rows = self.in_texts(tenant, &unspaced, vector, top_k).await?;
            // Those that contain the most come first, also before what the index found.
            found.splice(0..0, hits(&rows)?);
        }
        Ok(found)
    }

    async fn in_index(
        &self,
        tenant: &str,
        expression: &str,
        vector: &[f32],
        top_k: u32,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM chunks_text
             JOIN chunks ON chunks.id = chunks_text.rowid JOIN documents ON documents.id = chunks.document_id
             WHERE chunks_text MATCH ?2 AND tenant = ?3
             ORDER BY bm25(chunks_text, 1.0, 2.0), path, position
             LIMIT ?4"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(blob(vector))
            .bind(expression)
            .bind(tenant)
            .bind(top_k)
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::Read)
    }

    async fn in_texts(
        &self,
        tenant: &str,
        words: &[&Weighted],
        vector: &[f32],
        top_k: u32,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let mut sum = String::from("0");
        for number in 0..words.len() {
            let _ = write!(sum, " + (instr(chunks.text || chunks.headings, ?{}) > 0)", number + 4);
        }
        let sql = format!(
            "SELECT {COLUMNS}, {sum} AS contained
             FROM chunks JOIN documents ON documents.id = chunks.document_id
             WHERE tenant = ?2 AND contained > 0
             ORDER BY contained DESC, score DESC, path, position
             LIMIT ?3"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(blob(vector)).bind(tenant).bind(top_k);
        let query = words.iter().fold(query, |query, word| query.bind(&word.term));
        query.fetch_all(&self.pool).await.map_err(StoreError::Read)
    }

    /// Returns the number of chunks of `tenant` that match an expression, or `most` if it is less.
    pub(super) async fn count_matching(&self, tenant: &str, expression: &str, most: i64) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM (
                SELECT 1 FROM chunks_text
                JOIN chunks ON chunks.id = chunks_text.rowid JOIN documents ON documents.id = chunks.document_id
                WHERE chunks_text MATCH ? AND tenant = ? LIMIT ?)";
        sqlx::query_scalar(sql)
            .bind(expression)
            .bind(tenant)
            .bind(most)
            .fetch_one(&self.pool)
            .await
            .map_err(StoreError::Read)
    }

    /// Returns the number of chunks of `tenant` whose text contains `part`.
    pub(super) async fn count_containing(&self, tenant: &str, part: &str) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM chunks JOIN documents ON documents.id = chunks.document_id
             WHERE tenant = ? AND instr(chunks.text || chunks.headings, ?) > 0";
        sqlx::query_scalar(sql).bind(tenant).bind(part).fetch_one(&self.pool).await.map_err(StoreError::Read)
    }
}

/// Returns the expression of the index for any of the words, or `None` without words.
fn any_of(words: &[&Weighted]) -> Option<String> {
    let expressions: Vec<String> = words.iter().flat_map(|word| &word.expressions).cloned().collect();
    (!expressions.is_empty()).then(|| expressions.join(" OR "))
}

/// Returns the expression of the index for words that begin with `prefix`. In quotation marks,
/// nothing in it is an operator ("FTS5 Strings" in the documentation of `SQLite`).
pub(super) fn beginning_with(prefix: &str) -> String {
    format!("\"{}\" *", prefix.replace('"', "\"\""))
}

/// Returns the expression of the index for a word itself.
pub(super) fn exactly(word: &str) -> String {
    format!("\"{}\"", word.replace('"', "\"\""))
}
