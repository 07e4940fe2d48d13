//! Ingestion and questions together, on the sample documents and on files that cannot be read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use ragtrace::testing::capture;
use ragtrace::{Record, Value};
use ragtrace_examples::chunk::{Chunking, Unit};
use ragtrace_examples::discover::discover;
use ragtrace_examples::document::document_id;
use ragtrace_examples::embed::{EmbedError, Embedder, Embeddings, HashingEmbedder};
use ragtrace_examples::ingest::Ingested;
use ragtrace_examples::report::one_line;
use ragtrace_examples::rerank::MIN_SCORE;
use ragtrace_examples::store::Store;
use ragtrace_examples::{
    AskError, IngestError, Ingestion, Library, Part, Source, document_ingestion, ingestion, question,
};
use sqlx::Connection as _;
use tokio::sync::Semaphore;

struct Scene {
    folder: tempfile::TempDir,
    ingestion: Ingestion<HashingEmbedder>,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let embedder = HashingEmbedder::default();
        let store = Store::create(&folder.path().join("rag.db"), &embedder).await.expect("a store");
        let chunking = Chunking::new(Unit::Tokens, 160, 20).expect("valid");
        let ingestion = Ingestion { tenant: "acme".to_owned(), ..Ingestion::new(store, embedder, chunking) };
        Self { folder, ingestion }
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    async fn ingest(&self, path: &Path) -> Result<Ingested, IngestError> {
        document_ingestion(&self.ingestion, &path.into()).await
    }

    async fn with_samples() -> Self {
        let scene = Self::new().await;
        for path in discover(&[samples()]).documents {
            scene.ingest(&path).await.expect("a sample is readable");
        }
        scene
    }

    /// Returns the sentences of the answer, and the names of its sources.
    async fn ask(&self, text: &str) -> Result<(Vec<String>, Vec<String>), AskError> {
        self.ask_and_log(text, false).await
    }

    async fn ask_and_log(&self, text: &str, log_question: bool) -> Result<(Vec<String>, Vec<String>), AskError> {
        let library = Library {
            store: self.ingestion.store.clone(),
            embedder: self.ingestion.embedder.clone(),
            tenant: self.ingestion.tenant.clone(),
            top_k: 24,
            passages: 4,
            min_score: MIN_SCORE,
            log_question,
        };
        let mut sentences = Vec::new();
        let on_part = |part: Part<'_>| {
            if let Part::Sentence(sentence) = part {
                sentences.push(sentence);
            }
        };
        let passages = question(&library, text, on_part).await?;
        Ok((sentences, passages.into_iter().map(|passage| passage.hit.name).collect()))
    }
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data")
}

#[tokio::test]
async fn every_format_answers_a_question() {
    let scene = Scene::with_samples().await;
    let asked = [
        ("How long does the battery last without sun?", "eleven days", "guide.md"),
        ("What was the strongest gust of the trial?", "118 kilometres", "field-notes.txt"),
        ("How often are readings sent?", "Every five minutes", "faq.html"),
        ("Is damage by lightning covered by the warranty?", "lightning is not covered", "specification.pdf"),
    ];
    for (text, expected, source) in asked {
        let (sentences, sources) = scene.ask(text).await.expect("an answer");
        assert!(sentences.iter().any(|sentence| sentence.contains(expected)), "{text}: {sentences:?}");
        assert_eq!(sources[0], source, "{text}");
    }
}

#[tokio::test]
async fn a_question_about_something_else_is_an_error() {
    let scene = Scene::with_samples().await;
    let error = scene.ask("Who painted the Sistine chapel?").await.expect_err("not in the samples");
    assert!(matches!(error, AskError::NoAnswer), "{error:?}");
    let error = scene.ask(" ").await.expect_err("no question");
    assert!(matches!(error, AskError::NoQuestion), "{error:?}");
}

