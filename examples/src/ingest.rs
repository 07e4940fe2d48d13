//! Ingests documents, stage by stage: from their files into the database.

mod error;
mod losses;

use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use futures_util::{FutureExt, StreamExt, stream};
use ragtrace::{Item, traced_stage};
use tokio::sync::Semaphore;

pub use error::{Incomplete, IngestError};

use crate::blocking;
use crate::changes::{Compared, compare, content_hash};
use crate::chunk::{Chunk, Chunking, chunk};
use crate::document::{Document, Format, Loss, LossKind, document_id, lossy_pages, path_text};
use crate::embed::{EmbeddedChunks, Embedder, embed_chunks};
use crate::enrich::{EnrichedChunk, Enricher};
use crate::parse::{Reading, parse};
use crate::source::Source;
use crate::store::{Draft, Entry, Known, Store, Stored, Version};

/// The largest number of chunks that are enriched, embedded and stored at once. Most documents have
/// fewer; a larger one is stored in parts, so that its vectors never are in memory all at once.
const PART: usize = 512;

/// The version of everything that makes chunks of a file, besides the settings. Raise it when a
/// reader, the cutting or the enrichment gives another result for the same file, so that documents
/// which were stored before are ingested again.
const MAKING: u32 = 1;

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
    /// `true` if a document is passed over that is stored already, with the same content and with
    /// the same settings.
    pub skip_unchanged: bool,
    /// The paths of stored documents to remove at the end, in the form of [`path_text`].
    pub gone: Vec<String>,
    /// Permits for documents being ingested, shared by several runs. Without them, a run has as
    /// many permits as jobs.
    pub places: Option<Arc<Semaphore>>,
}

impl<E> Ingestion<E> {
    /// Creates an ingestion of all documents, without tenants and without shared permits, with the
    /// default settings of reading.
    pub fn new(store: Store, embedder: E, chunking: Chunking) -> Self {
        Self {
            store,
            embedder,
            reading: Reading::default(),
            chunking,
            tenant: String::new(),
            skip_unchanged: false,
            gone: Vec::new(),
            places: None,
        }
    }
}

impl<E: Embedder> Ingestion<E> {
    /// Returns the settings that a document's chunks depend on: see [`fingerprint`].
    fn fingerprint(&self) -> String {
        fingerprint(&self.embedder, &self.reading, &self.chunking)
    }
}

/// Returns the settings that a document's chunks depend on, as a text to compare.
pub fn fingerprint<E: Embedder>(embedder: &E, reading: &Reading, chunking: &Chunking) -> String {
    let (engine, encoding) = (reading.pdf_engine, reading.encoding.map(String::from));
    let (size, unit, overlap) = (chunking.size(), chunking.unit().name(), chunking.overlap());
    let (model, dimensions) = (embedder.model(), embedder.dimensions());
    let encoding = encoding.as_deref().unwrap_or("any");
    format!(
        "making {MAKING}; {engine:?}; {encoding} encoding; chunks of {size} {unit} with {overlap} repeated; {model} of \
         {dimensions} dimensions"
    )
}

/// The outcome of a document that was ingested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingested {
    /// The document's id: see [`document_id`].
    pub document: String,
    /// `true` if nothing was done, since the same content is stored already.
    pub unchanged: bool,
    /// The numbers of chunks stored and replaced. The chunks of an unchanged document were stored
    /// by an earlier run.
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
    /// The number of documents passed over, since the same content is stored already.
    pub unchanged: usize,
    /// The number of stored documents removed, since they are gone.
    pub removed: u64,
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
    record(total_chunks: usize, failed: usize, unchanged: usize, removed: u64),
)]
pub async fn ingestion<E: Embedder>(
    shared: &Ingestion<E>,
    documents: Vec<Source>,
    jobs: usize,
    mut on_document: impl FnMut(&Source, &Result<Ingested, IngestError>),
) -> Result<Totals, Incomplete> {
    let mut totals = Totals::default();
    let mut documents = documents;
    if shared.skip_unchanged && shared.store.has_version(&shared.tenant, &shared.fingerprint()).await {
        let compared = change_detection(shared, documents.clone()).await;
        // If it fails, its record says why, and everything is ingested.
        if let Ok(Compared { changed, unchanged, .. }) = compared {
            documents = changed;
            totals.unchanged = unchanged.len();
            record!(unchanged = totals.unchanged);
            for (source, known) in unchanged {
                on_document(&source, &Ok(as_before(&source, &known)));
            }
        }
    }
    let outcomes = stream::iter(documents).map(|source| async move {
        // A document that triggers a bug in this pipeline must not end the others either.
        let outcome = AssertUnwindSafe(in_its_place(shared, &source)).catch_unwind().await;
        (source, outcome.unwrap_or(Err(IngestError::Panicked)))
    });
    let mut outcomes = pin!(outcomes.buffer_unordered(jobs));
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
    if !shared.gone.is_empty() {
        match document_removal(shared).await {
            Ok(removed) => totals.removed = removed,
            Err(error) => return Err(Incomplete { totals, removal: Some(error) }),
        }
        record!(removed = totals.removed);
    }
    if totals.failed > 0 { Err(Incomplete { totals, removal: None }) } else { Ok(totals) }
}

