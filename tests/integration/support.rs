//! Installs one telemetry at a time, since a process can have only one; and a sink that keeps its
//! records.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ragtrace::metrics::{RequestMetric, StageMinute};
use ragtrace::sink::{Batch, BatchLimits, Delivered, Needs, SinkError};
use ragtrace::{Builder, Console, Level, Record, Sink, Telemetry};

/// Waits for the tests that have telemetry installed.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a builder that writes nothing to the console.
pub(crate) fn quiet() -> Builder {
    ragtrace::builder().service("tests").console(Console::Off)
}

/// Shuts down, and fails the test if anything was lost.
pub(crate) fn finish(telemetry: Telemetry) {
    let report = telemetry.shutdown_blocking(Duration::from_secs(30));
    assert!(report.complete, "{report}");
    assert_eq!(report.stats.dropped.total(), 0);
    for sink in &report.stats.sinks {
        assert!(sink.is_balanced(), "{sink:?}");
        assert_eq!((sink.dropped, sink.dead_lettered, sink.pending), (0, 0, 0), "{sink:?}");
    }
}

/// A sink that keeps every record and count.
#[derive(Clone)]
pub(crate) struct Memory {
    name: &'static str,
    level: Option<Level>,
    needs: Needs,
    kept: Arc<Mutex<Kept>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self::named("memory")
    }
}

#[derive(Default)]
struct Kept {
    records: Vec<Record>,
    requests: Vec<RequestMetric>,
    minutes: Vec<StageMinute>,
}

impl Memory {
    pub(crate) fn named(name: &'static str) -> Self {
        Self { name, level: None, needs: Needs::default(), kept: Arc::default() }
    }

    pub(crate) fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    pub(crate) fn needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.kept().records.clone()
    }

    pub(crate) fn requests(&self) -> Vec<RequestMetric> {
        self.kept().requests.clone()
    }

    pub(crate) fn minutes(&self) -> Vec<StageMinute> {
        self.kept().minutes.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Memory {
    fn name(&self) -> &'static str {
        self.name
    }

    fn level(&self) -> Option<Level> {
        self.level
    }

    fn needs(&self) -> Needs {
        self.needs
    }

    fn limits(&self) -> BatchLimits {
        BatchLimits::default().with_age(Duration::from_millis(20)).with_in_flight(2)
    }

    async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
        let mut kept = self.kept();
        kept.records.extend_from_slice(batch.records());
        kept.requests.extend_from_slice(batch.requests());
        kept.minutes.extend_from_slice(batch.minutes());
        Ok(Delivered::all())
    }
}
