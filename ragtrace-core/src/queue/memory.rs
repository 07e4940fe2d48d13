//! The memory of a queue: its blocks, their number in use, and the limit on it.

use super::block::{Pool, WORDS};
use super::limits::QueueLimits;
use super::sync::{AtomicU64, AtomicUsize, Ordering};
use crate::level::Level;

/// The number of empty blocks (of 16 KiB) that are always pooled.
const MIN_POOLED: usize = 16;
/// The divisor by which the pool shrinks when the queue is idle: each call of `maintain` frees one
/// in so many of the blocks that were in use. This halves the pool in nine seconds.
const DECAY: usize = 256;

/// Decides if an entry is accepted when the queue is full.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Admission {
    /// The entry is refused and counted under this level.
    Droppable(Level),
    /// The entry is accepted.
    Guaranteed,
}

/// The blocks of all chains of a queue.
pub(super) struct Memory {
    pub(super) pool: Pool,
    /// The limit on blocks, not counting the first one of each thread.
    limit: usize,
    /// The number of blocks in use, not counting the first one of each thread.
    used: AtomicUsize,
    /// The highest number of blocks in use at once, lately.
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

    /// Reserves `blocks` and returns `true` if the limit allows it or the entry is guaranteed.
    /// Otherwise counts the entry as dropped.
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

    /// Reserves `blocks` and returns `true` if the limit allows it.
    pub(super) fn reserve_free(&self, blocks: usize) -> bool {
        let before = self.used.fetch_add(blocks, Ordering::Relaxed);
        if before + blocks > self.limit {
            self.used.fetch_sub(blocks, Ordering::Relaxed);
            return false;
        }
        self.peak.fetch_max(before + blocks, Ordering::Relaxed);
        true
    }

    /// Releases `blocks`.
    pub(super) fn release(&self, blocks: usize) {
        self.used.fetch_sub(blocks, Ordering::Relaxed);
    }

    /// Returns the number of entries that were dropped, by level.
    pub(super) fn dropped(&self) -> [u64; Level::ALL.len()] {
        self.dropped.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// Keeps as many empty blocks in the pool as threads recently needed at once. The number
    /// decreases gradually while the queue is idle.
    pub(super) fn maintain(&self) {
        let used = self.used.load(Ordering::Relaxed);
        let peak = self.peak.load(Ordering::Relaxed);
        // A quarter is added because bursts differ.
        let wanted = (peak + peak / 4).max(MIN_POOLED);
        self.pool.fill(wanted.saturating_sub(used));
        if used == 0 {
            self.peak.store(peak - peak.div_ceil(DECAY), Ordering::Relaxed);
            self.pool.shrink(self.pool.len().saturating_sub(wanted));
        }
    }
}
