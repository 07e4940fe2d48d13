//! Runs retention beside a sink's deliveries.

use std::fmt;
use std::future::Future;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::rules::RetentionReport;
use crate::fault::Fault;

/// The least time between the starts of two jobs.
const MIN_INTERVAL: Duration = Duration::from_hours(1);

/// The retention jobs of one sink, one at a time. Each runs on a task of its own: a delivery that
/// finds a job due starts it and does not wait for it.
#[derive(Debug, Default)]
pub(crate) struct BackgroundRetention(Mutex<Option<Job>>);

struct Job {
    began_at: Instant,
    task: JoinHandle<()>,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("began_at", &self.began_at).finish_non_exhaustive()
    }
}

impl BackgroundRetention {
    /// Starts a job if one is due and none is running.
    pub(crate) fn when_due<F>(&self, job: impl FnOnce() -> F)
    where
        F: Future<Output = Result<RetentionReport, Fault>> + Send + 'static,
    {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let is_due = last.as_ref().is_none_or(|job| job.task.is_finished() && now - job.began_at >= MIN_INTERVAL);
        if is_due {
            let job = job();
            let task = tokio::spawn(async move {
                if let Err(error) = job.await {
                    // The deliveries succeed, so no delivery can return this error. It is printed
                    // once per job, which is at most once an hour.
                    let _ = writeln!(std::io::stderr(), "ragtrace: retention failed, and is tried again: {error:#}");
                }
            });
            *last = Some(Job { began_at: now, task });
        }
    }

    /// Stops a running job. The next job continues where it stopped.
    pub(crate) async fn stop(&self) {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(job) = last {
            job.task.abort();
            let _ = job.task.await;
        }
    }
}
