//! Asks the example questions and prints how many were answered right:
//! `cargo run --release -p ragtrace-examples --example questions`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use ragtrace_examples::chunk::{Chunking, Unit};
use ragtrace_examples::discover::discover;
use ragtrace_examples::embed::EmbedderOptions;
use ragtrace_examples::evaluation::{Evaluation, Questions};
use ragtrace_examples::parse::child;
use ragtrace_examples::report::one_line;
use ragtrace_examples::rerank::MIN_SCORE;
use ragtrace_examples::store::Store;
use ragtrace_examples::{Ingestion, Library, Source, ingestion};

/// Ingest a folder of documents into a database of its own, ask questions whose answers are known,
/// and print a table of the outcomes.
///
/// Exits with 0 if the right passage came first for at least 85 % of the questions with an answer,
/// and nothing was found for at least 90 % of those without one; otherwise with 1.
#[derive(Debug, Parser)]
#[command(name = "questions", version)]
struct Arguments {
    /// Folder of documents
    #[arg(long, value_name = "FOLDER", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/questions/documents"))]
    documents: PathBuf,
    /// File of questions
    #[arg(default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/questions/questions.json"))]
    questions: PathBuf,
    /// Least score of a chunk that answers a question, from 0 to 1
    #[arg(long, value_name = "SCORE", default_value_t = MIN_SCORE)]
    min_score: f32,
    #[command(flatten)]
    embedding: EmbedderOptions,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    // A document is read by another process of this program, which does nothing else.
    child::serve();
    let outcome = tokio::runtime::Runtime::new().map_err(Failure::from);
    match outcome.and_then(|runtime| runtime.block_on(run(&Arguments::parse()))) {
        Ok(evaluation) => {
            println!("{evaluation}");
            let of = |right: usize, all: usize, percent: usize| right * 100 >= all * percent;
            let passed = of(evaluation.right_first(), evaluation.answerable.len(), 85)
                && of(evaluation.rightly_nothing(), evaluation.unanswerable.len(), 90);
            ExitCode::from(u8::from(!passed))
        }
        Err(error) => {
            eprintln!("error: {}", one_line(error.as_ref()));
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: &Arguments) -> Result<Evaluation, Failure> {
    let questions = Questions::read(&arguments.questions)?;
    let embedder = arguments.embedding.embedder().await?;
    let database = Database::new();
    let store = Store::create(&database.0, &embedder).await?;
    let shared = Ingestion::new(store.clone(), embedder.clone(), Chunking::new(Unit::Tokens, 160, 20)?);
    let found = discover(std::slice::from_ref(&arguments.documents));
    let sources = found.documents.into_iter().map(Source::from).collect();
    ingestion(&shared, sources, 2, |_, _| ()).await?;
    let library = Library { min_score: arguments.min_score, ..Library::new(store, embedder) };
    let evaluation = Evaluation::of(&library, &questions).await?;
    library.store.close().await;
    Ok(evaluation)
}

/// A database that is removed at the end.
struct Database(PathBuf);

impl Database {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("ragtrace-questions-{}.db", std::process::id()));
        Self::remove(&path);
        Self(path)
    }

    fn remove(path: &Path) {
        for end in ["", "-wal", "-shm"] {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            // It may not exist.
            let _ = std::fs::remove_file(name);
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        Self::remove(&self.0);
    }
}
