//! A sink that writes to a file, for processes that are killed: each batch is one line, and is
//! written completely or not at all.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use ragtrace::Sink;
use ragtrace::sink::{Batch, BatchLimits, Delivered, SinkError};
use uuid::Uuid;

use crate::oracle::Trace;

/// The behaviour of a [`FileSink`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Accepts every batch.
    Up,
    /// Accepts nothing.
    Down,
    /// Fails half of the time, and half of that after it has accepted the batch.
    Flaky,
    /// Accepts at most three records at once, and takes a while for each batch.
    Splitting,
}

impl FromStr for Manner {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "up" => Ok(Self::Up),
            "down" => Ok(Self::Down),
            "flaky" => Ok(Self::Flaky),
            "splitting" => Ok(Self::Splitting),
            _ => Err(format!("no manner: {text}")),
        }
    }
}

/// A sink that appends one line per batch.
#[derive(Debug)]
pub struct FileSink {
    path: PathBuf,
    manner: Manner,
}

impl FileSink {
    /// Creates a sink that appends to `path`.
    pub fn new(path: impl Into<PathBuf>, manner: Manner) -> Self {
        Self { path: path.into(), manner }
    }

    fn append(&self, batch: &Batch) -> std::io::Result<()> {
        let mut line = batch.id().to_string();
        for trace in batch.records().iter().filter_map(Trace::of) {
            // Writing to a `String` cannot fail.
            let _ = write!(line, " {}{}", trace.number, if trace.is_end { "e" } else { "s" });
        }
        line.push('\n');
        File::options().create(true).append(true).open(&self.path)?.write_all(line.as_bytes())
    }
}

impl Sink for FileSink {
    fn name(&self) -> &'static str {
        "file"
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits::default().with_records(16).with_age(Duration::from_millis(20))
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        match self.manner {
            Manner::Down => return Err(SinkError::retry("down")),
            Manner::Flaky if fastrand::bool() => {
                if fastrand::bool() {
                    self.append(batch).map_err(SinkError::retry)?;
                }
                return Err(SinkError::retry("flaky"));
            }
            Manner::Splitting if batch.records().len() > 3 => return Err(SinkError::split("too many")),
            Manner::Splitting => tokio::time::sleep(Duration::from_millis(3)).await,
            Manner::Up | Manner::Flaky => {}
        }
        self.append(batch).map(|()| Delivered::all()).map_err(SinkError::retry)
    }
}

/// A batch that arrived.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// The batch's id.
    pub id: Uuid,
    /// The batch's records.
    pub traces: Vec<Trace>,
}

/// Returns the batches in a file, including repetitions.
///
/// # Panics
///
/// Panics if a line was not written by [`FileSink`].
pub fn read_lines(path: &Path) -> Vec<Line> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = |line: &str| {
        let mut words = line.split(' ');
        let id = words.next().and_then(|id| id.parse().ok()).expect("a line begins with an id");
        let trace = |word: &str| {
            let (number, end) = word.split_at(word.len() - 1);
            Trace { number: number.parse().expect("a number"), is_end: end == "e" }
        };
        Line { id, traces: words.map(trace).collect() }
    };
    text.lines().map(line).collect()
}