/// Finds the documents that are stored as they are. They have no stages of their own, since a run
/// over a large folder mostly consists of them.
#[traced_stage(
    fields(documents = documents.len()),
    ok(|compared| count = compared.unchanged.len(), changed = compared.changed.len(), bytes = compared.bytes),
)]
async fn change_detection<E: Embedder>(shared: &Ingestion<E>, documents: Vec<Source>) -> Result<Compared, IngestError> {
    let known = shared.store.known(&shared.tenant).await.map_err(IngestError::Store)?;
    Ok(compare(documents, known, shared.fingerprint()).await)
}

/// Returns the outcome of a document that is stored as it is.
fn as_before(source: &Source, known: &Known) -> Ingested {
    let path = source.known_path().unwrap_or_else(|| source.path.clone());
    Ingested {
        document: document_id(&path_text(&path)),
        unchanged: true,
        stored: Stored { chunks: known.chunks, replaced: 0 },
        pages: known.pages,
        losses: Vec::new(),
    }
}

/// Removes the stored documents that are gone.
#[traced_stage(
    kind = store,
    fields(input_count = shared.gone.len()),
    ok(|removed| count = *removed),
    used(document = shared.gone.iter().map(|path| document_id(path))),
)]
async fn document_removal<E: Embedder>(shared: &Ingestion<E>) -> Result<u64, IngestError> {
    shared.store.remove(&shared.tenant, &shared.gone).await.map_err(IngestError::Store)
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
    // This comes first: if the file changes while it is read, the next run will see it.
    let version = version(shared, source).await;
    let document = Arc::new(file_parsing(source, &shared.reading).await?);
    record!(pages = document.pages());
    let chunks = document_chunking(&document, &shared.chunking).await?;
    record!(chunks = chunks.len());
    let mut draft = None;
    let written = writing(shared, &document, version.as_ref(), chunks, &mut draft).await;
    if let (Err(_), Some(draft)) = (&written, draft) {
        shared.store.discard(draft).await;
    }
    let (stored, cut) = written?;
    let losses = document.losses.iter().cloned().chain(cut).collect();
    Ok(Ingested { document: document.id(), unchanged: false, stored, pages: document.pages(), losses })
}

/// Returns the version of a document before it is read, or `None` if it cannot be told.
async fn version<E: Embedder>(shared: &Ingestion<E>, source: &Source) -> Option<Version> {
    // The size of PDFs has the highest limit.
    let content_hash = content_hash(&source.path, shared.reading.max_bytes(Format::Pdf)).await?;
    Some(Version { content_hash, fingerprint: shared.fingerprint() })
}

/// Enriches, embeds and stores the chunks, part by part. Most documents have one part. Returns also
/// the chunks that are too long for the model.
async fn writing<E: Embedder>(
    shared: &Ingestion<E>,
    document: &Arc<Document>,
    version: Option<&Version>,
    chunks: Vec<Chunk>,
    draft: &mut Option<Draft>,
) -> Result<(Stored, Vec<Loss>), IngestError> {
    let entry = Entry { tenant: &shared.tenant, document, version };
    let chunks = Arc::new(chunks);
    let (mut enricher, mut cut) = (None, Vec::new());
    let mut start = 0;
    loop {
        let end = chunks.len().min(start + PART);
        let part = chunk_enrichment(document, &chunks, start..end, &mut enricher).await?;
        let part = chunk_embedding(&shared.embedder, part).await?;
        losses::warn(&document.name, &part.losses);
        cut.extend_from_slice(&part.losses);
        let StoredPart { stored, .. } = data_storage(&shared.store, entry, draft, &part, end == chunks.len()).await?;
        if end == chunks.len() {
            return Ok((stored, cut));
        }
        start = end;
    }
}

