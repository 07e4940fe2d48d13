//! A sink that only counts.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use ragtrace_core::Level;

use super::{Batch, Delivered, Sink, SinkError};

/// A sink that counts records and discards them, for benchmarks and experiments.
#[derive(Debug)]
pub struct Discard {
    name: Cow<'static, str>,
    level: Option<Level>,
    seen: AtomicU64,
}

impl Discard {
    /// Creates a sink with a count of zero.
    pub fn new() -> Self {
        Self { name: Cow::Borrowed("discard"), level: None, seen: AtomicU64::new(0) }
    }

    /// Sets the name of the sink; `discard` by default.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the least severe level that the sink takes; the builder's level by default.
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Returns the number of records that the sink was given.
    pub fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }
}

impl Default for Discard {
    fn default() -> Self {
        Self::new()
    }
}

impl Sink for Discard {
    fn name(&self) -> &str {
        &self.name
    }

    fn level(&self) -> Option<Level> {
        self.level
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        self.seen.fetch_add(batch.records().len() as u64, Ordering::Relaxed);
        Ok(Delivered::all())
    }
}
