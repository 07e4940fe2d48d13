//! Retention beside a sink's deliveries.

use std::fmt;
use std::future::Future;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::rules::RetentionReport;
use crate::fault::Fault;

/// How long after one job began the next may.
const MIN_INTERVAL: Duration = Duration::from_hours(1);

/// The jobs of one sink, one at a time. They live on a task beside the deliveries: a delivery that
/// comes when one is due starts it and goes on.
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
    /// Starts a job if one is due and none is under way.
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
                    // There is nobody to hand it to: the deliveries are well. It is said once a
                    // job, so once an hour.
                    let _ = writeln!(std::io::stderr(), "ragtrace: retention failed, and is tried again: {error:#}");
                }
            });
            *last = Some(Job { began_at: now, task });
        }
    }

    /// Stops a job that is under way; the next one goes on where it was.
    pub(crate) async fn stop(&self) {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(job) = last {
            job.task.abort();
            let _ = job.task.await;
        }
    }
}
