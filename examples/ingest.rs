//! Ingests documents for the `ask` example: `cargo run --release --example ingest -- examples/data`.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use futures_util::{FutureExt, StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use ragtrace_examples::chunk::{Chunking, Unit};
use ragtrace_examples::discover::{Found, discover};
use ragtrace_examples::embed::HashingEmbedder;
use ragtrace_examples::ingest::Ingested;
use ragtrace_examples::report::{Tally, one_line, printable};
use ragtrace_examples::store::Store;
use ragtrace_examples::{IngestError, Ingestion, ingestion};

/// Read documents, cut them into chunks, embed and store them, for the `ask` example to answer from.
///
/// Ends with 0 if every document was ingested, 1 if one was not, 2 if nothing could be tried, 130 after Ctrl-C.
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
    /// How much of the chunk before a chunk may repeat, in whole sentences [default: an eighth of the size]
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

/// How long work that cannot be stopped may go on after Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&error),
    };
    let outcome = runtime.block_on(run(&arguments));
    runtime.shutdown_timeout(PATIENCE);
    match outcome {
        Ok((tally, interrupted)) => {
            println!("{tally}");
            ExitCode::from(if interrupted { 130 } else { u8::from(tally.failed > 0) })
        }
        Err(error) => refuse(error.as_ref()),
    }
}

fn refuse(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    eprintln!("error: {}", one_line(error));
    ExitCode::from(2)
}

/// Ingests everything; whether Ctrl-C came before the end is told beside the tally.
async fn run(arguments: &Arguments) -> Result<(Tally, bool), Failure> {
    let chunking = arguments.chunking()?;
    let embedder = HashingEmbedder::default();
    let store = Store::create(&arguments.db, &embedder).await?;
    let tenant = arguments.tenant.clone().unwrap_or_default();
    let shared = Ingestion { store: store.clone(), embedder, chunking, tenant };

    let Found { documents, skipped } = discover(&arguments.paths);
    let mut progress = Progress::new(documents.len(), skipped);
    let interrupted = {
        let all = pin!(ingest_all(&shared, documents, usize::from(arguments.jobs), &mut progress));
        // Leaving this block drops what is still running, at whatever it awaits.
        tokio::select! {
            () = all => false,
            pressed = tokio::signal::ctrl_c() => pressed.map(|()| true)?,
        }
    };
    let tally = progress.finish();
    store.close().await;
    Ok((tally, interrupted))
}

async fn ingest_all(
    shared: &Ingestion<HashingEmbedder>,
    documents: Vec<PathBuf>,
    jobs: usize,
    progress: &mut Progress,
) {
    let outcomes = stream::iter(documents).map(|path| async move {
        // One document that meets a mistake of ours must not end the others.
        let outcome = AssertUnwindSafe(ingestion(shared, &path)).catch_unwind().await;
        (path, outcome)
    });
    let mut outcomes = pin!(outcomes.buffer_unordered(jobs));
    while let Some((path, outcome)) = outcomes.next().await {
        let name = printable(&path.display().to_string());
        match outcome {
            Ok(Ok(ingested)) => progress.ingested(&name, &ingested),
            Ok(Err(error)) => progress.failed(&name, &error),
            Err(_panic) => progress.panicked(&name),
        }
    }
}

/// What is shown while the work goes on: a bar, if standard error is a terminal, and a line for each failure.
struct Progress {
    bar: ProgressBar,
    tally: Tally,
    documents: usize,
}

impl Progress {
    fn new(documents: usize, skipped: usize) -> Self {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} documents, {msg} ({elapsed})");
        let bar = ProgressBar::new(documents as u64).with_message("0 chunks");
        let bar = style.map(|style| bar.clone().with_style(style)).unwrap_or(bar);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, tally: Tally { skipped, ..Tally::default() }, documents }
    }

    fn ingested(&mut self, name: &str, ingested: &Ingested) {
        self.tally.ingested += 1;
        self.tally.chunks += ingested.stored.chunks;
        if !ingested.unreadable_pages.is_empty() {
            let pages = ingested.unreadable_pages.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
            self.say(&format!("warning: {name}: without pages {pages}, which cannot be read; save the PDF anew"));
        }
        self.step();
    }

    fn failed(&mut self, name: &str, error: &IngestError) {
        self.tally.failed += 1;
        self.say(&format!("error: {name}: {}", one_line(error)));
        self.step();
    }

    fn panicked(&mut self, name: &str) {
        self.tally.failed += 1;
        self.say(&format!("error: {name}: the pipeline panicked, as said above; please report this"));
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
