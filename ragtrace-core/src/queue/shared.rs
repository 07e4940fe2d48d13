//! What the threads and the worker share.

use std::sync::PoisonError;

use tokio::sync::Notify;

use super::consumer::{Consumer, QueuedEntry, RequestCache};
use super::limits::QueueLimits;
use super::memory::Memory;
use super::sync::{AtomicBool, Mutex, Ordering};
use crate::entry::RecipientId;
use crate::level::Level;

/// A queue: the memory of its chains, those that the worker has not seen yet, and how the worker is
/// woken.
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

    /// Returns how many entries were refused because the queue was full, by level.
    pub fn dropped(&self) -> [u64; Level::ALL.len()] {
        self.memory.dropped()
    }

    /// Keeps as many empty blocks at hand as threads wanted at once lately, so that they allocate
    /// none themselves. The worker calls it at each look at the queue.
    pub fn maintain_pool(&self) {
        self.memory.maintain();
    }

    /// Waits until a thread has filled a block.
    pub async fn block_filled(&self) {
        self.wake.notified().await;
        self.wake_is_pending.store(false, Ordering::Relaxed);
    }

    /// Takes the consumers of threads that came since the last call.
    pub fn take_new_consumers(&self) -> Vec<Consumer> {
        std::mem::take(&mut *self.new_consumers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes at most `most` entries from a consumer. Returns how many were taken, or `None` when
    /// the thread is gone and its chain at its end.
    pub fn drain(
        &self,
        consumer: &mut Consumer,
        requests: &mut RequestCache,
        most: usize,
        take: impl FnMut(QueuedEntry<'_>),
    ) -> Option<usize> {
        consumer.drain(&self.memory, requests, most, take)
    }

    pub(super) fn wake(&self) {
        if !self.wake_is_pending.swap(true, Ordering::Relaxed) {
            self.wake.notify_one();
        }
    }
}
