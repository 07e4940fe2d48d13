//! The writing half: a document from its file into the database, stage by stage.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::blocking;
use crate::chunk::{Chunk, Chunking, chunk};
use crate::document::Document;
use crate::embed::{EmbedError, EmbeddedChunks, Embedder, embed_chunks};
use crate::enrich::{EnrichedChunk, enrich};
use crate::parse::{ParseError, parse};
use crate::store::{Store, StoreError, Stored};

/// What every ingestion needs.
#[derive(Debug, Clone)]
pub struct Ingestion<E> {
    /// Where documents go.
    pub store: Store,
    /// What embeds them.
    pub embedder: E,
    /// How they are cut.
    pub chunking: Chunking,
    /// Whose they are; empty for nobody's in particular.
    pub tenant: String,
}

/// What became of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingested {
    /// What was stored.
    pub stored: Stored,
    /// Numbers of the pages that could not be read, counted from 1.
    pub unreadable_pages: Vec<u32>,
}

/// Ingests the document at `path`.
pub async fn ingestion<E: Embedder>(ingestion: &Ingestion<E>, path: &Path) -> Result<Ingested, IngestError> {
    let document = Arc::new(file_parsing(path).await?);
    let chunks = document_chunking(&document, &ingestion.chunking).await?;
    let chunks = chunk_enrichment(&document, chunks).await?;
    let chunks = chunk_embedding(&ingestion.embedder, chunks).await?;
    let stored = data_storage(ingestion, &document, &chunks).await?;
    Ok(Ingested { stored, unreadable_pages: document.unreadable_pages.clone() })
}

async fn file_parsing(path: &Path) -> Result<Document, IngestError> {
    parse(path).await.map_err(IngestError::Parse)
}

async fn document_chunking(document: &Arc<Document>, chunking: &Chunking) -> Result<Vec<Chunk>, IngestError> {
    let (document, chunking) = (Arc::clone(document), *chunking);
    Ok(blocking::run(move || chunk(&document, &chunking)).await)
}

async fn chunk_enrichment(document: &Arc<Document>, chunks: Vec<Chunk>) -> Result<Vec<EnrichedChunk>, IngestError> {
    let document = Arc::clone(document);
    Ok(blocking::run(move || enrich(&document, chunks)).await)
}

async fn chunk_embedding<E: Embedder>(embedder: &E, chunks: Vec<EnrichedChunk>) -> Result<EmbeddedChunks, IngestError> {
    embed_chunks(embedder, chunks).await.map_err(IngestError::Embed)
}

async fn data_storage<E>(
    ingestion: &Ingestion<E>,
    document: &Document,
    chunks: &EmbeddedChunks,
) -> Result<Stored, IngestError> {
    ingestion.store.replace(&ingestion.tenant, document, chunks).await.map_err(IngestError::Store)
}

/// Why a document was not ingested; nothing of it was stored then.
#[derive(Debug)]
#[non_exhaustive]
pub enum IngestError {
    /// The file could not be read.
    Parse(ParseError),
    /// The chunks could not be embedded.
    Embed(EmbedError),
    /// The chunks could not be stored.
    Store(StoreError),
}

impl fmt::Display for IngestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parse(_) => "parsing failed",
            Self::Embed(_) => "embedding failed",
            Self::Store(_) => "storing failed",
        })
    }
}

impl Error for IngestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(match self {
            Self::Parse(cause) => cause,
            Self::Embed(cause) => cause,
            Self::Store(cause) => cause,
        })
    }
}
