//! The handle to installed telemetry for an application's state.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use ragtrace_core::fork::Process;
use ragtrace_core::queue::lost_in_child;
use tokio::sync::mpsc::WeakUnboundedSender;

use crate::pipeline::{Command, Published, Report, StageTotals, Stats};

/// The time that a caller waits beyond its timeout for the worker's report.
const GRACE: Duration = Duration::from_millis(250);

/// A cloneable handle to installed telemetry, for an application's state: for a metrics endpoint,
/// or a flush before a deployment.
///
/// Clones are cheap, and a handle does not keep the telemetry alive. After
/// [`Telemetry`](crate::Telemetry) is shut down or dropped, [`stats`](Self::stats) returns the
/// final counts, and [`flush`](Self::flush) returns the final report at once. In a process that was
/// forked from the installing one, both return at once with the number of records that the forked
/// process has lost ([`Stats::forked`]).
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let builder = ragtrace::builder().console(ragtrace::Console::Off);
/// let telemetry = builder.install()?;
/// let handle = telemetry.handle();
/// let metrics = move || handle.to_prometheus();
/// # assert!(metrics().contains("ragtrace_"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TelemetryHandle {
    commands: WeakUnboundedSender<Command>,
    published: Published,
    stage_totals: StageTotals,
    /// The process that the worker runs in.
    process: Process,
}

impl TelemetryHandle {
    pub(super) fn new(commands: WeakUnboundedSender<Command>, published: Published, stage_totals: StageTotals) -> Self {
        Self { commands, published, stage_totals, process: Process::current() }
    }

    /// Delivers everything recorded so far, and returns after at most `timeout`.
    ///
    /// With a spool, records that a sink does not accept now are written to disk. Records that are
    /// neither delivered nor on disk when the time is over stay pending, and the report is not
    /// complete. The call returns early, with the same report, if no failing sink would be tried
    /// again within `timeout`. If a sink blocks the worker thread, the call returns up to 250 ms
    /// late, with the latest known counts.
    pub async fn flush(&self, timeout: Duration) -> Report {
        let pending = self.send(timeout, |deadline, reply| Command::Flush { deadline, reply });
        pending.wait_off_thread().await
    }

    /// Delivers everything recorded so far as [`flush`](Self::flush) does, and blocks the thread
    /// until then.
    pub fn flush_blocking(&self, timeout: Duration) -> Report {
        self.send(timeout, |deadline, reply| Command::Flush { deadline, reply }).wait()
    }

    /// Returns the counts of all records so far, such as accepted, delivered and dropped ones, for
    /// each sink.
    pub fn stats(&self) -> Stats {
        // The counts that were inherited from the parent do not describe this process, and a thread
        // of the parent may have held their lock during the fork.
        if self.is_forked() { Stats::of_forked(lost_in_child()) } else { self.published.stats() }
    }

    /// Returns `true` if this process was forked from the one that installed the telemetry.
    pub(super) fn is_forked(&self) -> bool {
        self.process.is_another()
    }

    /// Returns the counts and the metrics of all stages, named `ragtrace_*`, in the text format of
    /// Prometheus, for a scrape endpoint of the application.
    ///
    /// These are the metrics of [`Stats::to_prometheus`], and for each stage its runs by outcome, a
    /// histogram of their durations, its items and its cost. The counts cover all runs since the
    /// installation, including those that a level or the sampler excludes, and are at most about a
    /// second old.
    pub fn to_prometheus(&self) -> String {
        let mut text = self.stats().to_prometheus();
        if !self.is_forked() {
            self.stage_totals.write_prometheus(&mut text);
        }
        text
    }

    /// Sends a command to the worker, which is to report within `timeout`.
    pub(super) fn send(
        &self,
        timeout: Duration,
        command: impl FnOnce(Instant, SyncSender<Report>) -> Command,
    ) -> PendingReport {
        // Longer timeouts have no use, and an `Instant` cannot hold every sum with a `Duration`.
        const LONGEST: Duration = Duration::from_hours(24 * 365);
        if self.is_forked() {
            return PendingReport::Forked(self.stats());
        }
        let (reply, answer) = sync_channel(1);
        let deadline = Instant::now() + timeout.min(LONGEST);
        if let Some(commands) = self.commands.upgrade() {
            // If the worker has ended, the command is dropped, here or by the channel. That closes
            // the reply channel, so the caller sees that no answer will come.
            let _ = commands.send(command(deadline, reply));
        }
        PendingReport::Asked { answer, deadline, published: self.published.clone() }
    }
}

impl fmt::Debug for TelemetryHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelemetryHandle").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// A report that a command waits for.
pub(super) enum PendingReport {
    /// The worker sends the report through a channel.
    Asked { answer: Receiver<Report>, deadline: Instant, published: Published },
    /// The process was forked and has no worker, so the report is known at once.
    Forked(Stats),
}

impl PendingReport {
    /// Waits for the report. If the worker does not answer in time because a sink blocks it, or has
    /// ended, the last published counts are the report.
    pub(super) fn wait(self) -> Report {
        match self {
            Self::Asked { answer, deadline, published } => {
                let left = deadline.saturating_duration_since(Instant::now());
                answer.recv_timeout(left + GRACE).unwrap_or_else(|_| published.report())
            }
            Self::Forked(stats) => Report { complete: stats.dropped.total() == 0, stats },
        }
    }

    /// Waits on a separate thread, which works under any async runtime, and without one.
    pub(super) async fn wait_off_thread(self) -> Report {
        let Self::Asked { published, .. } = &self else { return self.wait() };
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let published = published.clone();
        let waiter = std::thread::Builder::new().name("ragtrace-flush".to_owned()).spawn(move || {
            // The caller may have dropped its future.
            let _ = sender.send(self.wait());
        });
        let report = match waiter {
            Ok(_thread) => receiver.await.ok(),
            Err(_) => None,
        };
        report.unwrap_or_else(|| published.report())
    }
}
