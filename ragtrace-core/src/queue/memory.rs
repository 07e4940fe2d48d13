//! The memory of a queue: its blocks, how many are in use, and how many may be.

use super::block::{Pool, WORDS};
use super::limits::QueueLimits;
use super::sync::{AtomicU64, AtomicUsize, Ordering};
use crate::level::Level;

/// Empty blocks (of 16 KiB) that are always pooled.
const MIN_POOLED: usize = 16;
/// In quiet times each call of `maintain` forgets one in so many of the blocks that were in use:
/// half of them in nine seconds.
const DECAY: usize = 256;

/// Decides over an entry when the queue is full.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Admission {
    /// It is refused, and counted under this level.
    Droppable(Level),
    /// It is accepted.
    Guaranteed,
}

/// The blocks of all chains of a queue.
pub(super) struct Memory {
    pub(super) pool: Pool,
    /// The most blocks beyond the first of each thread.
    limit: usize,
    /// Blocks beyond the first of each thread.
    used: AtomicUsize,
    /// The most of them there were at once, lately.
    peak: AtomicUsize,
    dropped: [AtomicU64; Level::ALL.len()],
}

impl Memory {
    pub(super) fn new(limits: QueueLimits) -> Self {
        let limit = limits.bytes.div_ceil(WORDS * size_of::<u64>());
        Self {
            pool: Pool::new(limit),
            limit,
            used: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            dropped: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// Counts `blocks` more if the limit allows it, else an entry that is dropped.
    pub(super) fn reserve(&self, admission: Admission, blocks: usize) -> bool {
        match admission {
            Admission::Droppable(level) => {
                let is_free = self.reserve_free(blocks);
                if !is_free {
                    self.dropped[level as usize].fetch_add(1, Ordering::Relaxed);
                }
                is_free
            }
            Admission::Guaranteed => {
                let before = self.used.fetch_add(blocks, Ordering::Relaxed);
                self.peak.fetch_max(before + blocks, Ordering::Relaxed);
                true
            }
        }
    }

    /// Counts `blocks` more if the limit allows it.
    pub(super) fn reserve_free(&self, blocks: usize) -> bool {
        let before = self.used.fetch_add(blocks, Ordering::Relaxed);
        if before + blocks > self.limit {
            self.used.fetch_sub(blocks, Ordering::Relaxed);
            return false;
        }
        self.peak.fetch_max(before + blocks, Ordering::Relaxed);
        true
    }

    /// Counts `blocks` less.
    pub(super) fn release(&self, blocks: usize) {
        self.used.fetch_sub(blocks, Ordering::Relaxed);
    }

    /// Returns how many entries were dropped, by level.
    pub(super) fn dropped(&self) -> [u64; Level::ALL.len()] {
        self.dropped.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// Pools as many empty blocks as threads wanted at once lately. When it is quiet, the number
    /// goes down little by little.
    pub(super) fn maintain(&self) {
        let used = self.used.load(Ordering::Relaxed);
        let peak = self.peak.load(Ordering::Relaxed);
        // A quarter more, since no two bursts are alike.
        let wanted = (peak + peak / 4).max(MIN_POOLED);
        self.pool.fill(wanted.saturating_sub(used));
        if used == 0 {
            self.peak.store(peak - peak.div_ceil(DECAY), Ordering::Relaxed);
            self.pool.shrink(self.pool.len().saturating_sub(wanted));
        }
    }
}
