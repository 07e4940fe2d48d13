//! The reading half: a question from its words to an answer with sources, stage by stage.

use std::error::Error;
use std::fmt;
use std::pin::pin;

use futures_util::{Stream, StreamExt, stream};
use ragtrace::traced_stage;

use crate::answer::quotes;
use crate::embed::{EmbedError, Embedder, Vector};
use crate::rerank::{self, Passage};
use crate::store::{Hit, Store, StoreError};

/// What every question needs.
#[derive(Debug, Clone)]
pub struct Library<E> {
    /// Where the documents are.
    pub store: Store,
    /// What embeds the question: the model that embedded the documents.
    pub embedder: E,
    /// Whose documents may be looked at; empty for nobody's in particular.
    pub tenant: String,
    /// How many chunks the search brings.
    pub top_k: u32,
    /// How many of them the answer is drawn from.
    pub passages: usize,
    /// Whether the stage logs may hold the words of the question.
    pub log_question: bool,
}

/// Answers the question `text`: hands over each sentence as soon as it is there, and returns the passages they came
/// from, in the order of their numbers.
#[traced_stage(
    kind = pipeline,
    fields(chars = text.chars().count(), query = library.log_question.then_some(text)),
    record(sentences: usize),
)]
pub async fn question<E: Embedder>(
    library: &Library<E>,
    text: &str,
    mut on_sentence: impl FnMut(String),
) -> Result<Vec<Passage>, AskError> {
    let vector = query_embedding(&library.embedder, text).await?;
    let hits = retrieval(library, &vector).await?;
    let passages = rerank(text, hits, library.passages).await?;
    let mut sentences = pin!(answer(text, &passages));
    let mut said = 0;
    while let Some(sentence) = sentences.next().await {
        on_sentence(sentence?);
        said += 1;
        record!(sentences = said);
    }
    Ok(passages)
}

#[traced_stage(
    kind = embed,
    fields(model = embedder.model(), dimensions = embedder.dimensions()),
    ok(|_| count = 1),
    record(input_tokens: u64, cost_usd: f64),
)]
async fn query_embedding<E: Embedder>(embedder: &E, text: &str) -> Result<Vector, AskError> {
    if text.trim().is_empty() {
        return Err(AskError::NoQuestion);
    }
    let embeddings = embedder.embed(vec![text.to_owned()]).await.map_err(AskError::Embed)?;
    record!(input_tokens = embeddings.tokens, cost_usd = embeddings.cost_usd);
    embeddings
        .vectors
        .into_iter()
        .next()
        .ok_or_else(|| AskError::Embed(EmbedError::new("the model gave no vector; try again")))
}

#[traced_stage(
    kind = retrieve,
    fields(top_k = library.top_k),
    ok(|hits| score = hits.first().map(|best| best.score)),
)]
async fn retrieval<E>(library: &Library<E>, vector: &Vector) -> Result<Vec<Hit>, AskError> {
    let hits = library.store.nearest(&library.tenant, vector, library.top_k).await.map_err(AskError::Store)?;
    if hits.is_empty() { Err(AskError::NoDocuments) } else { Ok(hits) }
}

#[traced_stage(
    kind = rerank,
    fields(input_count = hits.len(), keep),
    ok(|passages| score = passages.first().map(|best| best.score)),
)]
async fn rerank(text: &str, hits: Vec<Hit>, keep: usize) -> Result<Vec<Passage>, AskError> {
    let text = text.to_owned();
    Ok(crate::blocking::run(move || rerank::rerank(&text, hits, keep)).await)
}

#[traced_stage(kind = generate, fields(input_count = passages.len()))]
fn answer(text: &str, passages: &[Passage]) -> impl Stream<Item = Result<String, AskError>> + use<> {
    let (text, passages) = (text.to_owned(), passages.to_vec());
    let quotes = crate::blocking::run(move || quotes(&text, &passages));
    stream::once(quotes).flat_map(|quotes| {
        let nothing = quotes.is_empty().then_some(Err(AskError::NoAnswer));
        let sentences = quotes.into_iter().map(|quote| Ok(format!("{} [{}]", quote.sentence, quote.passage)));
        stream::iter(nothing.into_iter().chain(sentences))
    })
}

/// Why a question has no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum AskError {
    /// The question is empty.
    NoQuestion,
    /// The question could not be embedded.
    Embed(EmbedError),
    /// The database could not be searched.
    Store(StoreError),
    /// There is nothing to search.
    NoDocuments,
    /// Nothing that was found says anything about the question.
    NoAnswer,
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoQuestion => "the question is empty; ask one in a few words",
            Self::Embed(_) => "embedding the question failed",
            Self::Store(_) => "searching failed",
            Self::NoDocuments => "there are no documents of this tenant; run the ingest example first",
            Self::NoAnswer => "the documents say nothing about this; ask in other words or ingest more",
        })
    }
}

impl Error for AskError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Embed(cause) => Some(cause),
            Self::Store(cause) => Some(cause),
            Self::NoQuestion | Self::NoDocuments | Self::NoAnswer => None,
        }
    }
}
