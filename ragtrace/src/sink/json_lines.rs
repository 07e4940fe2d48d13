//! The sink that writes canonical JSON to a writer.

use std::borrow::Cow;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use ragtrace_core::Level;

use super::{Batch, Delivered, Sink, SinkError};

/// Writes each record's canonical JSON as a line to any writer, whole batches at a time.
///
/// ```
/// # fn open() -> std::io::Result<()> {
/// use ragtrace::sink::JsonLines;
///
/// let file = std::fs::File::options().create(true).append(true).open("errors.jsonl")?;
/// let errors = JsonLines::new(file).named("errors").level(ragtrace::Level::Error);
/// # let _ = ragtrace::builder().sink(errors);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct JsonLines<W> {
    name: Cow<'static, str>,
    level: Option<Level>,
    /// The writer, and memory that a batch is written to first, so that a batch is whole or absent.
    writer: Mutex<(W, Vec<u8>)>,
}

impl<W: Write + Send + 'static> JsonLines<W> {
    /// Makes a sink that writes to `writer`.
    ///
    /// A writer that blocks holds up every sink's deliveries, so give it one that does not (a file,
    /// a buffer); the console has a thread of its own.
    pub fn new(writer: W) -> Self {
        Self { name: Cow::Borrowed("json_lines"), level: None, writer: Mutex::new((writer, Vec::new())) }
    }

    /// Sets the sink's name; `json_lines` unless set.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the least severe level that it takes; the builder's unless set.
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }
}

impl<W: Write + Send + 'static> Sink for JsonLines<W> {
    fn name(&self) -> &str {
        &self.name
    }

    fn level(&self) -> Option<Level> {
        self.level
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        /// More than a usual batch takes is given back.
        const KEPT: usize = 2 << 20;
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let (writer, lines) = &mut *writer;
        lines.clear();
        lines.shrink_to(KEPT);
        for record in batch.records() {
            record.write_json(lines);
            lines.push(b'\n');
        }
        writer.write_all(lines).and_then(|()| writer.flush()).map(|()| Delivered::all()).map_err(SinkError::retry)
    }
}
