//! Coming from the Python stack: five ingestion stages, a request's user, and the user's errors.

use std::fmt;
use std::time::Duration;

use ragtrace::{RequestContext, traced_stage};
use ragtrace_sinks::SqliteSink;
use ragtrace_sinks::store::{self, LogFilter};

/// Ingests one document, from its file into the index. Each stage writes the records that the
/// Python pipeline logged by hand: `file_parsing_started`, then `file_parsing_completed` with
/// `duration_ms`, or `file_parsing_failed` with the error.
#[traced_stage("ingestion", kind = pipeline, fields(document.id, document.name))]
async fn ingest(document: &Document) -> Result<usize, IngestError> {
    let text = parse(document).await?;
    let chunks = chunk(&text);
    let chunks = enrich(chunks);
    let vectors = embed(&chunks).await?;
    store_chunks(&chunks, &vectors).await
}

// Only named values are recorded: those in `fields` when the stage begins, those in `ok` when it
// returns.
#[traced_stage("file_parsing", kind = parse, fields(bytes = document.bytes.len()), ok(|text| chars = text.chars().count()))]
async fn parse(document: &Document) -> Result<String, IngestError> {
    String::from_utf8(document.bytes.clone()).map_err(IngestError::Encoding)
}

// `chunk_count=len(chunks)` has no counterpart: the length of a returned `Vec` is recorded as
// `count`.
#[traced_stage("document_chunking", kind = chunk, ok(|chunks| avg_chunk_size = average(chunks)))]
fn chunk(text: &str) -> Vec<Chunk> {
    let sentences = text.split_terminator('.').map(str::trim).filter(|sentence| !sentence.is_empty());
    sentences.map(|sentence| Chunk { text: sentence.to_owned(), keywords: Vec::new() }).collect()
}

#[traced_stage("chunk_enrichment", kind = enrich, fields(input_count = chunks.len()))]
fn enrich(mut chunks: Vec<Chunk>) -> Vec<Chunk> {
    for chunk in &mut chunks {
        chunk.keywords = chunk.text.split(' ').filter(|word| word.len() > 4).map(str::to_owned).collect();
    }
    chunks
}

// Values that become known inside of the body are declared with `record`; the compiler checks their
// names and types.
#[traced_stage(
    "chunk_embedding",
    kind = embed,
    fields(model = "hashing", dimensions = DIMENSIONS),
    record(input_tokens: usize, cost_usd: f64),
)]
async fn embed(chunks: &[Chunk]) -> Result<Vec<[f32; DIMENSIONS]>, IngestError> {
    if chunks.is_empty() {
        return Err(IngestError::Empty);
    }
    let tokens: usize = chunks.iter().map(|chunk| chunk.text.split(' ').count() + chunk.keywords.len()).sum();
    record!(input_tokens = tokens, cost_usd = 0.000_000_1 * f64::from(u32::try_from(tokens).unwrap_or(u32::MAX)));
    Ok(vec![[0.0; DIMENSIONS]; chunks.len()])
}

#[traced_stage("data_storage", kind = store, ok(|stored| count = *stored))]
async fn store_chunks(chunks: &[Chunk], vectors: &[[f32; DIMENSIONS]]) -> Result<usize, IngestError> {
    tokio::task::yield_now().await;
    Ok(chunks.len().min(vectors.len()))
}

const DIMENSIONS: usize = 8;

struct Document {
    id: u32,
    name: &'static str,
    bytes: Vec<u8>,
}

struct Chunk {
    text: String,
    keywords: Vec<String>,
}

fn average(chunks: &[Chunk]) -> Option<usize> {
    chunks.iter().map(|chunk| chunk.text.chars().count()).sum::<usize>().checked_div(chunks.len())
}

/// An error is recorded with its own message and the chain of its sources.
#[derive(Debug)]
enum IngestError {
    Encoding(std::string::FromUtf8Error),
    Empty,
}

impl fmt::Display for IngestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encoding(_) => "the document is not UTF-8",
            Self::Empty => "the document has no text",
        })
    }
}

impl std::error::Error for IngestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Encoding(error) => Some(error),
            Self::Empty => None,
        }
    }
}

/// Prints a user's errors of the last day, newest first, as the query script did. In a terminal:
/// `ragtrace errors --user alice --since 24h`.
async fn print_errors(user: &str) -> Result<(), store::StoreError> {
    let store = store::open("sqlite:ragtrace.db").await?;
    for row in store.errors(LogFilter::new().user_id(user)).await? {
        let record = row.record();
        let reason = record.error().map(|error| [&[error.message().to_owned()], error.chain()].concat().join(": "));
        println!("{} of {}: {}", record.message(), record.request_type().unwrap_or("-"), reason.unwrap_or_default());
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // This replaces the aggregator with its queue, its batches and its retries.
    let telemetry = ragtrace::builder()
        .service("rag-ingest")
        .environment("production")
        .sink(SqliteSink::new("ragtrace.db"))
        .from_env()
        .install()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let documents =
        [("manual.txt", &b"Oil the pump. Check the seal."[..]), ("scan.txt", b"\xff\xfe"), ("empty.txt", b"")];
    for (id, (name, bytes)) in (1..).zip(documents) {
        let document = Document { id, name, bytes: bytes.to_owned() };
        // This replaces the context variables: it is set once, applies to everything that the
        // future calls, and needs no reset.
        let request = RequestContext::new().with_user_id("alice").with_tenant_id("acme").with_request_type("ingest");
        match runtime.block_on(request.scope(ingest(&document))) {
            Ok(stored) => println!("{name}: {stored} chunks stored"),
            Err(error) => println!("{name}: {error}"),
        }
    }
    telemetry.flush_blocking(Duration::from_secs(10));
    runtime.block_on(print_errors("alice"))?;
    drop(runtime);
    telemetry.shutdown_blocking(Duration::from_secs(10));
    Ok(())
}
