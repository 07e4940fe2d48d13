//! Searches the chunks by the words of a question and by its vector.
//!
//! Each way ranks the chunks for itself. Their ranks are then fused (reciprocal rank fusion), since
//! a rank of words and a cosine cannot be compared.

mod weights;
mod words;

use std::collections::HashMap;

use ragtrace::Item;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

pub use weights::{Form, Weighted};

use super::{Store, StoreError, blob};
use crate::chunk::chunk_id;
use crate::document::document_id;
use crate::question::Question;

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

/// The outcome of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The chunks, best first by both ways together.
    pub hits: Vec<Hit>,
    /// The words of the question, weighted by their rarity in the tenant's chunks.
    pub words: Vec<Weighted>,
}

/// The columns of a [`Hit`]. The first parameter is the vector.
const COLUMNS: &str = "documents.name, documents.path, chunks.position, chunks.text, chunks.headings, chunks.page,
    chunks.language, chunks.keywords, 1 - vec_distance_cosine(chunks.vector, ?1) AS score";

/// The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion
/// outperforms Condorcet and individual Rank Learning Methods", 2009).
const FUSION: f32 = 60.0;

impl Store {
    /// Returns the `top_k` chunks of `tenant` that fit `question` best, by its words and by its
    /// `vector`.
    pub async fn search(
        &self,
        tenant: &str,
        question: &Question,
        vector: &[f32],
        top_k: u32,
    ) -> Result<Found, StoreError> {
        let words = self.weigh(tenant, question).await?;
        let by_words = self.matching(tenant, &words, vector, top_k).await?;
        let by_vector = self.nearest(tenant, vector, top_k).await?;
        Ok(Found { hits: fused([by_words, by_vector], top_k), words })
    }

    /// Returns the `top_k` chunks of `tenant` whose vectors are nearest to `vector`, nearest first.
    pub async fn nearest(&self, tenant: &str, vector: &[f32], top_k: u32) -> Result<Vec<Hit>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM chunks JOIN documents ON documents.id = chunks.document_id
             WHERE tenant = ?2
             ORDER BY score DESC, path, position
             LIMIT ?3"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(blob(vector))
            .bind(tenant)
            .bind(top_k)
            .fetch_all(&self.pool)
            .await
            .map_err(StoreError::Read)?;
        hits(&rows)
    }
}

/// Returns each chunk once, by the sum of the reciprocals of its ranks.
fn fused(ways: [Vec<Hit>; 2], top_k: u32) -> Vec<Hit> {
    let mut found: HashMap<String, (f32, Hit)> = HashMap::new();
    for way in ways {
        for (rank, hit) in (1_u16..).zip(way) {
            let (sum, _) = found.entry(hit.id.clone()).or_insert((0.0, hit));
            *sum += 1.0 / (FUSION + f32::from(rank));
        }
    }
    let mut ranked: Vec<(f32, Hit)> = found.into_values().collect();
    ranked.sort_by(|(a, one), (b, other)| {
        b.total_cmp(a).then_with(|| (&one.path, one.position).cmp(&(&other.path, other.position)))
    });
    ranked.into_iter().map(|(_, hit)| hit).take(usize::try_from(top_k).unwrap_or(usize::MAX)).collect()
}

fn hits(rows: &[SqliteRow]) -> Result<Vec<Hit>, StoreError> {
    rows.iter().map(hit).collect::<Result<_, _>>().map_err(StoreError::Read)
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
