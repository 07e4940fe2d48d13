//! The owner of the installed telemetry.

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use ragtrace_core::dispatch::ListenerGuard;
use ragtrace_core::queue::{Queue, uninstall};
use tokio::sync::mpsc::UnboundedSender;

use super::handle::{PendingReport, TelemetryHandle};
use crate::pipeline::{Command, Report, Stats};

/// The timeout of the shutdown when a `Telemetry` is dropped.
const DROP_TIMEOUT: Duration = Duration::from_secs(2);

/// The owner of the installed telemetry, returned by [`Builder::install`](crate::Builder::install).
///
/// Dropping it shuts the telemetry down, with a timeout of two seconds. Call
/// [`shutdown`](Self::shutdown) for another timeout and for the report.
///
/// Keep it in `main`. In a synchronous `main`, drop the async runtime first: the tasks that this
/// cancels are then recorded too. Keep a [`handle`](Self::handle) in the application's state.
///
/// Telemetry works in the process that installed it. A forked process has no worker: its records
/// are lost and counted ([`Stats::forked`]), all methods return at once, and another
/// [`install`](crate::Builder::install) gives the process telemetry of its own.
#[must_use = "dropping the telemetry shuts it down"]
pub struct Telemetry {
    handle: TelemetryHandle,
    /// The worker ends when all senders are gone. `None` only during the drop.
    commands: Option<UnboundedSender<Command>>,
    queue: Arc<Queue>,
    /// Keeps stages recording; `None` after the shutdown.
    guard: Option<ListenerGuard>,
}

impl Telemetry {
    pub(super) fn new(
        handle: TelemetryHandle,
        commands: UnboundedSender<Command>,
        queue: Arc<Queue>,
        guard: ListenerGuard,
    ) -> Self {
        Self { handle, commands: Some(commands), queue, guard: Some(guard) }
    }

    /// Returns a handle for the application's state, which has every method except the shutdown.
    ///
    /// The handle does not keep the telemetry alive: recording ends when this value is shut down or
    /// dropped.
    pub fn handle(&self) -> TelemetryHandle {
        self.handle.clone()
    }

    /// Delivers everything recorded so far, and returns after at most `timeout`.
    ///
    /// With a spool, records that a sink does not accept now are written to disk. Records that are
    /// neither delivered nor on disk when the time is over stay pending, and the report is not
    /// complete. The call returns early, with the same report, if no failing sink would be tried
    /// again within `timeout`. If a sink blocks the worker thread, the call returns up to 250 ms
    /// late, with the latest known counts.
    pub async fn flush(&self, timeout: Duration) -> Report {
        self.handle.flush(timeout).await
    }

    /// Delivers everything recorded so far as [`flush`](Self::flush) does, and blocks the thread
    /// until then.
    pub fn flush_blocking(&self, timeout: Duration) -> Report {
        self.handle.flush_blocking(timeout)
    }

    /// Stops recording, delivers what was recorded within `timeout`, and closes the sinks.
    ///
    /// Records that cannot be delivered are kept in the spool for the next process, or dropped and
    /// counted if there is no spool. This happens before the timeout if no failing sink would be
    /// tried again within it, for example because the sink is parked.
    pub async fn shutdown(mut self, timeout: Duration) -> Report {
        self.end(timeout).wait_off_thread().await
    }

    /// Shuts down as [`shutdown`](Self::shutdown) does, and blocks the thread until then.
    pub fn shutdown_blocking(mut self, timeout: Duration) -> Report {
        self.end(timeout).wait()
    }

    /// Returns the counts of all records so far, such as accepted, delivered and dropped ones, for
    /// each sink.
    pub fn stats(&self) -> Stats {
        self.handle.stats()
    }

    /// Returns the counts and the metrics of all stages, named `ragtrace_*`, in the text format of
    /// Prometheus; see [`TelemetryHandle::to_prometheus`].
    pub fn to_prometheus(&self) -> String {
        self.handle.to_prometheus()
    }

    fn end(&mut self, timeout: Duration) -> PendingReport {
        self.guard = None;
        #[cfg(feature = "tracing")]
        crate::tracing::demand::set(None);
        uninstall(&self.queue);
        self.handle.send(timeout, |deadline, reply| Command::Shutdown { deadline, reply })
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if self.guard.is_some() {
            let report = self.end(DROP_TIMEOUT).wait();
            if !report.complete {
                crate::warning::print(&format!("not everything was delivered: {report}"));
            }
        }
        if self.handle.is_forked() {
            // Dropping the sender would wake the worker's task, which exists only in the parent.
            mem::forget(self.commands.take());
        }
    }
}

/// Returns a function that flushes within a given time, for as long as the worker runs.
pub(super) fn flusher(commands: &UnboundedSender<Command>) -> impl Fn(Duration) + Send + Sync + 'static {
    let commands = commands.downgrade();
    move |timeout| {
        let (reply, answer) = sync_channel(1);
        let command = Command::Flush { deadline: Instant::now() + timeout, reply };
        if commands.upgrade().is_some_and(|commands| commands.send(command).is_ok()) {
            let _ = answer.recv_timeout(timeout);
        }
    }
}
