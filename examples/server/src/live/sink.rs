//! The sink that fills the memory of live traces.

use std::time::Duration;

use ragtrace::sink::{Batch, BatchLimits, Delivered, SinkError};
use ragtrace::{Level, Sink};

use super::Live;

/// A sink that puts records into memory, where clients that follow a trace read them.
#[derive(Debug)]
pub struct LiveSink(Live);

impl LiveSink {
    pub(super) fn new(live: Live) -> Self {
        Self(live)
    }
}

impl Sink for LiveSink {
    fn name(&self) -> &'static str {
        "live"
    }

    /// Returns `info`, the level of starts and ends of stages, which the page needs whatever level
    /// the other sinks have.
    fn level(&self) -> Option<Level> {
        Some(Level::Info)
    }

    /// Returns limits for a person who watches: records are shown soon, and no batch holds the lock
    /// for long.
    fn limits(&self) -> BatchLimits {
        BatchLimits::default().with_records(200).with_age(Duration::from_millis(50))
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        self.0.accept(batch.records());
        Ok(Delivered::all())
    }
}

#[cfg(test)]
mod tests {
    use ragtrace::testing::sink::SinkTest;

    use super::*;

    #[test]
    fn the_sink_takes_whatever_a_pipeline_gives_it() {
        SinkTest::new(Live::new().sink()).run_sync().assert_passed();
    }
}
