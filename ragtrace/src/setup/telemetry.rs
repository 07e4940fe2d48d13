//! The handle of what was installed.

use std::fmt;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ragtrace_core::gate::Listening;
use ragtrace_core::queue::{Queue, uninstall};
use tokio::sync::mpsc::UnboundedSender;

use crate::pipeline::{Command, Report, StageTotals, Stats};

/// How long dropping the handle may take.
const DROPPING: Duration = Duration::from_secs(2);
/// What the worker may take longer than it was told, before its caller goes on without it.
const GRACE: Duration = Duration::from_millis(250);

/// The installed telemetry. Dropping it delivers what it can within two seconds.
///
/// Keep it where the program begins: in a synchronous `main` that drops its runtime first, the tasks that the
/// runtime's end cancels are recorded too.
#[must_use = "dropping it ends the telemetry"]
pub struct Telemetry {
    commands: UnboundedSender<Command>,
    published: Arc<Mutex<Stats>>,
    stage_totals: StageTotals,
    queue: Arc<Queue>,
    /// `None` once it is shut down.
    listening: Option<Listening>,
}

impl Telemetry {
    pub(super) fn new(
        queue: Arc<Queue>,
        commands: UnboundedSender<Command>,
        (published, stage_totals): (Arc<Mutex<Stats>>, StageTotals),
        listening: Listening,
    ) -> Self {
        Self { commands, published, stage_totals, queue, listening: Some(listening) }
    }

    /// Has everything that was recorded before delivered, within `timeout`. With a spool, what a sink does not take now is
    /// put on disk. What is neither then stays on its way, and the report is not complete; so it is at once if no sink that
    /// fails would be asked again before the time is over.
    pub async fn flush(&self, timeout: Duration) -> Report {
        let request = self.request(timeout, |deadline, reply| Command::Flush { deadline, reply });
        off_thread(request).await
    }

    /// [`Telemetry::flush`], blocking the thread.
    pub fn flush_blocking(&self, timeout: Duration) -> Report {
        self.request(timeout, |deadline, reply| Command::Flush { deadline, reply }).wait()
    }

    /// Ends recording, delivers what was recorded within `timeout`, and closes the sinks. What could not be delivered
    /// is kept in the spool for the next process, or dropped and counted if there is none: at once, if no sink that fails
    /// would be asked again before the time is over, as when one is parked.
    pub async fn shutdown(mut self, timeout: Duration) -> Report {
        off_thread(self.end(timeout)).await
    }

    /// [`Telemetry::shutdown`], blocking the thread.
    pub fn shutdown_blocking(mut self, timeout: Duration) -> Report {
        self.end(timeout).wait()
    }

    /// What became of the records so far.
    pub fn stats(&self) -> Stats {
        self.published.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The account and the stages as `ragtrace_*` metrics in the text format of Prometheus, for a scrape endpoint of the
    /// application's: [`Stats::to_prometheus`], and for each stage its runs by outcome, a histogram of their durations, its
    /// items and its cost. They are counted since the start, whatever the level and the sampler leave out, and are at most a
    /// second or so old.
    pub fn to_prometheus(&self) -> String {
        let mut text = self.stats().to_prometheus();
        self.stage_totals.write_prometheus(&mut text);
        text
    }

    fn end(&mut self, timeout: Duration) -> Request {
        self.listening = None;
        uninstall(&self.queue);
        self.request(timeout, |deadline, reply| Command::Shutdown { deadline, reply })
    }

    fn request(&self, timeout: Duration, command: impl FnOnce(Instant, SyncSender<Report>) -> Command) -> Request {
        // The longest there is a use for; an instant cannot take any duration.
        const LONGEST: Duration = Duration::from_hours(24 * 365);
        let (reply, answer) = sync_channel(1);
        let deadline = Instant::now() + timeout.min(LONGEST);
        // A worker that is gone leaves the channel closed, which the request sees.
        let _ = self.commands.send(command(deadline, reply));
        Request { answer, deadline, published: Arc::clone(&self.published) }
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if self.listening.is_some() {
            let report = self.end(DROPPING).wait();
            if !report.complete {
                crate::warning::print(&format!("not everything was delivered: {report}"));
            }
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

/// A command that was sent, and where its answer comes.
struct Request {
    answer: std::sync::mpsc::Receiver<Report>,
    deadline: Instant,
    published: Arc<Mutex<Stats>>,
}

impl Request {
    /// Waits for the answer. A worker that a sink holds up does not answer in time: then the last account must do.
    fn wait(self) -> Report {
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.answer.recv_timeout(left + GRACE) {
            Ok(report) => report,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                Report { stats: self.published.lock().unwrap_or_else(PoisonError::into_inner).clone(), complete: false }
            }
        }
    }
}

/// Waits on a thread of its own, so that it is right under any runtime, and on none.
async fn off_thread(request: Request) -> Report {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let fallback = Arc::clone(&request.published);
    let waiting = std::thread::Builder::new().name("ragtrace-flush".to_owned()).spawn(move || {
        // Whoever asked may have gone.
        let _ = sender.send(request.wait());
    });
    let last = || fallback.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match waiting {
        Ok(_thread) => receiver.await.unwrap_or_else(|_| Report { stats: last(), complete: false }),
        Err(_) => Report { stats: last(), complete: false },
    }
}
