//! The handle that an application's state keeps: everything but the shutdown.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use ragtrace_core::fork::Process;
use ragtrace_core::queue::lost_in_child;
use tokio::sync::mpsc::WeakUnboundedSender;

use crate::pipeline::{Command, Published, Report, StageTotals, Stats};

/// What the worker may take longer than it was told, before its caller goes on without it.
const GRACE: Duration = Duration::from_millis(250);

/// A handle of the installed telemetry, for an application's state: a metrics endpoint, a flush
/// before a deployment.
///
/// It is a cheap clone and keeps nothing alive. Once the [`Telemetry`](crate::Telemetry) is shut
/// down or dropped, [`stats`](Self::stats) is its last account, and [`flush`](Self::flush) answers
/// at once with its final report. In a process that was forked from the one that installed it, both
/// answer at once with what that process has lost ([`Stats::forked`]).
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
    /// Where the worker is.
    process: Process,
}

impl TelemetryHandle {
    pub(super) fn new(commands: WeakUnboundedSender<Command>, published: Published, stage_totals: StageTotals) -> Self {
        Self { commands, published, stage_totals, process: Process::current() }
    }

    /// Delivers everything recorded so far, within `timeout`.
    ///
    /// With a spool, what a sink does not take now is put on disk. What is neither then stays on
    /// its way, and the report is not complete; so it is at once if no sink that fails would be
    /// asked again before the time is over.
    pub async fn flush(&self, timeout: Duration) -> Report {
        let pending = self.send(timeout, |deadline, reply| Command::Flush { deadline, reply });
        pending.wait_off_thread().await
    }

    /// Does as [`flush`](Self::flush), and blocks the thread meanwhile.
    pub fn flush_blocking(&self, timeout: Duration) -> Report {
        self.send(timeout, |deadline, reply| Command::Flush { deadline, reply }).wait()
    }

    /// Returns what became of the records so far.
    pub fn stats(&self) -> Stats {
        // The parent's account is not this process's, and whoever writes it may have held its lock.
        if self.is_forked() { Stats::of_forked(lost_in_child()) } else { self.published.stats() }
    }

    /// Returns whether this process was forked from the one that the telemetry was installed in.
    pub(super) fn is_forked(&self) -> bool {
        self.process.is_another()
    }

    /// Returns the account and the stages as `ragtrace_*` metrics in the text format of Prometheus,
    /// for a scrape endpoint of the application's.
    ///
    /// That is [`Stats::to_prometheus`], and for each stage its runs by outcome, a histogram of
    /// their durations, its items and its cost. They are counted since the start, whatever the
    /// level and the sampler leave out, and are at most a second or so old.
    pub fn to_prometheus(&self) -> String {
        let mut text = self.stats().to_prometheus();
        if !self.is_forked() {
            self.stage_totals.write_prometheus(&mut text);
        }
        text
    }

    /// Sends a command to the worker, whose report is to come within `timeout`.
    pub(super) fn send(
        &self,
        timeout: Duration,
        command: impl FnOnce(Instant, SyncSender<Report>) -> Command,
    ) -> PendingReport {
        // The longest there is a use for; an instant cannot take any duration.
        const LONGEST: Duration = Duration::from_hours(24 * 365);
        if self.is_forked() {
            return PendingReport::Forked(self.stats());
        }
        let (reply, answer) = sync_channel(1);
        let deadline = Instant::now() + timeout.min(LONGEST);
        if let Some(commands) = self.commands.upgrade() {
            // A worker that is gone drops the command, and so does this: whoever waits sees
            // that nobody will answer.
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

/// The report that answers a command.
pub(super) enum PendingReport {
    /// Once the worker has sent it.
    Asked { answer: Receiver<Report>, deadline: Instant, published: Published },
    /// At once: the worker is in another process.
    Forked(Stats),
}

impl PendingReport {
    /// Waits for the answer. A worker that a sink holds up does not answer in time, and one that
    /// has ended does not answer at all: then its last account must do.
    pub(super) fn wait(self) -> Report {
        match self {
            Self::Asked { answer, deadline, published } => {
                let left = deadline.saturating_duration_since(Instant::now());
                answer.recv_timeout(left + GRACE).unwrap_or_else(|_| published.report())
            }
            Self::Forked(stats) => Report { complete: stats.dropped.total() == 0, stats },
        }
    }

    /// Waits on a thread of its own, so that it is right under any runtime, and on none.
    pub(super) async fn wait_off_thread(self) -> Report {
        let Self::Asked { published, .. } = &self else { return self.wait() };
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let published = published.clone();
        let waiter = std::thread::Builder::new().name("ragtrace-flush".to_owned()).spawn(move || {
            // Whoever asked may have gone.
            let _ = sender.send(self.wait());
        });
        let report = match waiter {
            Ok(_thread) => receiver.await.ok(),
            Err(_) => None,
        };
        report.unwrap_or_else(|| published.report())
    }
}
