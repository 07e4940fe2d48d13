//! The owner of what was installed.

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

/// How long dropping the telemetry may take.
const DROP_TIMEOUT: Duration = Duration::from_secs(2);

/// The installed telemetry. Dropping it delivers what it can within two seconds.
///
/// Keep it where the program begins: in a synchronous `main` that drops its runtime first, the
/// tasks that the runtime's end cancels are recorded too. An application's state keeps a
/// [`handle`](Self::handle).
///
/// It works in the process that installed it. A process that is forked from that one has no worker:
/// what it records is lost and counted ([`Stats::forked`]), everything here answers at once, and
/// [`install`](crate::Builder::install) gives it telemetry of its own.
#[must_use = "dropping it ends the telemetry"]
pub struct Telemetry {
    handle: TelemetryHandle,
    /// The worker ends when this is gone. Always there but during the drop.
    commands: Option<UnboundedSender<Command>>,
    queue: Arc<Queue>,
    /// `None` once it is shut down.
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

    /// Returns a handle that can do everything but shut down. It does not keep the telemetry alive,
    /// which ends with this value.
    pub fn handle(&self) -> TelemetryHandle {
        self.handle.clone()
    }

    /// Delivers everything recorded so far, within `timeout`.
    ///
    /// With a spool, what a sink does not take now is put on disk. What is neither then stays on
    /// its way, and the report is not complete; so it is at once if no sink that fails would be
    /// asked again before the time is over.
    pub async fn flush(&self, timeout: Duration) -> Report {
        self.handle.flush(timeout).await
    }

    /// Does as [`flush`](Self::flush), and blocks the thread meanwhile.
    pub fn flush_blocking(&self, timeout: Duration) -> Report {
        self.handle.flush_blocking(timeout)
    }

    /// Ends recording, delivers what was recorded within `timeout`, and closes the sinks.
    ///
    /// What could not be delivered is kept in the spool for the next process, or dropped and
    /// counted if there is none: at once, if no sink that fails would be asked again before the
    /// time is over, as when one is parked.
    pub async fn shutdown(mut self, timeout: Duration) -> Report {
        self.end(timeout).wait_off_thread().await
    }

    /// Does as [`shutdown`](Self::shutdown), and blocks the thread meanwhile.
    pub fn shutdown_blocking(mut self, timeout: Duration) -> Report {
        self.end(timeout).wait()
    }

    /// Returns what became of the records so far.
    pub fn stats(&self) -> Stats {
        self.handle.stats()
    }

    /// Returns the account and the stages as `ragtrace_*` metrics in the text format of Prometheus;
    /// see [`TelemetryHandle::to_prometheus`].
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
            // To drop it would wake the worker, which is the parent's.
            mem::forget(self.commands.take());
        }
    }
}

/// Has what was recorded delivered within a time, for as long as the worker is there.
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
