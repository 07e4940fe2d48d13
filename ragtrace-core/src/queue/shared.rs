//! The part of a queue that threads and the worker share.

use std::sync::PoisonError;

use tokio::sync::Notify;

use super::consumer::{Consumer, QueuedEntry, RequestCache};
use super::limits::QueueLimits;
use super::memory::Memory;
use super::sync::{AtomicBool, Mutex, Ordering};
use crate::entry::RecipientId;
use crate::level::Level;

/// A queue: the memory of its chains, the chains that the worker has not taken yet, and the signal
/// that wakes the worker.
pub struct Queue {
    pub(super) id: RecipientId,
    pub(super) memory: Memory,
    pub(super) new_consumers: Mutex<Vec<Consumer>>,
    wake: Notify,
    wake_is_pending: AtomicBool,
}

impl Queue {
    pub(super) fn new(limits: QueueLimits, id: RecipientId) -> Self {
        Self {
            id,
            memory: Memory::new(limits),
            new_consumers: Mutex::new(Vec::new()),
            wake: Notify::new(),
            wake_is_pending: AtomicBool::new(false),
        }
    }

    /// Returns the number of entries that were refused because the queue was full, by level.
    pub fn dropped(&self) -> [u64; Level::ALL.len()] {
        self.memory.dropped()
    }

    /// Keeps as many empty blocks in the pool as threads recently needed at once, so that they need
    /// not allocate. The worker calls this each time it reads the queue.
    pub fn maintain_pool(&self) {
        self.memory.maintain();
    }

    /// Waits until a thread has filled a block.
    pub async fn block_filled(&self) {
        self.wake.notified().await;
        self.wake_is_pending.store(false, Ordering::Relaxed);
    }

    /// Returns the consumers of threads that have registered since the last call.
    pub fn take_new_consumers(&self) -> Vec<Consumer> {
        std::mem::take(&mut *self.new_consumers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes at most `most` entries from a consumer. Returns their number, or `None` if the thread
    /// has ended and its chain has been read completely.
    pub fn drain(
        &self,
        consumer: &mut Consumer,
        requests: &mut RequestCache,
        most: usize,
        take: impl FnMut(QueuedEntry<'_>),
    ) -> Option<usize> {
        consumer.drain(&self.memory, requests, most, take)
    }

    /// Wakes the worker, unless it has been woken and has not noticed yet.
    pub(super) fn wake(&self) {
        if !self.wake_is_pending.swap(true, Ordering::Relaxed) {
            self.wake.notify_one();
        }
    }
}
