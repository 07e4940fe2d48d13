//! The sink.

use std::time::Duration;

use ragtrace::sink::{Batch, BatchLimits, Delivered, SinkError};
use ragtrace::{Level, Sink};

use super::Live;

/// Puts records into memory, where whoever follows a trace sees them.
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

    /// Starts and ends of stages are at this level, and the page is nothing without them, whatever
    /// level the other sinks are given.
    fn level(&self) -> Option<Level> {
        Some(Level::Info)
    }

    /// A person watches: what happened is shown soon, and no batch holds the lock for long.
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
