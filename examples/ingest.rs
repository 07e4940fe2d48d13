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
use ragtrace_examples::parse::child;
use ragtrace_examples::report::{Tally, one_line, printable};
use ragtrace_examples::stage_logs::{self, PATIENCE, StageLogs};
use ragtrace_examples::store::Store;
use ragtrace_examples::{IngestError, Ingestion, Source, ingestion};

/// Read documents, cut them into chunks, and embed and store these, so that the `ask` example can
/// answer questions from them.
///
/// Exits with 0 if every document was ingested, 1 if one was not, 2 if nothing could be tried, 130
/// after Ctrl-C.
///
/// Stage logs go to the sinks that the environment variable `RAGTRACE_SINKS` names: sqlite by
/// default, and postgres, datadog, langsmith and otlp if built with the feature of that name.
#[derive(Debug, Parser)]
#[command(name = "ingest", version)]
struct Arguments {
    /// Files and folders to read, folders with everything in them: .md, .txt, .html and .pdf
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Unit of the size of a chunk
    #[arg(long, value_enum, default_value = "tokens")]
    chunk_by: ChunkBy,
    /// Largest size of a chunk [default: 160 tokens or 800 characters]
    #[arg(long, value_name = "N")]
    chunk_size: Option<usize>,
    /// Largest part of a chunk that repeats the end of the chunk before, in whole sentences
    /// [default: an eighth of the size]
    #[arg(long, value_name = "N")]
    overlap: Option<usize>,
    /// Database file of documents and vectors
    #[arg(long, value_name = "PATH", default_value = "rag.db")]
    db: PathBuf,
    /// Id of the user who ingests, for the stage logs
    #[arg(long)]
    user: Option<String>,
    /// Tenant that the documents belong to
    #[arg(long)]
    tenant: Option<String>,
    /// Number of documents that are ingested at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ChunkBy {
    Tokens,
    Chars,
}

impl Arguments {
    /// Returns one request for the whole run, so that all its stages are in one trace.
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
    // A document is read by another process of this program, which does nothing else.
    child::serve();
    match execute(&Arguments::parse()) {
        Ok((tally, interrupted)) => {
            // A closed pipe is not an error.
            let _ = writeln!(io::stdout(), "{tally}");
            ExitCode::from(if interrupted { 130 } else { u8::from(tally.failed > 0) })
        }
        Err(error) => {
            eprintln!("error: {}", one_line(error.as_ref()));
            ExitCode::from(2)
        }
    }
}

/// Ingests everything. Returns the tally, and `true` if Ctrl-C came before the end.
fn execute(arguments: &Arguments) -> Result<(Tally, bool), Failure> {
    let logs = StageLogs::install("rag-ingest")?;
    let request = arguments.request();
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(run(arguments, &request));
    // The runtime ends before the telemetry, so that the stages it cancels are recorded too.
    runtime.shutdown_timeout(PATIENCE);
    logs.end(Some(request.trace_id()));
    outcome
}

async fn run(arguments: &Arguments, request: &RequestContext) -> Result<(Tally, bool), Failure> {
    let chunking = arguments.chunking()?;
    let embedder = HashingEmbedder::default();
    let store = Store::create(&arguments.db, &embedder).await?;
    let tenant = arguments.tenant.clone().unwrap_or_default();
    let shared = Ingestion { tenant, ..Ingestion::new(store.clone(), embedder, chunking) };

    let mut progress = Progress::looking();
    let Found { documents, skipped } = discover(&arguments.paths);
    progress.found(documents.len(), skipped);
    let interrupted = {
        let jobs = usize::from(arguments.jobs);
        let sources = documents.into_iter().map(Source::from).collect();
        let all = ingestion(&shared, sources, jobs, |source, outcome| progress.document(&source.path, outcome));
        // Leaving this block drops what is still running, at whatever it awaits.
        tokio::select! {
            // The tally contains the documents that failed.
            _totals = request.scope(all) => false,
            pressed = tokio::signal::ctrl_c() => pressed.map(|()| true)?,
        }
    };
    let tally = progress.finish();
    // An interrupted statement may be waiting for another program, so this wait has a limit.
    let _ = tokio::time::timeout(PATIENCE, store.close()).await;
    Ok((tally, interrupted))
}

/// The display of the progress: a bar, if standard error is a terminal, and a line for each
/// failure.
struct Progress {
    bar: ProgressBar,
    tally: Tally,
    documents: usize,
}

impl Progress {
    /// Returns the display for the time in which the folders are walked.
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
