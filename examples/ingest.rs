//! Ingests documents for the `ask` example:
//! `cargo run --release -p ragtrace-examples --example ingest -- examples/data`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ragtrace::RequestContext;
use ragtrace_examples::chunk::{Chunking, Unit};
use ragtrace_examples::discover::{Found, discover};
use ragtrace_examples::embed::HashingEmbedder;
use ragtrace_examples::ingest::Ingested;
use ragtrace_examples::report::{Tally, one_line, printable};
use ragtrace_examples::stage_logs::{self, PATIENCE, StageLogs};
use ragtrace_examples::store::Store;
use ragtrace_examples::{IngestError, Ingestion, Source, ingestion};

/// Read documents, cut them into chunks, embed and store them, for the `ask` example to answer
/// from.
///
/// Ends with 0 if every document was ingested, 1 if one was not, 2 if nothing could be tried, 130
/// after Ctrl-C.
///
/// Stage logs go to the sinks that `RAGTRACE_SINKS` names: sqlite unless set, and each of postgres,
/// datadog, langsmith and otlp that is built in by a feature of its name.
#[derive(Debug, Parser)]
#[command(name = "ingest", version)]
struct Arguments {
    /// Files and folders; folders with all in them. Read are .md, .txt, .html and .pdf
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// What the size of a chunk is counted in
    #[arg(long, value_enum, default_value = "tokens")]
    chunk_by: ChunkBy,
    /// The greatest size of a chunk [default: 160 tokens or 800 characters]
    #[arg(long, value_name = "N")]
    chunk_size: Option<usize>,
    /// How much of the chunk before a chunk may repeat, in whole sentences [default: an eighth of
    /// the size]
    #[arg(long, value_name = "N")]
    overlap: Option<usize>,
    /// The database of documents and vectors
    #[arg(long, value_name = "PATH", default_value = "rag.db")]
    db: PathBuf,
    /// Who asks for this, as the stage logs name them
    #[arg(long)]
    user: Option<String>,
    /// Whose documents these are
    #[arg(long)]
    tenant: Option<String>,
    /// How many documents are worked on at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ChunkBy {
    Tokens,
    Chars,
}

impl Arguments {
    /// One request for the whole run, so that all its stages are in one trace.
    fn request(&self) -> RequestContext {
        stage_logs::request("ingest", self.user.as_deref(), self.tenant.as_deref())
    }

    fn chunking(&self) -> Result<Chunking, Failure> {
        let (unit, size) = match self.chunk_by {
            ChunkBy::Tokens => (Unit::Tokens, 160),
            ChunkBy::Chars => (Unit::Chars, 800),
        };
        let size = self.chunk_size.unwrap_or(size);
        Ok(Chunking::new(unit, size, self.overlap.unwrap_or(size / 8))?)
    }
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match execute(&Arguments::parse()) {
        Ok((tally, interrupted)) => {
            // That nobody reads on is no failure of ours.
            let _ = writeln!(io::stdout(), "{tally}");
            ExitCode::from(if interrupted { 130 } else { u8::from(tally.failed > 0) })
        }
        Err(error) => {
            eprintln!("error: {}", one_line(error.as_ref()));
            ExitCode::from(2)
        }
    }
}

/// Ingests everything; whether Ctrl-C came before the end is told beside the tally.
fn execute(arguments: &Arguments) -> Result<(Tally, bool), Failure> {
    let logs = StageLogs::install("rag-ingest")?;
    let request = arguments.request();
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(run(arguments, &request));
    // The runtime goes before the telemetry: what it cancels at its end is recorded too.
    runtime.shutdown_timeout(PATIENCE);
    logs.end(Some(request.trace_id()));
    outcome
}

async fn run(arguments: &Arguments, request: &RequestContext) -> Result<(Tally, bool), Failure> {
    let chunking = arguments.chunking()?;
    let embedder = HashingEmbedder::default();
    let store = Store::create(&arguments.db, &embedder).await?;
    let tenant = arguments.tenant.clone().unwrap_or_default();
    let shared = Ingestion { store: store.clone(), embedder, chunking, tenant, places: None };

    let mut progress = Progress::looking();
    let Found { documents, skipped } = discover(&arguments.paths);
    progress.found(documents.len(), skipped);
    let interrupted = {
        let jobs = usize::from(arguments.jobs);
        let sources = documents.into_iter().map(Source::from).collect();
        let all = ingestion(&shared, sources, jobs, |source, outcome| progress.document(&source.path, outcome));
        // Leaving this block drops what is still running, at whatever it awaits.
        tokio::select! {
            // That documents failed is in the tally.
            _totals = request.scope(all) => false,
            pressed = tokio::signal::ctrl_c() => pressed.map(|()| true)?,
        }
    };
    let tally = progress.finish();
    // A statement that was interrupted may wait for another program, which nobody here waits for.
    let _ = tokio::time::timeout(PATIENCE, store.close()).await;
    Ok((tally, interrupted))
}

/// What is shown while the work goes on: a bar, if standard error is a terminal, and a line for
/// each failure.
struct Progress {
    bar: ProgressBar,
    tally: Tally,
    documents: usize,
}

impl Progress {
    /// While the folders are walked.
    fn looking() -> Self {
        let bar = ProgressBar::new_spinner().with_message("looking for documents");
        if StageLogs::are_on_console() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, tally: Tally::default(), documents: 0 }
    }

    fn found(&mut self, documents: usize, skipped: usize) {
        self.documents = documents;
        self.tally.skipped = skipped;
        self.bar.set_length(documents as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} documents, {msg} ({elapsed})") {
            self.bar.set_style(style);
        }
        self.bar.set_message("0 chunks");
    }

    fn document(&mut self, path: &Path, outcome: &Result<Ingested, IngestError>) {
        let name = printable(&path.display().to_string());
        match outcome {
            Ok(ingested) => {
                self.tally.ingested += 1;
                self.tally.chunks += ingested.stored.chunks;
                for loss in &ingested.losses {
                    self.say(&format!("warning: {name}: {}", printable(&loss.to_string())));
                }
            }
            Err(error) => {
                self.tally.failed += 1;
                self.say(&format!("error: {name}: {}", one_line(error)));
            }
        }
        self.step();
    }

    fn step(&self) {
        self.bar.set_message(format!("{} chunks", self.tally.chunks));
        self.bar.inc(1);
    }

    /// Prints a line on standard error, above the bar.
    fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    fn finish(mut self) -> Tally {
        self.bar.finish_and_clear();
        self.tally.cancelled = self.documents - self.tally.ingested - self.tally.failed;
        self.tally
    }
}
