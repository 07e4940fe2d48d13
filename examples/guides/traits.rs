//! Methods of traits: native `async fn`, default bodies, and `async_trait` for trait objects.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use ragtrace::{RequestContext, traced_stage};
use ragtrace_sinks::SqliteSink;

/// A model behind a pointer. Traits with `async fn` cannot be `dyn` traits yet, so this one uses
/// `async_trait`.
#[async_trait]
trait Embedder: Send + Sync {
    fn model(&self) -> &str;

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError>;
}

struct Hashing {
    dimensions: usize,
}

#[async_trait]
impl Embedder for Hashing {
    fn model(&self) -> &'static str {
        "hashing"
    }

    // The attribute is on the method, below `#[async_trait]`. Whether it sees the method as written
    // or as rewritten by `async_trait`, the method is one stage, from the first poll on.
    #[traced_stage("chunk_embedding", kind = embed, fields(model = self.model(), self.dimensions))]
    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EmbedError> {
        if texts.is_empty() {
            return Err(EmbedError);
        }
        Ok(texts
            .iter()
            .map(|text| vec![f32::from(u8::try_from(text.len()).unwrap_or(u8::MAX)); self.dimensions])
            .collect())
    }
}

/// Without trait objects, native `async fn` is enough, and needs no box.
trait Store {
    fn name(&self) -> &'static str;

    /// A default body is a stage of every implementation that uses it.
    #[traced_stage("data_storage", kind = store, fields(store = self.name(), input_count = vectors.len()))]
    async fn store(&self, vectors: Vec<Vec<f32>>) -> usize {
        tokio::task::yield_now().await;
        vectors.len()
    }
}

struct InMemory;

impl Store for InMemory {
    fn name(&self) -> &'static str {
        "in_memory"
    }
}

#[traced_stage("ingestion", kind = pipeline)]
async fn ingest(texts: Vec<String>, embedder: &dyn Embedder, store: &impl Store) -> Result<usize, EmbedError> {
    let vectors = embedder.embed(&texts).await?;
    Ok(store.store(vectors).await)
}

#[derive(Debug)]
struct EmbedError;

impl fmt::Display for EmbedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is nothing to embed")
    }
}

impl std::error::Error for EmbedError {}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = ragtrace::builder().service("rag-api").sink(SqliteSink::new("ragtrace.db")).from_env().install()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let embedder: Box<dyn Embedder> = Box::new(Hashing { dimensions: 8 });
    let request = RequestContext::new().with_request_type("ingest");
    runtime.block_on(request.scope(async {
        for texts in [vec!["one".to_owned(), "two".to_owned()], Vec::new()] {
            match ingest(texts, &*embedder, &InMemory).await {
                Ok(stored) => println!("{stored} stored"),
                Err(error) => println!("{error}"),
            }
        }
    }));
    drop(runtime);
    telemetry.shutdown_blocking(Duration::from_secs(10));
    Ok(())
}
