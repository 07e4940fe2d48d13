//! How a test of a sink is set up and run.

use std::time::Duration;

use super::checks::{Checks, Count};
use super::report::SinkReport;
use crate::sink::Sink;

/// How long a call of the sink may take unless set.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A test of a sink. See the [module's documentation](super).
#[must_use = "nothing is tested before it runs"]
pub struct SinkTest<S> {
    sink: S,
    count: Option<Count>,
    timeout: Duration,
}

impl<S: Sink> SinkTest<S> {
    /// Makes a test of `sink`. An `Arc` of it lets you look at it afterwards.
    pub fn new(sink: S) -> Self {
        Self { sink, count: None, timeout: TIMEOUT }
    }

    /// Claims that what arrives is there once, also if its batch comes again. `count` returns how
    /// many records the backend has; it is called on the sink's runtime.
    pub fn exactly_once(mut self, count: impl AsyncFn() -> usize + Clone + Send + 'static) -> Self {
        self.count = Some(Box::new(move || {
            let count = count.clone();
            Box::pin(async move { count().await })
        }));
        self
    }

    /// Sets how long a call of the sink may take; 10 seconds unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs the test, and waits for it without blocking the thread, whose runtime may be what the
    /// sink talks to.
    pub async fn run(self) -> SinkReport {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let name = self.sink.name().to_owned();
        let running = std::thread::Builder::new().name("sink-test".to_owned()).spawn(move || {
            // Whoever asked may have gone.
            let _ = sender.send(self.run_sync());
        });
        let report = match running {
            Ok(_thread) => receiver.await.ok(),
            Err(_) => None,
        };
        report.unwrap_or_else(|| SinkReport::of_nothing(name))
    }

    /// Runs the test, and blocks the thread meanwhile.
    ///
    /// # Panics
    ///
    /// If it is called inside of a tokio runtime: there is [`run`](Self::run) for that.
    pub fn run_sync(self) -> SinkReport {
        let name = self.sink.name().to_owned();
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(Checks::new(self.sink, self.count, self.timeout).run()),
            Err(_) => SinkReport::of_nothing(name),
        }
    }
}

impl<S: Sink> std::fmt::Debug for SinkTest<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SinkTest").field("sink", &self.sink.name()).finish_non_exhaustive()
    }
}