#[tokio::test]
async fn a_question_before_any_document_says_so() {
    let error = Scene::new().await.ask("How long does the battery last?").await.expect_err("no documents");
    assert!(matches!(error, AskError::NoDocuments), "{error:?}");
}

#[tokio::test]
async fn a_document_ingested_again_replaces_itself() {
    let scene = Scene::new().await;
    let path = scene.file("a.md", "# One\n\nA text.\n\n# Two\n\nAnother text.");
    let first = scene.ingest(&path).await.expect("ingested");
    assert_eq!((first.stored.chunks, first.stored.replaced), (2, 0));
    scene.file("a.md", "# One\n\nOnly this text is left.");
    let second = scene.ingest(&path).await.expect("ingested");
    assert_eq!((second.stored.chunks, second.stored.replaced), (1, 2));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_one_line_and_leaves_no_trace() {
    let scene = Scene::new().await;
    let cases = [
        (scene.file("empty.md", ""), "there is no text in the file"),
        (scene.file("photo.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "this .txt is image/png"),
        (scene.file("broken.pdf", "%PDF-1.7 and no more"), "the PDF is damaged"),
        (scene.file("a.zip", b"PK\x03\x04\x14\0\0\0"), "there is no reader for a ZIP archive"),
        (scene.folder.path().join("missing.md"), "check its path"),
    ];
    for (path, expected) in cases {
        let error = scene.ingest(&path).await.expect_err("unreadable");
        let line = one_line(&error);
        assert!(line.contains(expected) && !line.contains('\n'), "{line}");
    }
    assert_eq!(scene.ingestion.store.chunk_count("acme").await.expect("a count"), 0);
}

#[tokio::test]
async fn many_documents_at_once_are_all_stored() {
    let scene = Scene::new().await;
    let paths: Vec<PathBuf> =
        (0..100).map(|number| scene.file(&format!("{number}.txt"), format!("Document number {number}."))).collect();
    for ingested in join_all(paths.iter().map(|path| scene.ingest(path))).await {
        assert_eq!(ingested.expect("ingested").stored.chunks, 1);
    }
    assert_eq!(scene.ingestion.store.chunk_count("acme").await.expect("a count"), 100);
}

#[tokio::test]
async fn an_ingestion_says_which_chunks_come_of_which_document() {
    let scene = Scene::new().await;
    let path = scene.file("a.md", "# One\n\nA text.\n\n# Two\n\nAnother text.");
    let (ingested, captured) = capture(scene.ingest(&path)).await;
    assert_eq!(ingested.expect("ingested").stored.chunks, 2);
    let end = |stage: &str| captured.stage(stage).completed().one();
    let items = |items: &[ragtrace::RecordItem]| -> Vec<String> {
        items.iter().map(|item| format!("{}:{}", item.item_type(), item.id())).collect()
    };
    let id = document_id(&path.to_string_lossy());
    let chunks = |item_type: &str| [0, 1].map(|position| format!("{item_type}:{id}#{position}"));
    assert_eq!(items(end("file_parsing").generated()), [format!("document:{id}")]);
    assert_eq!(items(end("document_chunking").used()), [format!("document:{id}")]);
    assert_eq!(items(end("document_chunking").generated()), chunks("chunk"));
    assert_eq!(items(end("chunk_enrichment").used()), chunks("chunk"));
    assert_eq!(items(end("chunk_embedding").used()), chunks("chunk"));
    assert_eq!(items(end("chunk_embedding").generated()), chunks("embedding"));
    assert_eq!(items(end("data_storage").used()), chunks("embedding"));
}

#[tokio::test]
async fn a_question_says_what_it_found_and_what_the_answer_was_made_of() {
    let scene = Scene::with_samples().await;
    let asked = "How long does the battery last without sun?";
    let (answered, captured) = capture(scene.ask_and_log(asked, true)).await;
    let (sentences, _) = answered.expect("an answer");
    let end = |stage: &str| captured.stage(stage).completed().one();
    let text = |record: &Record, name: &str| record.field(name).map(ToString::to_string);

    let found = end("retrieval").generated();
    assert_eq!(found.len(), 23);
    // Their order is that of words and vectors together, and the score that of the vectors.
    assert!(found.iter().all(|hit| hit.score().is_some()), "{found:?}");
    let chosen = end("rerank").generated();
    assert_eq!((end("rerank").used().len(), chosen.len()), (23, 4));
    for passage in chosen {
        let (content, source) = (passage.content().expect("its text"), passage.source().expect("its document"));
        assert!(content.len() > 20 && passage.score().is_some_and(|score| (0.0..=1.0).contains(&score)));
        assert_eq!(passage.derived_from(), passage.id().split_once('#').map(|(document, _)| document));
        assert!(!source.is_empty());
        assert!(found.iter().any(|hit| hit.id() == passage.id()), "{passage:?}");
    }

    let answer = end("answer");
    // Those that are good enough.
    let used = answer.used();
    assert!(!used.is_empty());
    assert!(used.iter().zip(chosen).all(|(used, chosen)| used.id() == chosen.id()), "{used:?}");
    let messages = answer.field("input").and_then(Value::as_json).expect("messages");
    let messages: serde_json::Value = serde_json::from_str(messages).expect("JSON");
    assert_eq!((&messages[1]["role"], &messages[1]["content"]), (&"user".into(), &asked.into()));
    assert_eq!(text(answer, "output"), Some(sentences.join("\n")));
    assert_eq!(text(answer, "model").as_deref(), Some("extractive-quotes-v1"));
    let [input, output, cost] =
        ["input_tokens", "output_tokens", "cost_usd"].map(|name| answer.metric(name).expect("a number"));
    assert!(input > output && output > 0.0, "{input} {output}");
    assert!((cost - (input * 0.15 + output * 0.60) / 1e6).abs() < 1e-12, "{cost}");
    let question = end("question");
    assert_eq!(
        (text(question, "query").as_deref(), text(question, "output")),
        (Some(asked), Some(sentences.join("\n")))
    );

    let (_, captured) = capture(scene.ask(asked)).await;
    for record in captured.records() {
        let words = ["query", "input", "output"].map(|name| record.field(name));
        assert_eq!(words, [None; 3], "words of a question are its user's");
    }
}

/// An embedder that waits for a permit before each request.
struct Gated(HashingEmbedder, Arc<Semaphore>);

impl Embedder for Gated {
    fn model(&self) -> &str {
        self.0.model()
    }

    fn dimensions(&self) -> usize {
        self.0.dimensions()
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Embeddings, EmbedError> {
        self.1.acquire().await.expect("open").forget();
        self.0.embed(texts).await
    }
}

/// Returns a text of `sentences` sentences, each of which becomes a chunk.
fn long_text(sentences: usize) -> String {
    let line = |number| format!("Sentence number {number} tells of wind, rain and the vane on mast {number}. ");
    (0..sentences).map(line).collect()
}

async fn small_chunks() -> Scene {
    let mut scene = Scene::new().await;
    scene.ingestion.chunking = Chunking::new(Unit::Tokens, 16, 0).expect("valid");
    scene
}

#[tokio::test]
async fn a_large_document_is_ingested_in_parts() {
    let scene = small_chunks().await;
    let path = scene.file("large.txt", long_text(1300));
    let (ingested, captured) = capture(scene.ingest(&path)).await;
    let ingested = ingested.expect("ingested");
    assert_eq!(ingested.stored.chunks, 1300);
    assert_eq!(captured.stage("document_chunking").completed().one().count(), Some(1300));
    for stage in ["chunk_enrichment", "chunk_embedding", "data_storage"] {
        let counts: Vec<_> = captured.stage(stage).completed().iter().map(Record::count).collect();
        assert_eq!(counts, [Some(512), Some(512), Some(276)], "{stage}");
    }
    assert_eq!(captured.stage("document_ingestion").completed().one().count(), Some(1300));
    let hits = scene.ingestion.store.nearest("acme", &vec![1.0; 1024], 2000).await.expect("hits");
    let mut positions: Vec<_> = hits.iter().map(|hit| hit.position).collect();
    positions.sort_unstable();
    assert_eq!(positions, (0..1300).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_large_document_that_fails_midway_leaves_its_earlier_version() {
    let scene = small_chunks().await;
    let path = scene.file("large.txt", "The earlier version.");
    scene.ingest(&path).await.expect("ingested");
    scene.file("large.txt", long_text(1300));
    let Ingestion { store, embedder, chunking, tenant, .. } = scene.ingestion.clone();
    let failing = Ingestion { tenant, ..Ingestion::new(store, Failing(embedder, AtomicUsize::new(2)), chunking) };
    let error = document_ingestion(&failing, &Source::from(&path)).await.expect_err("the third part fails");
    assert!(matches!(error, IngestError::Embed(_)), "{error:?}");
    assert_eq!(scene.ingestion.store.chunk_count("acme").await.expect("a count"), 1);
    let mut database =
        sqlx::SqliteConnection::connect(&format!("sqlite:{}", scene.folder.path().join("rag.db").display()))
            .await
            .expect("the database");
    let all: i64 = sqlx::query_scalar("SELECT count(*) FROM chunks").fetch_one(&mut database).await.expect("a count");
    assert_eq!(all, 1, "no draft is left");
}

/// An embedder that fails after a number of requests.
struct Failing(HashingEmbedder, AtomicUsize);

impl Embedder for Failing {
    fn model(&self) -> &str {
        self.0.model()
    }

    fn dimensions(&self) -> usize {
        self.0.dimensions()
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Embeddings, EmbedError> {
        let left = self.1.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        left.map_err(|_| EmbedError::new("the quota is used up; try again tomorrow"))?;
        self.0.embed(texts).await
    }
}

#[tokio::test]
async fn a_large_run_holds_up_a_small_one_for_a_document_and_no_longer() {
    let scene = Scene::new().await;
    let (places, gate) = (Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(0)));
    let Ingestion { store, embedder, chunking, tenant, .. } = scene.ingestion.clone();
    let large = Ingestion {
        tenant,
        places: Some(Arc::clone(&places)),
        ..Ingestion::new(store, Gated(embedder, Arc::clone(&gate)), chunking)
    };
    let small = Ingestion { places: Some(Arc::clone(&places)), ..scene.ingestion.clone() };
    let source = |name: &str| Source::from(scene.file(name, format!("The text of {name}.")));
    let many = ["1.md", "2.md", "3.md"].map(source).to_vec();
    let large = tokio::spawn(async move { ingestion(&large, many, 1, |_, _| ()).await });
    while places.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    let one = vec![source("one.md")];
    let small = tokio::spawn(async move { ingestion(&small, one, 1, |_, _| ()).await });
    // The document now waits for its permit.
    tokio::task::yield_now().await;
    gate.add_permits(1);
    let small = tokio::time::timeout(Duration::from_mins(1), small).await.expect("before the large one has ended");
    assert_eq!(small.expect("no panic").expect("stored").ingested, 1);
    assert!(!large.is_finished());
    gate.add_permits(2);
    assert_eq!(large.await.expect("no panic").expect("stored").ingested, 3);
}

#[tokio::test]
async fn a_file_that_came_with_others_has_its_index_in_its_records() {
    let scene = Scene::new().await;
    let source = Source::from(scene.file("a.md", "A text.")).with_index(2);
    let (ingested, captured) = capture(document_ingestion(&scene.ingestion, &source)).await;
    ingested.expect("stored");
    let records = captured.records().iter().filter(|record| record.stage() == Some("document_ingestion"));
    let indices: Vec<_> = records.map(|record| record.field("file").cloned()).collect();
    assert_eq!(indices, [Some(Value::U64(2)), Some(Value::U64(2))]);
}
