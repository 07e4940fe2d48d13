//! Thirty questions about the example documents, with the answers that are known.

use std::path::Path;

use ragtrace_examples::chunk::{Chunking, Unit};
use ragtrace_examples::discover::discover;
use ragtrace_examples::embed::HashingEmbedder;
use ragtrace_examples::evaluation::{Evaluation, Questions};
use ragtrace_examples::store::Store;
use ragtrace_examples::{Ingestion, Library, Source, ingestion};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../questions");

async fn evaluation(file: &str) -> Evaluation {
    let folder = tempfile::tempdir().expect("a folder");
    let embedder = HashingEmbedder::default();
    let store = Store::create(&folder.path().join("rag.db"), &embedder).await.expect("a store");
    let chunking = Chunking::new(Unit::Tokens, 160, 20).expect("valid");
    let shared = Ingestion::new(store.clone(), embedder.clone(), chunking);
    let found = discover(&[Path::new(FOLDER).join("documents")]);
    let sources: Vec<Source> = found.documents.into_iter().map(Source::from).collect();
    assert!(sources.len() >= 12);
    ingestion(&shared, sources, 2, |_, _| ()).await.expect("all ingested");
    let library = Library::new(store, embedder);
    let questions = Questions::read(&Path::new(FOLDER).join(file)).expect("questions");
    assert_eq!((questions.answerable.len(), questions.unanswerable.len()), (20, 10));
    Evaluation::of(&library, &questions).await.expect("asked")
}

#[tokio::test]
async fn most_questions_get_the_right_passage_and_those_without_an_answer_nothing() {
    for file in ["development.json", "development-2.json", "development-3.json", "questions.json"] {
        let evaluation = evaluation(file).await;
        assert!(evaluation.right_first() >= 17 && evaluation.rightly_nothing() >= 9, "{file}\n{evaluation}");
    }
}
