//! swiftide's pipelines pass work from task to task only by `tracing`'s spans. With ragtrace's
//! attribute in place of `tracing`'s, and its layer in the subscriber, each run is one whole tree.
//!
//! `run` runs this at a level at which swiftide's own spans are on (`trace`), and at one at which
//! they are off and the stages' own spans stand in for them (`info`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::future::Future;
use std::path::Path;
use std::sync::Once;

use async_trait::async_trait;
use ragtrace::testing::{self, Captured};
use ragtrace::{Event, Record, RequestContext, traced_stage};
use swiftide_core::Embeddings;
use swiftide_core::chat_completion::errors::LanguageModelError;
use swiftide_core::indexing::{EmbeddingModel, SimplePrompt};
use swiftide_core::prompt::Prompt;
use swiftide_core::querying::search_strategies::SimilaritySingleEmbedding;
use swiftide_core::querying::{Query, states};
use swiftide_indexing::loaders::FileLoader;
use swiftide_indexing::persist::MemoryStorage;
use swiftide_indexing::transformers::{ChunkMarkdown, Embed, MetadataTitle};
use swiftide_query::{answers, query_transformers, response_transformers};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

const FILES: usize = 25;
const SECTIONS: usize = 27;

#[derive(Clone, Debug)]
struct Model;

#[async_trait]
impl SimplePrompt for Model {
    async fn prompt(&self, _: Prompt) -> Result<String, LanguageModelError> {
        tokio::task::yield_now().await;
        Ok("an answer".to_owned())
    }
}

#[async_trait]
impl EmbeddingModel for Model {
    async fn embed(&self, input: Vec<String>) -> Result<Embeddings, LanguageModelError> {
        tokio::task::yield_now().await;
        Ok(input.iter().map(|_| vec![0.5; 4]).collect())
    }
}

/// Sets the subscriber that an application has: a formatter, a level, and ragtrace's layer.
fn subscribe() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let level: LevelFilter = std::env::var("LEVEL").expect("`run` sets it").parse().expect("a level");
        let formatter = fmt::layer().with_writer(std::io::sink);
        registry().with(level).with(formatter).with(ragtrace::layer()).init();
    });
}

fn write_files(folder: &Path) {
    std::fs::create_dir_all(folder).expect("a folder");
    for file in 0..FILES {
        let mut text = String::new();
        for section in 0..SECTIONS {
            let words = "Words of a paragraph that is long enough to be a chunk by itself. ".repeat(4);
            writeln!(text, "# Section {section} of {file}\n\n{words}\n").expect("it is memory");
        }
        std::fs::write(folder.join(format!("{file}.md")), text).expect("a file");
    }
}

fn indexing(folder: &Path) -> swiftide_indexing::Pipeline<String> {
    swiftide_indexing::Pipeline::from_loader(FileLoader::new(folder).with_extensions(&["md"]))
        .with_concurrency(4)
        .then_chunk(ChunkMarkdown::from_chunk_range(100..400))
        .then(MetadataTitle::new(Model))
        .then_in_batch(Embed::new(Model).with_batch_size(50))
        .then_store_with(MemoryStorage::default())
}

async fn ask() -> String {
    let pipeline = swiftide_query::Pipeline::default()
        .then_transform_query(query_transformers::GenerateSubquestions::from_client(Model))
        .then_transform_query(query_transformers::Embed::from_client(Model))
        .then_retrieve(|_: &SimilaritySingleEmbedding, query: Query<states::Pending>| {
            Ok(query.retrieved_documents(vec!["a document".into()]))
        })
        .then_transform_response(response_transformers::Summary::from_client(Model))
        .then_answer(answers::Simple::from_client(Model));
    pipeline.query("what is there?").await.expect("it answers").answer().to_owned()
}

#[traced_stage(kind = pipeline)]
async fn application(work: impl Future<Output = ()>) {
    work.await;
}

/// Asserts that the captured records are one trace and one tree, with one root and every parent.
/// Returns the number of runs of each stage.
fn assert_whole(captured: &Captured) -> BTreeMap<String, usize> {
    let starts: Vec<_> = captured.records().iter().filter(|record| record.event() == Event::Started).collect();
    let ends = captured.records().iter().filter(|record| record.event() == Event::Completed).count();
    let traces: BTreeSet<_> = starts.iter().filter_map(|record| record.trace_id()).collect();
    let spans: BTreeSet<_> = starts.iter().filter_map(|record| record.span_id()).collect();
    let (roots, children): (Vec<&Record>, Vec<&Record>) =
        starts.iter().copied().partition(|record| record.parent_span_id().is_none());
    let orphans = children.iter().filter(|record| record.parent_span_id().is_some_and(|at| !spans.contains(&at)));
    let told =
        |records: &[&Record]| records.iter().filter_map(|record| record.stage()).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(traces.len(), 1);
    assert_eq!(roots.len(), 1, "{:?}", told(&roots));
    assert_eq!(orphans.count(), 0);
    assert_eq!(ends, starts.len(), "each of them completes");
    let mut runs = BTreeMap::new();
    for start in &starts {
        *runs.entry(start.stage().unwrap_or_default().to_owned()).or_default() += 1;
    }
    println!("{} stages: {runs:?}", starts.len());
    runs
}

fn assert_indexed(captured: &Captured) {
    let runs = assert_whole(captured);
    assert_eq!(runs["transform_node"], FILES, "chunking of a file: {runs:?}");
    assert_eq!(runs["transformers.metadata_title"], FILES * SECTIONS, "{runs:?}");
    assert_eq!(runs["indexing_pipeline.run"], 1);
    // The folder itself is loaded too.
    assert!(runs["load"] >= FILES, "{runs:?}");
    assert!(runs["transformers.embed"] >= FILES * SECTIONS / 50, "{runs:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_indexing_pipeline_is_one_whole_tree() {
    subscribe();
    let folder = std::env::temp_dir().join(format!("ragtrace-adoption-{}", std::process::id()));
    write_files(&folder);

    let pipeline = indexing(&folder);
    let (result, captured) = testing::capture(async { pipeline.run().await }).await;
    result.expect("it runs");
    assert_indexed(&captured);

    let ((), captured) = testing::capture(application(async {
        indexing(&folder).run().await.expect("it runs");
    }))
    .await;
    assert_indexed(&captured);

    let request = RequestContext::new().with_user_id("alice");
    let work = async { indexing(&folder).run().await.expect("it runs") };
    let ((), captured) = testing::capture(async { request.scope(work).await }).await;
    assert_indexed(&captured);
    assert!(captured.records().iter().all(|record| record.user_id() == Some("alice")));
    std::fs::remove_dir_all(&folder).expect("it was made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_query_pipeline_is_one_whole_tree() {
    subscribe();
    let (answer, captured) = testing::capture(async { ask().await }).await;
    assert_eq!(answer, "an answer");
    let runs = assert_whole(&captured);
    let expected = [("answer", 1), ("query_pipeline.query", 1), ("transform_query", 2), ("transform_response", 1)];
    assert_eq!(runs, expected.map(|(stage, runs)| (stage.to_owned(), runs)).into());

    // Each of several questions at once has a trace of its own.
    let asked = (0..20).map(|_| tokio::spawn(testing::capture(async { ask().await })));
    for asked in asked.collect::<Vec<_>>() {
        let (_, captured) = asked.await.expect("it does not panic");
        assert_eq!(assert_whole(&captured), runs);
    }
}
