//! A command-line tool with a synchronous `main`, one trace for each run, and a final shutdown.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use ragtrace::{Console, RequestContext, Telemetry, traced_stage};
use ragtrace_sinks::SqliteSink;

/// Cuts a document into chunks. Functions that are not `async` can be stages too.
#[traced_stage("document_ingestion", kind = pipeline, fields(doc = path))]
fn ingest(path: &Path) -> io::Result<Vec<String>> {
    let text = parse(path)?;
    Ok(chunk(&text, 200))
}

#[traced_stage("file_parsing", kind = parse, ok(|text| chars = text.chars().count()))]
fn parse(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path)
}

#[traced_stage("document_chunking", kind = chunk, fields(max_chars))]
fn chunk(text: &str, max_chars: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(max_chars).map(String::from_iter).collect()
}

fn main() -> ExitCode {
    let telemetry = match install() {
        Ok(telemetry) => telemetry,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };

    // A run of the program is one request, and so one trace.
    let run = RequestContext::new().with_request_type("ingest");
    let failures = run
        .sync_scope(|| std::env::args_os().skip(1).map(PathBuf::from).filter(|path| !ingest_and_print(path)).count());

    // `main` returns the exit code, because `std::process::exit` would end the process before
    // anything is delivered.
    let report = telemetry.shutdown_blocking(Duration::from_secs(5));
    if !report.complete {
        eprintln!("warning: not all stage logs were delivered: {report}");
    }
    eprintln!("see where the time went: ragtrace trace {}", run.trace_id());
    ExitCode::from(u8::from(failures > 0))
}

/// Installs telemetry. The console is off, because a command prints its own messages.
fn install() -> Result<Telemetry, ragtrace::SetupError> {
    ragtrace::builder().service("cut").console(Console::Off).sink(SqliteSink::new("ragtrace.db")).install()
}

/// Returns `true` if the document was ingested. A failure has already been recorded, with all its
/// sources.
fn ingest_and_print(path: &Path) -> bool {
    match ingest(path) {
        Ok(chunks) => println!("{}: {} chunks", path.display(), chunks.len()),
        Err(ref error) => {
            eprintln!("{}: {error}", path.display());
            return false;
        }
    }
    true
}
