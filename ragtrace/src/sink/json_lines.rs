//! A sink that writes canonical JSON to a writer.

use std::borrow::Cow;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use ragtrace_core::Level;

use super::{Batch, Delivered, Sink, SinkError};

/// A sink that writes each record to a writer, as one line of canonical JSON.
///
/// A batch is written with one call, so that it is written as a whole.
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
    /// The writer, and a buffer in which a batch is formatted first, so that it is written as a
    /// whole or not at all.
    writer: Mutex<(W, Vec<u8>)>,
}

impl<W: Write + Send + 'static> JsonLines<W> {
    /// Creates a sink that writes to `writer`.
    ///
    /// The writer is called on the pipeline's worker thread, so one that blocks delays the
    /// deliveries of every sink. Use a writer that does not block, such as a file or a buffer. The
    /// console writes on a thread of its own.
    pub fn new(writer: W) -> Self {
        Self { name: Cow::Borrowed("json_lines"), level: None, writer: Mutex::new((writer, Vec::new())) }
    }

    /// Sets the name of the sink; `json_lines` by default.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the least severe level that the sink takes; the builder's level by default.
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
        /// The capacity that the buffer keeps; more is freed after a batch.
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
