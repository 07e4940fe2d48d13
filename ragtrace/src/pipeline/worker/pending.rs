//! Flushes and the shutdown that were asked for and are not answered yet.

use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use crate::pipeline::report::Report;

/// How long the disk has at the end for what was not delivered.
pub(super) const SPOOL_RESERVE: Duration = Duration::from_secs(2);

/// A flush that waits for what was accepted before it.
pub(super) struct PendingFlush {
    /// How far things have to come before it is answered; `None` until all was read that was
    /// accepted before.
    pub(super) target: Option<FlushTarget>,
    /// The losses up to the flush that was answered last when this one was asked for.
    pub(super) lost_before: u64,
    pub(super) deadline: Instant,
    /// `None` for the flush that a shutdown begins with, which is answered at its end.
    pub(super) reply: Option<SyncSender<Report>>,
}

impl PendingFlush {
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns whether not all was read yet that it waits for.
    pub(super) fn waits_for_the_queue(&self) -> bool {
        self.target.is_none()
    }
}

/// How far each delivery and the write-ahead have to come.
#[derive(Clone)]
pub(super) struct FlushTarget {
    /// For each delivery the number that its batches were below.
    pub(super) batches: Vec<u64>,
    /// What was held then is written ahead by the write of this ticket, or an earlier one.
    pub(super) write_ahead: u64,
}

/// A shutdown, which is answered when everything has come to its end.
pub(super) struct PendingShutdown {
    pub(super) deadline: Instant,
    pub(super) reply: SyncSender<Report>,
}
