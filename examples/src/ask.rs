//! Answers a question, stage by stage: from its words to an answer with sources.

use std::error::Error;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt, stream};
use ragtrace::{ToValue, traced_stage};

use crate::answer::{MODEL, NOTIONAL_PRICE, messages, opening, quotes};
use crate::embed::{EmbedError, Embedder, Similarity, Vector, embed_question};
use crate::normalize::normalize;
use crate::question::Question;
use crate::rerank::{self, MIN_SCORE, Passage};
use crate::store::{Found, Store, StoreError, Weighted};
use crate::words::count_tokens;

/// The library that answers questions: the documents, an embedding model, and settings.
#[derive(Debug, Clone)]
pub struct Library<E> {
    /// The documents.
    pub store: Store,
    /// The model that embeds the question. It has to be the one that embedded the documents.
    pub embedder: E,
    /// The tenant whose documents are searched; empty without tenants.
    pub tenant: String,
    /// The number of chunks that the search returns.
    pub top_k: u32,
    /// The number of chunks that the answer is taken from.
    pub passages: usize,
    /// The least score, from 0 to 1, of a chunk that answers a question.
    pub min_score: f32,
    /// `true` if the stage logs may contain the text of the question and of the answer.
    pub log_question: bool,
}

impl<E> Library<E> {
    /// Creates a library without tenants, with the usual settings of a search.
    pub fn new(store: Store, embedder: E) -> Self {
        Self {
            store,
            embedder,
            tenant: String::new(),
            top_k: 24,
            passages: 4,
            min_score: MIN_SCORE,
            log_question: false,
        }
    }
}

/// A part of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Part<'a> {
    /// The passages that the answer is taken from, in the order of their numbers. They come once,
    /// before any sentence.
    Passages(&'a [Passage]),
    /// A sentence of the answer.
    Sentence(String),
}

/// Answers the question `text`. Hands over each part as soon as it is there, and returns the
/// passages that the sentences came from, in the order of their numbers.
#[traced_stage(
    kind = pipeline,
    fields(chars = text.chars().count(), query = library.log_question.then_some(text)),
    generated(|passages| chunk = passages),
    record(sentences: usize, output: &str),
)]
pub async fn question<E: Embedder>(
    library: &Library<E>,
    text: &str,
    mut on_part: impl FnMut(Part<'_>),
) -> Result<Vec<Passage>, AskError> {
    // As the documents are, so that its words are found in them.
    let normalized = normalize(text);
    let text = normalized.as_ref();
    let vector = query_embedding(&library.embedder, text).await?;
    let asked = Arc::new(Question::new(text));
    let found = retrieval(library, &asked, &vector).await?;
    let words = Arc::new(found.words.clone());
    let mut passages = rerank(&asked, found, Ranking::of(library)).await?;
    passages.retain(|passage| passage.score >= library.min_score);
    on_part(Part::Passages(&passages));
    let mut sentences = pin!(answer(&asked, words, &passages, library.log_question));
    let (mut said, mut whole) = (0, String::new());
    while let Some(sentence) = sentences.next().await {
        let sentence = sentence?;
        said += 1;
        record!(sentences = said);
        whole = whole + &sentence + "\n";
        on_part(Part::Sentence(sentence));
    }
    if library.log_question {
        record!(output = whole.trim_end());
    }
    Ok(passages)
}

#[traced_stage(
    kind = embed,
    fields(model = embedder.model(), dimensions = embedder.dimensions()),
    ok(|_| count = 1),
    record(input_tokens: u64, cost_usd: f64, requests: u32, retries: u32),
    err(|error| requests = error.requests()),
)]
async fn query_embedding<E: Embedder>(embedder: &E, text: &str) -> Result<Vector, AskError> {
    if text.trim().is_empty() {
        return Err(AskError::NoQuestion);
    }
    let asked = embed_question(embedder, text).await.map_err(AskError::Embed)?;
    record!(input_tokens = asked.tokens, cost_usd = asked.cost_usd);
    record!(requests = asked.requests, retries = asked.retries);
    Ok(asked.vector)
}

