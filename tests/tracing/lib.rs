//! Tests of the layer for `tracing`, each in a process of its own, and their common support.

pub mod recording;

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ragtrace::sink::{Batch, BatchLimits, Delivered, SinkError};
use ragtrace::{Builder, Console, Event, Level, Record, Sink, Telemetry};
use tracing_subscriber::fmt::MakeWriter;

/// Waits for the tests of this process that have telemetry installed.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a builder that writes nothing to the console.
pub fn quiet() -> Builder {
    ragtrace::builder().service("tests").console(Console::Off)
}

/// Shuts down.
///
/// # Panics
///
/// Panics if anything was lost.
pub fn finish(telemetry: Telemetry) {
    let report = telemetry.shutdown_blocking(Duration::from_secs(30));
    assert!(report.complete, "{report}");
    assert_eq!(report.stats.dropped.total(), 0);
}

/// A sink that keeps every record.
#[derive(Clone)]
pub struct Kept {
    name: &'static str,
    level: Option<Level>,
    records: Arc<Mutex<Vec<Record>>>,
}

impl Default for Kept {
    fn default() -> Self {
        Self::named("kept")
    }
}

impl Kept {
    /// Creates a sink with this name.
    pub fn named(name: &'static str) -> Self {
        Self { name, level: None, records: Arc::default() }
    }

    /// Sets the least severe level that the sink accepts.
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Returns the records so far.
    pub fn records(&self) -> Vec<Record> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the records of log lines, except the pipeline's own.
    pub fn lines(&self) -> Vec<Record> {
        let is_line = |record: &Record| record.event() == Event::Log && record.logger() != "ragtrace";
        self.records().into_iter().filter(is_line).collect()
    }

    /// Returns the messages of those lines.
    pub fn messages(&self) -> Vec<String> {
        self.lines().iter().map(|line| line.message().into_owned()).collect()
    }
}

impl Sink for Kept {
    fn name(&self) -> &'static str {
        self.name
    }

    fn level(&self) -> Option<Level> {
        self.level
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits::default().with_age(Duration::from_millis(20))
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(batch.records());
        Ok(Delivered::all())
    }
}

/// The text that a formatter has written.
#[derive(Clone, Default)]
pub struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    /// Returns the text written so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
