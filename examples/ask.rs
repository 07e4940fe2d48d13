//! Answers a question from what the `ingest` example stored: `cargo run --release --example ask -- "question"`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ragtrace_examples::embed::HashingEmbedder;
use ragtrace_examples::report::{one_line, printable};
use ragtrace_examples::rerank::Passage;
use ragtrace_examples::store::Store;
use ragtrace_examples::{AskError, Library, question};

/// Answer a question in the words of the documents that the `ingest` example stored, and name the sources.
///
/// Ends with 0 after an answer, 1 if there is none, 2 if none could be looked for, 130 after Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "ask", version)]
struct Arguments {
    /// The question; several words need no quotes
    #[arg(required = true)]
    question: Vec<String>,
    /// The database of documents and vectors
    #[arg(long, value_name = "PATH", default_value = "rag.db")]
    db: PathBuf,
    /// How many chunks the search brings
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    top_k: u32,
    /// How many of them the answer is drawn from
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..))]
    passages: u8,
    /// Who asks, as the stage logs name them
    #[arg(long)]
    user: Option<String>,
    /// Whose documents to look at
    #[arg(long)]
    tenant: Option<String>,
}

enum Outcome {
    Answered,
    Unanswered(AskError),
    Interrupted,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome =
        tokio::runtime::Runtime::new().map_err(Failure::from).and_then(|runtime| runtime.block_on(run(&arguments)));
    match outcome {
        Ok(Outcome::Answered) => ExitCode::SUCCESS,
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        Ok(Outcome::Unanswered(error)) => {
            eprintln!("error: {}", one_line(&error));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {}", one_line(error.as_ref()));
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let embedder = HashingEmbedder::default();
    let store = Store::open(&arguments.db, &embedder).await?;
    let library = Library {
        store: store.clone(),
        embedder,
        tenant: arguments.tenant.clone().unwrap_or_default(),
        top_k: arguments.top_k,
        passages: usize::from(arguments.passages),
    };
    let text = arguments.question.join(" ");
    let outcome = tokio::select! {
        answered = question(&library, &text, |sentence| say(&sentence)) => match answered {
            Ok(passages) => {
                say_sources(&passages);
                Outcome::Answered
            }
            Err(error) => Outcome::Unanswered(error),
        },
        pressed = tokio::signal::ctrl_c() => pressed.map(|()| Outcome::Interrupted)?,
    };
    store.close().await;
    Ok(outcome)
}

/// Prints a line at once. That nobody reads on, as in `ask … | head -1`, is no failure of ours.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{}", printable(line)).and_then(|()| out.flush());
}

fn say_sources(passages: &[Passage]) {
    say("");
    say("Sources:");
    for (at, Passage { hit, score }) in passages.iter().enumerate() {
        let page = hit.page.map(|page| format!(", page {page}")).unwrap_or_default();
        let place = [std::slice::from_ref(&hit.name), &hit.headings].concat().join(" > ");
        say(&format!("[{}] {place}{page} (score {score:.2})", at + 1));
    }
}
