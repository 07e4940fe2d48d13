//! The published counts, which can be read without asking the worker.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{Report, Stats};

/// The counts after the worker's last step, and the report of its end. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Published(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    stats: Mutex<Stats>,
    last: OnceLock<Report>,
}

impl Published {
    pub(crate) fn stats(&self) -> Stats {
        self.0.stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the report of the worker's end, or before that an incomplete report.
    pub(crate) fn report(&self) -> Report {
        self.0.last.get().cloned().unwrap_or_else(|| Report { stats: self.stats(), complete: false })
    }

    pub(in crate::pipeline) fn publish(&self, stats: Stats) {
        *self.0.stats.lock().unwrap_or_else(PoisonError::into_inner) = stats;
    }

    /// Publishes the report of the worker's end.
    pub(in crate::pipeline) fn end(&self, report: Report) {
        self.publish(report.stats.clone());
        // The worker ends only once, so the report is not set yet.
        let _ = self.0.last.set(report);
    }
}
