//! The account as whoever asks finds it, without asking the worker.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{Report, Stats};

/// The account at the worker's last look, and its report once it has ended. A clone is the same.
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

    /// The worker's report, once it has ended; until then, one that is not complete.
    pub(crate) fn report(&self) -> Report {
        self.0.last.get().cloned().unwrap_or_else(|| Report { stats: self.stats(), complete: false })
    }

    pub(in crate::pipeline) fn publish(&self, stats: Stats) {
        *self.0.stats.lock().unwrap_or_else(PoisonError::into_inner) = stats;
    }

    /// The worker has ended.
    pub(in crate::pipeline) fn end(&self, report: Report) {
        self.publish(report.stats.clone());
        // It ends once.
        let _ = self.0.last.set(report);
    }
}