#[traced_stage(
    kind = parse,
    fields(doc = &*source.label(), format = source.format.map(Format::name)),
    ok(|document|
        count = 1,
        bytes = document.bytes,
        pages = document.pages(),
        unreadable_pages = lossy_pages(&document.losses).len(),
        unreadable_fonts = losses::count(&document.losses, LossKind::Font),
        unreadable_streams = losses::count(&document.losses, LossKind::Stream),
        undecodable_bytes = losses::count(&document.losses, LossKind::Bytes),
        unreadable_cells = losses::count(&document.losses, LossKind::Cells),
        unreadable_metadata = losses::count(&document.losses, LossKind::Metadata),
        pages_with_little_text = losses::count(&document.losses, LossKind::LittleText),
        unreadable = losses::list(&document.losses),
        chars = document.chars()),
    generated(|document| document = [Item::new(document.id()).source(&document.name)]),
)]
async fn file_parsing(source: &Source, reading: &Reading) -> Result<Document, IngestError> {
    let document = parse(source.clone(), reading).await.map_err(IngestError::Parse)?;
    losses::warn(&document.name, &document.losses);
    Ok(document)
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

/// Enriches a part of the chunks. The first part reads all of them for that.
#[traced_stage(
    kind = enrich,
    fields(doc = document.name, input_count = part.len()),
    ok(|chunks|
        avg_keywords = mean(chunks, |chunk| chunk.keywords.len()),
        with_language = chunks.iter().filter(|chunk| chunk.language.is_some()).count()),
    used(chunk = &chunks[part.clone()]),
)]
async fn chunk_enrichment(
    document: &Arc<Document>,
    chunks: &Arc<Vec<Chunk>>,
    part: Range<usize>,
    enricher: &mut Option<Enricher>,
) -> Result<Vec<EnrichedChunk>, IngestError> {
    let (document, chunks, earlier) = (Arc::clone(document), Arc::clone(chunks), enricher.take());
    let work = move || {
        let enricher = earlier.unwrap_or_else(|| Enricher::new(&document, &chunks));
        (enricher.enrich(chunks[part].to_vec()), enricher)
    };
    let (enriched, used) = blocking::run(work).await;
    *enricher = Some(used);
    Ok(enriched)
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

/// Stores a part of the chunks. No reader sees them before the last part is stored.
#[traced_stage(
    kind = store,
    fields(doc = entry.document.name, input_count = part.chunks.len()),
    ok(|part| count = part.chunks, replaced = part.stored.replaced),
    used(embedding = part.chunks.iter().map(|chunk| &chunk.enriched.chunk.id)),
)]
async fn data_storage(
    store: &Store,
    entry: Entry<'_>,
    draft: &mut Option<Draft>,
    part: &EmbeddedChunks,
    is_last: bool,
) -> Result<StoredPart, IngestError> {
    let chunks = part.chunks.len();
    if is_last {
        let stored = store.publish(entry, *draft, part).await.map_err(IngestError::Store)?;
        return Ok(StoredPart { chunks, stored });
    }
    *draft = Some(store.append(entry, *draft, part).await.map_err(IngestError::Store)?);
    Ok(StoredPart { chunks, stored: Stored { chunks: 0, replaced: 0 } })
}

/// The outcome of storing a part.
struct StoredPart {
    /// The number of chunks in the part.
    chunks: usize,
    /// The outcome of storing the document, after its last part.
    stored: Stored,
}

/// Returns the mean of the items' sizes, or 0 without items.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn mean<T>(items: &[T], size: impl Fn(&T) -> usize) -> f64 {
    items.iter().map(size).sum::<usize>() as f64 / items.len().max(1) as f64
}
