//! Ingests documents, stage by stage: from their files into the database.

use std::error::Error;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use futures_util::{FutureExt, StreamExt, stream};
use ragtrace::{Item, traced_stage};
use tokio::sync::Semaphore;

use crate::blocking;
use crate::chunk::{Chunk, Chunking, chunk};
use crate::document::{Document, Format, Loss, lossy_pages};
use crate::embed::{EmbedError, EmbeddedChunks, Embedder, embed_chunks};
use crate::enrich::{EnrichedChunk, enrich};
use crate::parse::{ParseError, Reading, parse};
use crate::source::Source;
use crate::store::{Store, StoreError, Stored};

/// The settings of an ingestion, with the database and an embedding model.
#[derive(Debug, Clone)]
pub struct Ingestion<E> {
    /// The database for documents.
    pub store: Store,
    /// The model that embeds the chunks.
    pub embedder: E,
    /// The settings of reading.
    pub reading: Reading,
    /// The settings of cutting.
    pub chunking: Chunking,
    /// The tenant that the documents belong to; empty without tenants.
    pub tenant: String,
    /// Permits for documents being ingested, shared by several runs. Without them, a run has as
    /// many permits as jobs.
    pub places: Option<Arc<Semaphore>>,
}

impl<E> Ingestion<E> {
    /// Creates an ingestion without tenants and without shared permits, with the default settings
    /// of reading.
    pub fn new(store: Store, embedder: E, chunking: Chunking) -> Self {
        Self { store, embedder, reading: Reading::default(), chunking, tenant: String::new(), places: None }
    }
}

/// The outcome of a document that was ingested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingested {
    /// The document's id: see [`document_id`](crate::document::document_id).
    pub document: String,
    /// The numbers of chunks stored and replaced.
    pub stored: Stored,
    /// The number of pages; 1 for a format without pages.
    pub pages: usize,
    /// The parts that could not be read, in the order of the pages.
    pub losses: Vec<Loss>,
}

/// The totals of a run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// The number of documents stored.
    pub ingested: usize,
    /// The number of documents that failed.
    pub failed: usize,
    /// The number of chunks stored.
    pub chunks: usize,
}

/// Ingests `documents`, `jobs` of them at once. `on_document` is called for each as soon as it is
/// done. A document that fails does not end the others, but makes the run fail.
///
/// If runs share their permits, each document waits in line for one. So a large run holds up a
/// small one for no longer than a document takes.
#[traced_stage(
    kind = pipeline,
    fields(documents = documents.len(), jobs),
    ok(|totals| count = totals.ingested),
    err(|error| count = error.totals.ingested),
    record(total_chunks: usize, failed: usize),
)]
pub async fn ingestion<E: Embedder>(
    shared: &Ingestion<E>,
    documents: Vec<Source>,
    jobs: usize,
    mut on_document: impl FnMut(&Source, &Result<Ingested, IngestError>),
) -> Result<Totals, Incomplete> {
    let outcomes = stream::iter(documents).map(|source| async move {
        // A document that triggers a bug in this pipeline must not end the others either.
        let outcome = AssertUnwindSafe(in_its_place(shared, &source)).catch_unwind().await;
        (source, outcome.unwrap_or(Err(IngestError::Panicked)))
    });
    let mut outcomes = pin!(outcomes.buffer_unordered(jobs));
    let mut totals = Totals::default();
    record!(total_chunks = 0, failed = 0);
    while let Some((source, outcome)) = outcomes.next().await {
        // This is recorded at once, so that an interrupted run has it too.
        if let Ok(ingested) = &outcome {
            totals.ingested += 1;
            totals.chunks += ingested.stored.chunks;
            record!(total_chunks = totals.chunks);
        } else {
            totals.failed += 1;
            record!(failed = totals.failed);
        }
        on_document(&source, &outcome);
    }
    if totals.failed > 0 { Err(Incomplete { totals }) } else { Ok(totals) }
}

/// Ingests the document once it has a permit.
async fn in_its_place<E: Embedder>(shared: &Ingestion<E>, source: &Source) -> Result<Ingested, IngestError> {
    let Some(places) = &shared.places else { return document_ingestion(shared, source).await };
    // The semaphore is never closed.
    let place = Arc::clone(places).acquire_owned().await.map_err(|_| IngestError::Panicked)?;
    blocking::holding(place, document_ingestion(shared, source)).await
}

/// Ingests one document.
#[traced_stage(
    kind = pipeline,
    fields(doc = &*source.label(), file = source.index),
    ok(|ingested| count = ingested.stored.chunks),
    record(pages: usize, chunks: usize),
)]
pub async fn document_ingestion<E: Embedder>(shared: &Ingestion<E>, source: &Source) -> Result<Ingested, IngestError> {
    let document = Arc::new(file_parsing(source, &shared.reading).await?);
    record!(pages = document.pages());
    let chunks = document_chunking(&document, &shared.chunking).await?;
    record!(chunks = chunks.len());
    let chunks = chunk_enrichment(&document, chunks).await?;
    let chunks = chunk_embedding(&shared.embedder, chunks).await?;
    let stored = data_storage(shared, &document, &chunks).await?;
    let losses = document.losses.clone();
    Ok(Ingested { document: document.id(), stored, pages: document.pages(), losses })
}

