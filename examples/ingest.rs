//! Ingests documents for the `ask` example:
//! `cargo run --release -p ragtrace-examples --example ingest -- examples/data`.

use std::collections::BTreeMap;
use std::mem;
use std::process::ExitCode;

use clap::Parser;
use ragtrace::RequestContext;
use ragtrace_examples::changes::compare;
use ragtrace_examples::embed::AnyEmbedder;
use ragtrace_examples::ingest::{Incomplete, fingerprint};
use ragtrace_examples::interrupt::{Interrupt, Interrupts};
use ragtrace_examples::options::Options;
use ragtrace_examples::parse::{OnProgress, child};
use ragtrace_examples::progress::{self, Output, Progress};
use ragtrace_examples::report::{Tally, one_line};
use ragtrace_examples::sources::Sources;
use ragtrace_examples::stage_logs::{PATIENCE, StageLogs};
use ragtrace_examples::store::{Store, StoreError};
use ragtrace_examples::{Ingestion, Source, ingestion};

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    // A document is read by another process of this program, which does nothing else.
    child::serve();
    let options = Options::parse();
    let outcome = if options.dry_run { preview(&options) } else { execute(&options) };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {}", one_line(error.as_ref()));
        ExitCode::from(2)
    })
}

/// Ingests everything.
fn execute(options: &Options) -> Result<ExitCode, Failure> {
    let interrupts = Interrupts::listen()?;
    let logs = StageLogs::install("rag-ingest")?;
    let request = options.request();
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(run(options, &request, interrupts));
    // The runtime ends before the telemetry, so that the stages it cancels are recorded too.
    runtime.shutdown_timeout(PATIENCE);
    let output = options.output();
    logs.end((output == Output::Lines).then(|| request.trace_id()));
    let (tally, interrupt) = outcome?;
    let code = interrupt.map_or(u8::from(tally.failed() > 0), Interrupt::exit_code);
    progress::print(&tally, output, request.trace_id(), code);
    Ok(ExitCode::from(code))
}

/// Ingests everything, until the end or the first signal. Returns the tally, and the signal if it
/// came before the end.
async fn run(
    options: &Options,
    request: &RequestContext,
    interrupts: Interrupts,
) -> Result<(Tally, Option<Interrupt>), Failure> {
    // A service may keep this waiting.
    let embedder = tokio::select! {
        made = options.embedding.embedder() => made?,
        interrupt = interrupts.clone().first() => return Ok((Tally::default(), Some(interrupt))),
    };
    let chunking = options.chunking()?;
    let mut reading = options.reading()?;
    let mut progress = Progress::looking(options.output());
    let within = progress.within();
    reading.on_progress = OnProgress::new(move |source, at| within.pages(source, at.done, at.pages));
    let store = Store::create(&options.db, &embedder).await?;
    let mut shared = Ingestion {
        tenant: options.tenant(),
        skip_unchanged: !options.force,
        reading,
        ..Ingestion::new(store.clone(), embedder, chunking)
    };
    // Leaving this expression drops what is still running, at whatever it awaits.
    let interrupt = tokio::select! {
        done = ingest(options, &mut shared, &mut progress, request) => done.map(|()| None)?,
        interrupt = interrupts.first() => Some(interrupt),
    };
    let tally = progress.finish();
    // An interrupted statement may be waiting for another program, so this wait has a limit.
    let _ = tokio::time::timeout(PATIENCE, store.close()).await;
    Ok((tally, interrupt))
}

/// Finds the documents, and ingests them.
async fn ingest(
    options: &Options,
    shared: &mut Ingestion<AnyEmbedder>,
    progress: &mut Progress,
    request: &RequestContext,
) -> Result<(), Failure> {
    let known = shared.store.known(&shared.tenant).await?;
    let mut sources = Sources::find(options, &shared.reading, &known).await?;
    let gone = mem::take(&mut sources.gone);
    progress.found(&mut sources.found, if options.prune { 0 } else { gone.len() });
    if options.prune {
        shared.gone = gone;
    }
    let documents = mem::take(&mut sources.documents);
    let on_document = |source: &Source, outcome: &Result<_, _>| progress.document(source, outcome);
    match request.scope(ingestion(shared, documents, options.jobs(), on_document)).await {
        // The display has told the documents that failed.
        Ok(totals) | Err(Incomplete { totals, removal: None }) => progress.removed(totals.removed, &shared.gone),
        Err(Incomplete { removal: Some(error), .. }) => progress.not_removed(&error, &shared.gone),
    }
    Ok(())
}

/// Prints the documents that would be ingested and removed, and changes nothing.
fn preview(options: &Options) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Runtime::new()?;
    let (chunking, reading) = (options.chunking()?, options.reading()?);
    let previewed: Result<_, Failure> = runtime.block_on(async {
        let embedder = options.embedding.embedder().await?;
        let known = match Store::open(&options.db, &embedder).await {
            Ok(store) => store.known(&options.tenant()).await?,
            Err(StoreError::Missing(_)) => BTreeMap::new(),
            Err(error) => return Err(error.into()),
        };
        let mut sources = Sources::find(options, &reading, &known).await?;
        let known = if options.force { BTreeMap::new() } else { known };
        let documents = mem::take(&mut sources.documents);
        Ok((compare(documents, known, fingerprint(&embedder, &reading, &chunking)).await, sources))
    });
    let (compared, sources) = previewed?;
    progress::preview(&compared, &sources, options.prune, options.output());
    Ok(ExitCode::SUCCESS)
}
