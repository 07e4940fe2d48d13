//! Flushes, and a shutdown, that have not been answered yet.

use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use crate::pipeline::report::Report;

/// The time reserved at the end for storing undelivered records on disk.
pub(super) const SPOOL_RESERVE: Duration = Duration::from_secs(2);

/// A flush that waits for everything accepted before it.
pub(super) struct PendingFlush {
    /// The progress that is necessary before the flush is answered; `None` until everything
    /// accepted before has been read.
    pub(super) target: Option<FlushTarget>,
    /// The losses as of the last flush that was answered when this one began.
    pub(super) lost_before: u64,
    pub(super) deadline: Instant,
    /// `None` for the flush at the beginning of a shutdown, which is answered at the end of the
    /// shutdown.
    pub(super) reply: Option<SyncSender<Report>>,
}

impl PendingFlush {
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns `true` if entries that the flush waits for have not been read.
    pub(super) fn waits_for_the_queue(&self) -> bool {
        self.target.is_none()
    }
}

/// The progress of each delivery and of the write-ahead that a flush waits for.
#[derive(Clone)]
pub(super) struct FlushTarget {
    /// For each delivery, a number above those of the batches to wait for.
    pub(super) batches: Vec<u64>,
    /// The ticket of the write that contains the records that were held, unless an earlier one
    /// does.
    pub(super) write_ahead: u64,
}

/// A shutdown, which is answered when everything has ended.
pub(super) struct PendingShutdown {
    pub(super) deadline: Instant,
    pub(super) reply: SyncSender<Report>,
}