#[traced_stage(
    kind = parse,
    fields(doc = &*source.label(), format = source.format.map(Format::name)),
    ok(|document|
        count = 1,
        bytes = document.bytes,
        pages = document.pages(),
        unreadable_pages = lossy_pages(&document.losses).len(),
        unreadable = list(&document.losses),
        chars = document.chars()),
    generated(|document| document = [Item::new(document.id()).source(&document.name)]),
)]
async fn file_parsing(source: &Source, reading: &Reading) -> Result<Document, IngestError> {
    parse(source.clone(), reading).await.map_err(IngestError::Parse)
}

#[traced_stage(
    kind = chunk,
    fields(doc = document.name, max_size = chunking.size(), unit = chunking.unit().name(), overlap = chunking.overlap()),
    ok(|chunks|
        avg_chunk_size = mean(chunks, |chunk| chunk.text.chars().count()),
        avg_tokens = mean(chunks, |chunk| chunk.tokens)),
    used(document = [document.id()]),
    generated(|chunks| chunk = chunks),
)]
async fn document_chunking(document: &Arc<Document>, chunking: &Chunking) -> Result<Vec<Chunk>, IngestError> {
    let (document, chunking) = (Arc::clone(document), *chunking);
    Ok(blocking::run(move || chunk(&document, &chunking)).await)
}

#[traced_stage(
    kind = enrich,
    fields(doc = document.name, input_count = chunks.len()),
    ok(|chunks|
        avg_keywords = mean(chunks, |chunk| chunk.keywords.len()),
        with_language = chunks.iter().filter(|chunk| chunk.language.is_some()).count()),
    used(chunk = &chunks),
)]
async fn chunk_enrichment(document: &Arc<Document>, chunks: Vec<Chunk>) -> Result<Vec<EnrichedChunk>, IngestError> {
    let document = Arc::clone(document);
    Ok(blocking::run(move || enrich(&document, chunks)).await)
}

#[traced_stage(
    kind = embed,
    fields(model = embedder.model(), dimensions = embedder.dimensions(), input_count = chunks.len()),
    ok(|vectors|
        count = vectors.chunks.len(),
        cost_usd = vectors.cost_usd,
        input_tokens = vectors.tokens,
        requests = vectors.requests,
        retries = vectors.retries,
        cut_chunks = vectors.losses.len()),
    err(|error| requests = error.requests()),
    used(chunk = &chunks),
    generated(|vectors| embedding = &vectors.chunks),
)]
async fn chunk_embedding<E: Embedder>(embedder: &E, chunks: Vec<EnrichedChunk>) -> Result<EmbeddedChunks, IngestError> {
    embed_chunks(embedder, chunks).await.map_err(IngestError::Embed)
}

#[traced_stage(
    kind = store,
    fields(doc = document.name, input_count = chunks.chunks.len()),
    ok(|stored| count = stored.chunks, replaced = stored.replaced),
    used(embedding = chunks.chunks.iter().map(|chunk| &chunk.enriched.chunk.id)),
)]
async fn data_storage<E>(
    shared: &Ingestion<E>,
    document: &Document,
    chunks: &EmbeddedChunks,
) -> Result<Stored, IngestError> {
    shared.store.replace(&shared.tenant, document, chunks).await.map_err(IngestError::Store)
}

/// Returns the losses as one text for a record, or `None` if there are none.
fn list(losses: &[Loss]) -> Option<String> {
    let listed = losses.iter().map(Loss::to_string).collect::<Vec<_>>().join("; ");
    (!listed.is_empty()).then_some(listed)
}

/// Returns the mean of the items' sizes, or 0 without items.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn mean<T>(items: &[T], size: impl Fn(&T) -> usize) -> f64 {
    items.iter().map(size).sum::<usize>() as f64 / items.len().max(1) as f64
}

/// The error of a run in which some documents failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incomplete {
    /// The totals of the run.
    pub totals: Totals,
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals { ingested, failed, .. } = self.totals;
        write!(f, "{failed} of {} documents were not ingested; their own errors say why", ingested + failed)
    }
}

impl Error for Incomplete {}

/// The reason why a document was not ingested. Nothing of it was stored then.
#[derive(Debug)]
#[non_exhaustive]
pub enum IngestError {
    /// The file could not be read.
    Parse(ParseError),
    /// The chunks could not be embedded.
    Embed(EmbedError),
    /// The chunks could not be stored.
    Store(StoreError),
    /// A stage panicked, because of a bug in this pipeline.
    Panicked,
}

impl fmt::Display for IngestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parse(_) => "parsing failed",
            Self::Embed(_) => "embedding failed",
            Self::Store(_) => "storing failed",
            Self::Panicked => "the pipeline panicked; please report this",
        })
    }
}

impl IngestError {
    /// Returns the number of requests to the embedding model after which it was given up.
    fn requests(&self) -> Option<u32> {
        if let Self::Embed(error) = self { Some(error.requests()) } else { None }
    }
}

impl Error for IngestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Parse(cause) => Some(cause),
            Self::Embed(cause) => Some(cause),
            Self::Store(cause) => Some(cause),
            Self::Panicked => None,
        }
    }
}
