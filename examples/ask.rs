//! Answers a question from the documents that the `ingest` example stored:
//! `cargo run --release -p ragtrace-examples --example ask -- "question"`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ragtrace::RequestContext;
use ragtrace_examples::embed::EmbedderOptions;
use ragtrace_examples::interrupt::{Interrupt, Interrupts};
use ragtrace_examples::report::{one_line, printable};
use ragtrace_examples::rerank::{MIN_SCORE, Passage};
use ragtrace_examples::stage_logs::{self, PATIENCE, StageLogs};
use ragtrace_examples::store::Store;
use ragtrace_examples::{AskError, Library, Part, question};

/// Answer a question with sentences of the documents that the `ingest` example stored, and name the
/// sources.
///
/// Exits with 0 after an answer, 1 if there is none, 2 if the search was not possible, 130 after
/// Ctrl-C, 143 after SIGTERM.
///
/// Stage logs go to the sinks that the environment variable `RAGTRACE_SINKS` names: sqlite by
/// default, and postgres, datadog, langsmith and otlp if built with the feature of that name.
#[derive(Debug, Parser)]
#[command(name = "ask", version)]
struct Arguments {
    /// The question; several words need no quotes
    #[arg(required = true)]
    question: Vec<String>,
    /// Database file of documents and vectors
    #[arg(long, value_name = "PATH", default_value = "rag.db")]
    db: PathBuf,
    /// Number of chunks that the search returns
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    top_k: u32,
    /// Number of chunks that the answer is taken from
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..))]
    passages: u8,
    /// Least score of a chunk that answers the question, from 0 to 1
    #[arg(long, value_name = "SCORE", default_value_t = MIN_SCORE, value_parser = score)]
    min_score: f32,
    #[command(flatten)]
    embedding: EmbedderOptions,
    /// Print the answer and its sources as JSON
    #[arg(long)]
    json: bool,
    /// Id of the user who asks, for the stage logs
    #[arg(long)]
    user: Option<String>,
    /// Tenant whose documents are searched
    #[arg(long)]
    tenant: Option<String>,
    /// Record the text of the question and of the answer in the stage logs
    #[arg(long)]
    log_question: bool,
    /// Draw the waterfall of the stages after the answer
    #[arg(long)]
    waterfall: bool,
}

fn score(text: &str) -> Result<f32, String> {
    let score = text.parse().ok().filter(|score| (0.0..=1.0).contains(score));
    score.ok_or_else(|| "it is a number from 0 to 1".to_owned())
}

impl Arguments {
    /// Returns one request for the question, so that all its stages are in one trace.
    fn request(&self) -> RequestContext {
        stage_logs::request("ask", self.user.as_deref(), self.tenant.as_deref())
    }
}

enum Outcome {
    Answered,
    Unanswered(AskError),
    Interrupted(Interrupt),
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match execute(&Arguments::parse()) {
        Ok(Outcome::Answered) => ExitCode::SUCCESS,
        Ok(Outcome::Interrupted(interrupt)) => ExitCode::from(interrupt.exit_code()),
        Ok(Outcome::Unanswered(error)) => {
            eprintln!("error: {}", one_line(&error));
            // A search that failed is another matter than one that found nothing.
            let looked_for = matches!(error, AskError::NoAnswer | AskError::NoDocuments | AskError::NoQuestion);
            ExitCode::from(if looked_for { 1 } else { 2 })
        }
        Err(error) => {
            eprintln!("error: {}", one_line(error.as_ref()));
            ExitCode::from(2)
        }
    }
}

fn execute(arguments: &Arguments) -> Result<Outcome, Failure> {
    let interrupts = Interrupts::listen()?;
    let logs = StageLogs::install("rag-ask")?;
    let request = arguments.request();
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(run(arguments, &request, interrupts));
    // The runtime ends before the telemetry, so that the stages it cancels are recorded too.
    runtime.shutdown_timeout(PATIENCE);
    if arguments.waterfall {
        say("");
    }
    logs.end(arguments.waterfall.then(|| request.trace_id()));
    outcome
}

async fn run(arguments: &Arguments, request: &RequestContext, interrupts: Interrupts) -> Result<Outcome, Failure> {
    // A service may keep this waiting.
    let embedder = tokio::select! {
        made = arguments.embedding.embedder() => made?,
        interrupt = interrupts.clone().first() => return Ok(Outcome::Interrupted(interrupt)),
    };
    let store = Store::open(&arguments.db, &embedder).await?;
    let library = Library {
        store: store.clone(),
        embedder,
        tenant: arguments.tenant.clone().unwrap_or_default(),
        top_k: arguments.top_k,
        passages: usize::from(arguments.passages),
        min_score: arguments.min_score,
        log_question: arguments.log_question,
    };
    let text = arguments.question.join(" ");
    let mut sentences = Vec::new();
    let on_part = |part: Part<'_>| match part {
        Part::Sentence(sentence) if arguments.json => sentences.push(sentence),
        Part::Sentence(sentence) => say(&sentence),
        Part::Passages(_) => (),
    };
    let answered = tokio::select! {
        answered = request.scope(question(&library, &text, on_part)) => Ok(answered),
        interrupt = interrupts.first() => Err(interrupt),
    };
    let outcome = match answered {
        Ok(answered) => {
            if arguments.json {
                say_json(&sentences, &answered);
            } else if let Ok(passages) = &answered {
                say_sources(passages);
            }
            answered.map_or_else(Outcome::Unanswered, |_| Outcome::Answered)
        }
        Err(interrupt) => Outcome::Interrupted(interrupt),
    };
    // An interrupted statement may be waiting for another program, so this wait has a limit.
    let _ = tokio::time::timeout(PATIENCE, store.close()).await;
    Ok(outcome)
}

/// Prints a line at once. A closed pipe, as in `ask … | head -1`, is not an error.
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

/// Prints the outcome as one JSON object.
fn say_json(sentences: &[String], answered: &Result<Vec<Passage>, AskError>) {
    let sources = answered.iter().flatten().map(|Passage { hit, score }| {
        serde_json::json!({
            "document": hit.name, "path": hit.path, "page": hit.page, "headings": hit.headings, "score": score, "text": hit.text,
        })
    });
    let answer = serde_json::json!({
        "answered": answered.is_ok(),
        "sentences": sentences,
        "sources": sources.collect::<Vec<_>>(),
        "error": answered.as_ref().err().map(|error| one_line(error)),
    });
    // A closed pipe is not an error.
    let _ = writeln!(io::stdout(), "{answer}");
}
