//! A sink of your own: settings, an encoding, and the outcome of a delivery.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

use ragtrace::sink::{Batch, BatchLimits, Delivered, SinkError};
use ragtrace::{Sink, traced_stage};

/// A sink that writes each batch to a file of its own, as loaders of data warehouses expect.
///
/// The file is named after the batch's id. If a batch is delivered again, after a crash or a
/// timeout, it replaces its file, so every record is stored exactly once.
pub struct FolderSink {
    folder: PathBuf,
}

impl FolderSink {
    /// Creates a sink that writes to `folder`, which has to exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    async fn write(&self, name: &str, lines: Vec<u8>) -> io::Result<()> {
        // A sink must not block the pipeline's thread. `tokio::fs` writes on another thread.
        let (part, whole) = (self.folder.join(format!("{name}.part")), self.folder.join(format!("{name}.jsonl")));
        tokio::fs::write(&part, lines).await?;
        tokio::fs::rename(&part, &whole).await
    }
}

impl Sink for FolderSink {
    fn name(&self) -> &'static str {
        "folder"
    }

    fn limits(&self) -> BatchLimits {
        // The loader prefers few large files, and a delay does not matter.
        BatchLimits::default().with_records(10_000).with_bytes(8 << 20).with_age(Duration::from_secs(10))
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        if batch.records().is_empty() {
            // A batch without records carries only metrics, which this sink does not store.
            return Ok(Delivered::all());
        }
        // The encoding.
        let mut lines = Vec::new();
        for record in batch.records() {
            record.write_json(&mut lines);
            lines.push(b'\n');
        }
        // The outcome. The pipeline decides when to retry, for how long, and where the batch is
        // kept until then.
        match self.write(&batch.id().to_string(), lines).await {
            Ok(()) => Ok(Delivered::all()),
            Err(error) => Err(match error.kind() {
                // An operator has to act. The pipeline waits, probes from time to time, and loses
                // nothing.
                ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied => {
                    SinkError::park(Unwritable { folder: self.folder.clone(), source: error })
                }
                // Any other error may be temporary.
                _ => SinkError::retry(error),
            }),
        }
    }
}

/// An error whose message says what to do, and whose source says why.
#[derive(Debug)]
struct Unwritable {
    folder: PathBuf,
    source: io::Error,
}

impl std::fmt::Display for Unwritable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} cannot be written to; create it, or let this user write there", self.folder.display())
    }
}

impl std::error::Error for Unwritable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

#[traced_stage(kind = chunk)]
fn chunk(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os().nth(1).unwrap_or_else(|| "records".into());
    let telemetry = ragtrace::builder().service("rag-api").sink(FolderSink::new(folder)).from_env().install()?;
    chunk("a text to be cut");
    // The report names each sink, with the numbers of delivered and remaining records.
    let report = telemetry.shutdown_blocking(Duration::from_secs(10));
    println!("{report}");
    Ok(())
}
