//! The queue from the application's threads to the worker: bounded over all threads, without a lock on the way.
//!
//! Each thread writes to a chain of blocks of its own (`block`), so an entry costs a few words of memory that no other
//! core wants. The bound counts blocks beyond each thread's first. A thread's chain outlives it: the worker reads it to
//! its end and lets go of it then. `installed` is the process's one queue and each thread's place in it.
//!
//! What threads share is taken from `sync`, so that the model checker `loom` tries every order of events on this very
//! code (`model`, run by `scripts/test-loom`).

mod block;
mod consumer;
mod installed;
#[cfg(all(test, ragtrace_loom))]
mod model;
mod producer;
mod sync;

use std::sync::PoisonError;

use tokio::sync::Notify;

use self::block::{Pool, WORDS};
pub use self::consumer::{Consumer, Requests, Taken};
pub use self::installed::{install, uninstall};
pub(crate) use self::installed::{number, push};
use self::sync::{AtomicBool, AtomicU64, AtomicUsize, Mutex, Ordering};
use crate::level::Level;
use crate::stage::entry::AcceptedBy;

/// How much may wait in memory before records are dropped, and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueLimits {
    /// Bytes that may wait between all threads and the worker. A stage takes 72 bytes, 8 more for most numbers that it
    /// records, and its texts. Rounded up to a whole block of 16 KiB; each thread has its first block besides.
    pub bytes: usize,
    /// Records that may wait in memory for one sink. With a spool, more than half of it goes to disk.
    pub sink_records: usize,
    /// Bytes of memory that they may take, as an estimate. Records are shared by the sinks.
    pub sink_bytes: usize,
}

impl Default for QueueLimits {
    /// 16 MiB from all threads; 131,072 records and 32 MiB a sink.
    fn default() -> Self {
        Self { bytes: 16 << 20, sink_records: 131_072, sink_bytes: 32 << 20 }
    }
}

impl QueueLimits {
    /// The same with another number of bytes between the threads and the worker.
    pub fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// The same with another number of bytes a sink.
    pub fn with_sink_bytes(mut self, bytes: usize) -> Self {
        self.sink_bytes = bytes;
        self
    }

    /// The same with another number of records a sink.
    pub fn with_sink_records(mut self, records: usize) -> Self {
        self.sink_records = records;
        self
    }
}

/// Empty blocks (of 16 KiB) that are always kept at hand.
const AT_HAND: usize = 16;
/// In quiet times each look forgets one in so many of the blocks that were in use: half of them in nine seconds.
const DECAY: usize = 256;

/// What the threads and the worker share.
pub struct Queue {
    number: AcceptedBy,
    block_limit: usize,
    /// Blocks beyond the first of each thread.
    blocks: AtomicUsize,
    /// The most of them there were at once, lately.
    most_blocks: AtomicUsize,
    pool: Pool,
    dropped: [AtomicU64; Level::ALL.len()],
    /// Chains that the worker has not seen yet.
    new: Mutex<Vec<Consumer>>,
    wake: Notify,
    wake_is_on_its_way: AtomicBool,
}

/// What decides over an entry when the queue is full.
#[derive(Clone, Copy, Debug)]
pub enum Severity {
    /// It is refused, and counted under this level.
    Refusable(Level),
    /// It is accepted.
    Promised,
}

impl Queue {
    fn new(limits: QueueLimits, number: AcceptedBy) -> Self {
        let block_limit = limits.bytes.div_ceil(WORDS * size_of::<u64>());
        Self {
            number,
            block_limit,
            pool: Pool::new(block_limit),
            blocks: AtomicUsize::new(0),
            most_blocks: AtomicUsize::new(0),
            dropped: std::array::from_fn(|_| AtomicU64::new(0)),
            new: Mutex::new(Vec::new()),
            wake: Notify::new(),
            wake_is_on_its_way: AtomicBool::new(false),
        }
    }

    /// Entries that were refused because the queue was full, by level.
    pub fn dropped(&self) -> [u64; Level::ALL.len()] {
        self.dropped.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// Keeps as many empty blocks at hand as threads wanted at once lately, so that they allocate none themselves. The
    /// worker calls it at each look; when it is quiet, the number goes down little by little.
    pub fn tend_pool(&self) {
        let in_use = self.blocks.load(Ordering::Relaxed);
        let most = self.most_blocks.load(Ordering::Relaxed);
        // A quarter more, since no two bursts are alike.
        let wanted = (most + most / 4).max(AT_HAND);
        self.pool.fill(wanted.saturating_sub(in_use));
        if in_use == 0 {
            self.most_blocks.store(most - most.div_ceil(DECAY), Ordering::Relaxed);
            self.pool.shrink(self.pool.len().saturating_sub(wanted));
        }
    }

    /// Waits until a thread has filled a block.
    pub async fn filled(&self) {
        self.wake.notified().await;
        self.wake_is_on_its_way.store(false, Ordering::Relaxed);
    }

    /// The chains of threads that came since the last call.
    pub fn take_new(&self) -> Vec<Consumer> {
        std::mem::take(&mut *self.new.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn wake(&self) {
        if !self.wake_is_on_its_way.swap(true, Ordering::Relaxed) {
            self.wake.notify_one();
        }
    }

    /// Counts an entry that was refused.
    fn refuse(&self, level: Level) {
        self.dropped[level as usize].fetch_add(1, Ordering::Relaxed);
    }
}
