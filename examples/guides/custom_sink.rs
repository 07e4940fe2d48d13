//! A sink of your own: settings, an encoding, and a verdict on the answer.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

use ragtrace::sink::{Batch, BatchLimits, Delivered, SinkError};
use ragtrace::{Sink, traced_stage};

/// Writes each batch into a file of its own, such as a loader of a data warehouse takes them.
///
/// The file is named by the batch's id. A batch that comes again, after a crash or a timeout,
/// replaces its file, so every record is there once.
pub struct FolderSink {
    folder: PathBuf,
}

impl FolderSink {
    /// Makes a sink that writes into `folder`, which has to exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    async fn write(&self, name: &str, lines: Vec<u8>) -> io::Result<()> {
        // The pipeline's thread must not wait for a disk; `tokio::fs` has the file written on
        // another one.
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
        // Few large files, and nobody waits for them.
        BatchLimits::default().with_records(10_000).with_bytes(8 << 20).with_age(Duration::from_secs(10))
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        if batch.records().is_empty() {
            // It carries counts alone, which have no place here.
            return Ok(Delivered::all());
        }
        // The encoding.
        let mut lines = Vec::new();
        for record in batch.records() {
            record.write_json(&mut lines);
            lines.push(b'\n');
        }
        // The verdict. When to try again, for how long, and where a batch stays meanwhile is the
        // pipeline's business.
        match self.write(&batch.id().to_string(), lines).await {
            Ok(()) => Ok(Delivered::all()),
            Err(error) => Err(match error.kind() {
                // Somebody has to act. The sink waits for that, looks now and then, and loses
                // nothing.
                ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied => {
                    SinkError::park(Unwritable { folder: self.folder.clone(), source: error })
                }
                // Anything else may pass by itself.
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
    // The report names the sink, and says what it delivered and what is left.
    let report = telemetry.shutdown_blocking(Duration::from_secs(10));
    println!("{report}");
    Ok(())
}
