//! Searches the chunks.

use ragtrace::Item;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Store, StoreError, blob};
use crate::chunk::chunk_id;
use crate::document::document_id;

/// A chunk that a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The chunk's id: see [`chunk_id`].
    pub id: String,
    /// The name of its document.
    pub name: String,
    /// The path of its document.
    pub path: String,
    /// The position in the document, counted from 0.
    pub position: i64,
    /// The text of the chunk.
    pub text: String,
    /// The headings above the chunk, outermost first.
    pub headings: Vec<String>,
    /// The page on which the chunk begins, if the format has pages.
    pub page: Option<u32>,
    /// The language of the chunk, if it was recognized.
    pub language: Option<String>,
    /// The chunk's keywords.
    pub keywords: Vec<String>,
    /// The similarity to the question, as the cosine of the vectors, at most 1.
    pub score: f32,
}

impl<'a> From<&'a Hit> for Item<'a> {
    fn from(hit: &'a Hit) -> Self {
        Self::new(&hit.id)
            .score(hit.score.into())
            .content(&hit.text)
            .source(&hit.name)
            .derived_from(document_id(&hit.path))
    }
}

impl Store {
    /// Returns the `top_k` chunks of `tenant` whose vectors are nearest to `vector`, nearest first.
    pub async fn nearest(&self, tenant: &str, vector: &[f32], top_k: u32) -> Result<Vec<Hit>, StoreError> {
        let rows = sqlx::query(
            "SELECT name, path, position, text, headings, page, language, keywords,
                    1 - vec_distance_cosine(vector, ?1) AS score
             FROM chunks JOIN documents ON documents.id = chunks.document_id
             WHERE tenant = ?2
             ORDER BY score DESC, path, position
             LIMIT ?3",
        )
        .bind(blob(vector))
        .bind(tenant)
        .bind(top_k)
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::Read)?;
        rows.iter().map(hit).collect::<Result<_, _>>().map_err(StoreError::Read)
    }
}

fn hit(row: &SqliteRow) -> Result<Hit, sqlx::Error> {
    let list = |column: &str| -> Result<Vec<String>, sqlx::Error> {
        let json: String = row.try_get(column)?;
        serde_json::from_str(&json).map_err(|error| sqlx::Error::Decode(error.into()))
    };
    let (path, position): (String, i64) = (row.try_get("path")?, row.try_get("position")?);
    Ok(Hit {
        id: chunk_id(&document_id(&path), position),
        name: row.try_get("name")?,
        path,
        position,
        text: row.try_get("text")?,
        headings: list("headings")?,
        page: row.try_get("page")?,
        language: row.try_get("language")?,
        keywords: list("keywords")?,
        // A vector of zeros has no direction, so its chunk is similar to nothing.
        score: row.try_get::<Option<f32>, _>("score")?.unwrap_or(0.0),
    })
}
