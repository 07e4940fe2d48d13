//! The store of documents and vectors.

#[path = "store/migration.rs"]
mod migration;
#[path = "store/writers.rs"]
mod writers;

use std::path::{Path, PathBuf};

use ragtrace_examples::chunk::Chunk;
use ragtrace_examples::document::Document;
use ragtrace_examples::embed::{EmbeddedChunk, EmbeddedChunks, HashingEmbedder};
use ragtrace_examples::enrich::EnrichedChunk;
use ragtrace_examples::store::{Store, StoreError, Stored};
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

/// Opens or creates a database as another program would.
async fn connection(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.expect("a database")
}

fn document(path: &str) -> Document {
    Document::plain(path, "text")
}

fn embedded(vectors: &[[f32; 2]]) -> EmbeddedChunks {
    let chunks = vectors.iter().enumerate().map(|(position, vector)| {
        let chunk = Chunk {
            id: format!("a.md#{position}"),
            position,
            range: 0..4,
            text: format!("text {position}"),
            tokens: 2,
            headings: vec!["Guide".to_owned(), "Setup".to_owned()],
            page: Some(3),
        };
        let enriched = EnrichedChunk { chunk, language: Some("en"), keywords: vec!["text".to_owned()] };
        EmbeddedChunk { enriched, vector: vector.to_vec() }
    });
    let chunks = chunks.collect();
    EmbeddedChunks {
        chunks,
        model: "test".to_owned(),
        dimensions: 2,
        tokens: 2,
        cost_usd: 0.0,
        requests: 1,
        retries: 0,
        losses: Vec::new(),
    }
}

struct Scene {
    folder: tempfile::TempDir,
    store: Store,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::create(&folder.path().join("rag.db"), &HashingEmbedder::new(2)).await.expect("a store");
        Self { folder, store }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("rag.db")
    }

    /// Opens the database once more, as the next run does.
    async fn reopen(&self) {
        Store::create(&self.path(), &HashingEmbedder::new(2)).await.expect("a store").close().await;
    }

    async fn texts(&self, tenant: &str, vector: [f32; 2]) -> Vec<String> {
        let hits = self.store.nearest(tenant, &vector, 10).await.expect("hits");
        hits.into_iter().map(|hit| format!("{} {}", hit.path, hit.text)).collect()
    }
}

#[tokio::test]
async fn the_nearest_come_first_with_their_cosine() {
    let scene = Scene::new().await;
    let chunks = embedded(&[[0.0, 1.0], [0.8, 0.6], [1.0, 0.0]]);
    scene.store.replace("", &document("a"), &chunks).await.expect("stored");
    assert_eq!(scene.texts("", [1.0, 0.0]).await, ["a text 2", "a text 1", "a text 0"]);
    let hits = scene.store.nearest("", &[1.0, 0.0], 2).await.expect("hits");
    assert_eq!(hits.len(), 2);
    assert!((hits[1].score - 0.8).abs() < 1e-6);
    assert_eq!(hits[0].headings, ["Guide", "Setup"]);
    assert_eq!((hits[0].page, hits[0].language.as_deref()), (Some(3), Some("en")));
    assert_eq!(hits[0].keywords, ["text"]);
}

#[tokio::test]
async fn a_document_stored_again_replaces_itself() {
    let scene = Scene::new().await;
    let first = scene.store.replace("", &document("a"), &embedded(&[[1.0, 0.0]; 3])).await.expect("stored");
    scene.store.replace("", &document("b"), &embedded(&[[1.0, 0.0]])).await.expect("stored");
    let second = scene.store.replace("", &document("a"), &embedded(&[[1.0, 0.0]; 2])).await.expect("stored");
    assert_eq!((first.replaced, second), (0, Stored { chunks: 2, replaced: 3 }));
    assert_eq!(scene.store.chunk_count("").await.expect("a count"), 3);
    assert_eq!(scene.texts("", [1.0, 0.0]).await, ["a text 0", "a text 1", "b text 0"]);
}

#[tokio::test]
async fn a_tenant_sees_its_own_documents_only() {
    let scene = Scene::new().await;
    scene.store.replace("acme", &document("a"), &embedded(&[[1.0, 0.0]])).await.expect("stored");
    scene.store.replace("other", &document("a"), &embedded(&[[1.0, 0.0]; 2])).await.expect("stored");
    assert_eq!(scene.texts("acme", [1.0, 0.0]).await.len(), 1);
    assert!(scene.texts("", [1.0, 0.0]).await.is_empty());
}

#[tokio::test]
async fn a_vector_of_zeros_is_like_nothing() {
    let scene = Scene::new().await;
    scene.store.replace("", &document("a"), &embedded(&[[0.0, 0.0], [1.0, 0.0]])).await.expect("stored");
    let hits = scene.store.nearest("", &[1.0, 0.0], 2).await.expect("hits");
    assert_eq!((hits[0].position, hits[1].position), (1, 0));
    assert!(hits[1].score.abs() < f32::EPSILON);
}

#[tokio::test]
async fn writers_wait_for_each_other() {
    let scene = Scene::new().await;
    let chunks = embedded(&[[1.0, 0.0]; 5]);
    let names: Vec<String> = (0..40).map(|number| format!("{number:02}")).collect();
    let writes = names.iter().map(|name| {
        let (store, chunks) = (&scene.store, &chunks);
        async move { store.replace("", &document(name), chunks).await }
    });
    for stored in futures_util::future::join_all(writes).await {
        stored.expect("stored");
    }
    assert_eq!(scene.store.chunk_count("").await.expect("a count"), 200);
}

#[tokio::test]
async fn a_missing_database_is_named() {
    let error = Store::open(Path::new("no/such.db"), &HashingEmbedder::new(2)).await.expect_err("missing");
    let message = "there is no database at no/such.db; run the ingest example first, or name one with --db";
    assert_eq!(error.to_string(), message);
}

#[tokio::test]
async fn another_model_or_another_program_is_refused() {
    let Scene { folder, store } = Scene::new().await;
    store.close().await;
    let ours = folder.path().join("rag.db");
    let error = Store::open(&ours, &HashingEmbedder::new(3)).await.expect_err("another model");
    assert!(matches!(error, StoreError::OtherModel { .. }), "{error:?}");

    let theirs = folder.path().join("theirs.db");
    let mut database = connection(&theirs).await;
    sqlx::query("CREATE TABLE logs (id TEXT)").execute(&mut database).await.expect("a table");
    drop(database);
    let error = Store::create(&theirs, &HashingEmbedder::new(2)).await.expect_err("another program");
    assert!(matches!(error, StoreError::NotOurs(_)), "{error:?}");

    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, "this is no database at all, only text").expect("a file");
    let error = Store::create(&garbage, &HashingEmbedder::new(2)).await.expect_err("no database");
    assert!(matches!(error, StoreError::Open(..)), "{error:?}");
}

#[tokio::test]
async fn a_document_that_cannot_be_stored_leaves_the_old_chunks() {
    let scene = Scene::new().await;
    scene.store.replace("", &document("a"), &embedded(&[[1.0, 0.0]; 3])).await.expect("stored");
    let mut chunks = embedded(&[[1.0, 0.0]; 5]);
    chunks.chunks[4].enriched.chunk.position = 0;
    let error = scene.store.replace("", &document("a"), &chunks).await.expect_err("two chunks in one place");
    assert!(matches!(error, StoreError::Write(_)), "{error:?}");
    assert_eq!(scene.store.chunk_count("").await.expect("a count"), 3);
}
