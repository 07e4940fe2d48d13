//! Answers a question from what the `ingest` example stored:
//! `cargo run --release -p ragtrace-examples --example ask -- "question"`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ragtrace::RequestContext;
use ragtrace_examples::embed::HashingEmbedder;
use ragtrace_examples::report::{one_line, printable};
use ragtrace_examples::rerank::Passage;
use ragtrace_examples::stage_logs::{self, PATIENCE, StageLogs};
use ragtrace_examples::store::Store;
use ragtrace_examples::{AskError, Library, Part, question};

/// Answer a question in the words of the documents that the `ingest` example stored, and name the
/// sources.
///
/// Ends with 0 after an answer, 1 if there is none, 2 if none could be looked for, 130 after
/// Ctrl-C.
///
/// Stage logs go to the sinks that `RAGTRACE_SINKS` names: sqlite unless set, and each of postgres,
/// datadog, langsmith and otlp that is built in by a feature of its name.
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
    /// Have the stage logs hold the words of the question and of the answer
    #[arg(long)]
    log_question: bool,
    /// Draw the waterfall of the stages after the answer
    #[arg(long)]
    waterfall: bool,
}

impl Arguments {
    /// One request for the question, so that all its stages are in one trace.
    fn request(&self) -> RequestContext {
        stage_logs::request("ask", self.user.as_deref(), self.tenant.as_deref())
    }
}

enum Outcome {
    Answered,
    Unanswered(AskError),
    Interrupted,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match execute(&Arguments::parse()) {
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

fn execute(arguments: &Arguments) -> Result<Outcome, Failure> {
    let logs = StageLogs::install("rag-ask")?;
    let request = arguments.request();
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(run(arguments, &request));
    // The runtime goes before the telemetry: what it cancels at its end is recorded too.
    runtime.shutdown_timeout(PATIENCE);
    if arguments.waterfall {
        say("");
    }
    logs.end(arguments.waterfall.then(|| request.trace_id()));
    outcome
}

async fn run(arguments: &Arguments, request: &RequestContext) -> Result<Outcome, Failure> {
    let embedder = HashingEmbedder::default();
    let store = Store::open(&arguments.db, &embedder).await?;
    let library = Library {
        store: store.clone(),
        embedder,
        tenant: arguments.tenant.clone().unwrap_or_default(),
        top_k: arguments.top_k,
        passages: usize::from(arguments.passages),
        log_question: arguments.log_question,
    };
    let text = arguments.question.join(" ");
    let on_part = |part: Part<'_>| {
        if let Part::Sentence(sentence) = part {
            say(&sentence);
        }
    };
    let outcome = tokio::select! {
        answered = request.scope(question(&library, &text, on_part)) => match answered {
            Ok(passages) => {
                say_sources(&passages);
                Outcome::Answered
            }
            Err(error) => Outcome::Unanswered(error),
        },
        pressed = tokio::signal::ctrl_c() => pressed.map(|()| Outcome::Interrupted)?,
    };
    // A statement that was interrupted may wait for another program, which nobody here waits for.
    let _ = tokio::time::timeout(PATIENCE, store.close()).await;
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
