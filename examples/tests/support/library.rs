//! A library of documents that a test writes, for questions about them.

use ragtrace_examples::chunk::{Chunking, Unit};
use ragtrace_examples::document::Format;
use ragtrace_examples::embed::HashingEmbedder;
use ragtrace_examples::rerank::Passage;
use ragtrace_examples::store::Store;
use ragtrace_examples::{AskError, Ingestion, Library, Part, Source, document_ingestion, question};

pub(crate) struct Scene {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) library: Library<HashingEmbedder>,
}

/// An answer: its sentences, and the passages that they come from.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) sentences: String,
    pub(crate) passages: Vec<Passage>,
}

impl Scene {
    /// Creates a library of documents, each with its name and its text.
    pub(crate) async fn with(documents: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let embedder = HashingEmbedder::default();
        let store = Store::create(&folder.path().join("rag.db"), &embedder).await.expect("a store");
        let scene = Self { folder, library: Library::new(store, embedder) };
        for (name, text) in documents {
            scene.add("", name, text).await;
        }
        scene
    }

    /// Adds a document of a tenant.
    pub(crate) async fn add(&self, tenant: &str, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        let chunking = Chunking::new(Unit::Tokens, 60, 0).expect("valid");
        let Library { store, embedder, .. } = &self.library;
        let ingestion =
            Ingestion { tenant: tenant.to_owned(), ..Ingestion::new(store.clone(), embedder.clone(), chunking) };
        assert!(Format::of(&path).is_some(), "{name}");
        document_ingestion(&ingestion, &Source::from(path)).await.expect("ingested");
    }

    pub(crate) async fn ask(&self, asked: &str) -> Result<Answer, AskError> {
        let mut sentences = String::new();
        let on_part = |part: Part<'_>| {
            if let Part::Sentence(sentence) = part {
                sentences = std::mem::take(&mut sentences) + &sentence + "\n";
            }
        };
        let passages = question(&self.library, asked, on_part).await?;
        Ok(Answer { sentences, passages })
    }

    /// Asserts that the first passage of the answer contains `words`.
    pub(crate) async fn assert_answered(&self, asked: &str, words: &str) {
        let answer = self.ask(asked).await.unwrap_or_else(|error| panic!("{asked}: {error}"));
        assert!(answer.passages[0].hit.text.contains(words), "{asked}: {answer:?}");
    }

    /// Asserts that nothing answers the question.
    pub(crate) async fn assert_unanswered(&self, asked: &str) {
        let outcome = self.ask(asked).await;
        assert!(matches!(outcome, Err(AskError::NoAnswer)), "{asked}: {outcome:?}");
    }
}
