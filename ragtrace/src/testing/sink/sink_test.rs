//! Setting up and running a test of a sink.

use std::time::Duration;

use super::checks::{Checks, Count};
use super::report::SinkReport;
use crate::sink::Sink;

/// The default timeout of a call of the sink.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A test of a sink. See the [module's documentation](super) for the checks and an example.
#[must_use = "a test does nothing until it is run"]
pub struct SinkTest<S> {
    sink: S,
    count: Option<Count>,
    timeout: Duration,
}

impl<S: Sink> SinkTest<S> {
    /// Creates a test of `sink`. Pass an `Arc` to keep access to the sink.
    pub fn new(sink: S) -> Self {
        Self { sink, count: None, timeout: TIMEOUT }
    }

    /// Also checks that each record arrives exactly once, even if its batch is delivered again.
    ///
    /// `count` returns the number of records in the backend; it is called on the sink's runtime.
    pub fn exactly_once(mut self, count: impl AsyncFn() -> usize + Clone + Send + 'static) -> Self {
        self.count = Some(Box::new(move || {
            let count = count.clone();
            Box::pin(async move { count().await })
        }));
        self
    }

    /// Sets the timeout of each call of the sink; 10 seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs the test without blocking the thread, whose runtime may also run the backend that the
    /// sink talks to.
    pub async fn run(self) -> SinkReport {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let name = self.sink.name().to_owned();
        let running = std::thread::Builder::new().name("sink-test".to_owned()).spawn(move || {
            // The caller may have dropped its future.
            let _ = sender.send(self.run_sync());
        });
        let report = match running {
            Ok(_thread) => receiver.await.ok(),
            Err(_) => None,
        };
        report.unwrap_or_else(|| SinkReport::of_nothing(name))
    }

    /// Runs the test, and blocks the thread until it is finished.
    ///
    /// # Panics
    ///
    /// Panics if it is called inside of a tokio runtime; use [`run`](Self::run) there.
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