#[traced_stage(
    kind = retrieve,
    fields(top_k = library.top_k, query = library.log_question.then_some(&*asked.text)),
    ok(|found| count = found.hits.len(), score = found.hits.iter().map(|hit| hit.score).reduce(f32::max)),
    generated(|found| chunk = &found.hits),
)]
async fn retrieval<E>(library: &Library<E>, asked: &Question, vector: &Vector) -> Result<Found, AskError> {
    let found = library.store.search(&library.tenant, asked, vector, library.top_k).await.map_err(AskError::Store)?;
    if found.hits.is_empty() { Err(AskError::NoDocuments) } else { Ok(found) }
}

/// The settings of reranking.
#[derive(Debug, Clone, Copy)]
struct Ranking {
    similarity: Similarity,
    keep: usize,
    log_question: bool,
}

impl Ranking {
    fn of<E: Embedder>(library: &Library<E>) -> Self {
        let Library { embedder, passages, log_question, .. } = library;
        Self { similarity: embedder.similarity(), keep: *passages, log_question: *log_question }
    }
}

/// Chooses the passages. Their score is absolute: it tells whether they answer the question at all.
#[traced_stage(
    kind = rerank,
    fields(
        input_count = found.hits.len(),
        keep = ranking.keep,
        query = ranking.log_question.then_some(&*asked.text),
    ),
    used(chunk = found.hits.iter().map(|hit| &hit.id)),
    ok(|passages| score = passages.first().map(|best| best.score)),
    generated(|passages| chunk = passages),
)]
async fn rerank(asked: &Arc<Question>, found: Found, ranking: Ranking) -> Result<Vec<Passage>, AskError> {
    let asked = Arc::clone(asked);
    let Ranking { similarity, keep, .. } = ranking;
    Ok(crate::blocking::run(move || rerank::rerank(&asked, found, similarity, keep)).await)
}

/// Composes the answer. Its cost is a notional one, see [`NOTIONAL_PRICE`].
#[traced_stage(
    kind = generate,
    fields(
        input_count = passages.len(),
        model = MODEL,
        provider = "local",
        input = log_question.then(|| ragtrace::json(&messages(&asked.text, passages)).to_value()),
    ),
    used(chunk = passages.iter().map(|passage| &passage.hit.id)),
    record(input_tokens: usize, output_tokens: usize, cost_usd: f64, output: &str),
)]
fn answer(
    asked: &Arc<Question>,
    words: Arc<Vec<Weighted>>,
    passages: &[Passage],
    log_question: bool,
) -> impl Stream<Item = Result<String, AskError>> + use<> {
    let input_tokens = messages(&asked.text, passages).iter().map(|message| count_tokens(&message.content)).sum();
    let (asked, passages) = (Arc::clone(asked), passages.to_vec());
    let quotes = crate::blocking::run(move || {
        let quotes = quotes(&asked, &words, &passages);
        if quotes.is_empty() { opening(&passages).into_iter().collect() } else { quotes }
    });
    stream::once(quotes).flat_map(move |quotes| {
        let nothing = quotes.is_empty().then_some(Err(AskError::NoAnswer));
        let sentences = quotes.into_iter().map(|quote| format!("{} [{}]", quote.sentence, quote.passage));
        let sentences: Vec<String> = sentences.collect();
        let output_tokens = sentences.iter().map(|sentence| count_tokens(sentence)).sum();
        let cost_usd = NOTIONAL_PRICE.of(input_tokens, output_tokens);
        record!(input_tokens = input_tokens, output_tokens = output_tokens, cost_usd = cost_usd);
        if log_question {
            record!(output = &sentences.join("\n"));
        }
        stream::iter(nothing.into_iter().chain(sentences.into_iter().map(Ok)))
    })
}

/// The reason why a question has no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum AskError {
    /// The question is empty.
    NoQuestion,
    /// The question could not be embedded.
    Embed(EmbedError),
    /// The database could not be searched.
    Store(StoreError),
    /// There are no documents to search.
    NoDocuments,
    /// Nothing that was found is about the question.
    NoAnswer,
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoQuestion => "the question is empty; ask one in a few words",
            Self::Embed(_) => "embedding the question failed",
            Self::Store(_) => "searching failed",
            Self::NoDocuments => "there are no documents of this tenant; run the ingest example first",
            Self::NoAnswer => "nothing in the documents answers this; ask in other words, or ingest more documents",
        })
    }
}

impl AskError {
    /// Returns the number of requests to the embedding model after which it was given up.
    fn requests(&self) -> Option<u32> {
        if let Self::Embed(error) = self { Some(error.requests()) } else { None }
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
