//! A thread's end of its chain.

use std::sync::PoisonError;

use super::block::{self, Writer, blocks_for};
use super::consumer::Consumer;
use super::memory::Admission;
use super::shared::Queue;
use super::sync::{Arc, AtomicBool, AtomicU64, Ordering};
use crate::context::Request;
use crate::entry::{self, RecipientId};
use crate::item;
use crate::value::FieldBuffer;

/// Writes a thread's chain. When it is dropped, the worker reads the chain to its end and lets go of it.
pub(super) struct Producer {
    id: RecipientId,
    queue: std::sync::Arc<Queue>,
    chain: Writer,
    /// The version of the request that the chain identified last; 0 before the first.
    request_version: u64,
    at_end: Arc<AtomicBool>,
    /// Whether the thread keeps it.
    pub(super) stays: bool,
}

impl Producer {
    /// Begins a chain, and makes it known to the worker.
    pub(super) fn register(queue: std::sync::Arc<Queue>, thread: Box<str>) -> Self {
        let (chain, reader) = block::chain(&queue.memory.pool);
        let at_end = Arc::new(AtomicBool::new(false));
        let consumer = Consumer::new(reader, Arc::clone(&at_end), thread.into());
        queue.new_consumers.lock().unwrap_or_else(PoisonError::into_inner).push(consumer);
        Self { id: queue.id, queue, chain, request_version: 0, at_end, stays: false }
    }

    /// Returns the id of its queue.
    #[inline]
    pub(super) fn id(&self) -> RecipientId {
        self.id
    }

    /// Hands over an entry of `request`, and returns whether it was accepted.
    #[inline]
    pub(super) fn push<const HEAD: usize>(
        &mut self,
        request: &Request,
        admission: Admission,
        head: [u64; HEAD],
        fields: &FieldBuffer,
    ) -> bool {
        if self.request_version != request.version && !self.identify(request, admission) {
            return false;
        }
        self.write(admission, head, fields)
    }

    /// Writes that what follows is of `request`.
    #[inline(never)]
    fn identify(&mut self, request: &Request, admission: Admission) -> bool {
        let fields = entry::request_fields(request);
        let is_written = self.write(admission, entry::request(request), &fields);
        if is_written {
            self.request_version = request.version;
        }
        is_written
    }

    #[inline]
    fn write<const HEAD: usize>(&mut self, admission: Admission, head: [u64; HEAD], fields: &FieldBuffer) -> bool {
        let count = fields.len();
        if !self.chain.has_room(HEAD + count) && !self.may_extend(admission, HEAD + count, fields) {
            return self.write_without_items(admission, head, fields);
        }
        self.chain.write(&self.queue.memory.pool, head, count, |places| {
            if FieldBuffer::is_inline() {
                for (at, place) in places.iter().enumerate() {
                    place.store(fields.word(at), Ordering::Relaxed);
                }
            } else {
                write_long(places, fields);
            }
        });
        true
    }

    /// Reserves the memory of an entry of so many words if the queue has it. Items are promised no place, whatever else the
    /// entry is promised.
    #[cold]
    #[inline(never)]
    fn may_extend(&self, admission: Admission, words: usize, fields: &FieldBuffer) -> bool {
        self.queue.wake();
        let (memory, blocks) = (&self.queue.memory, blocks_for(words));
        if fields.len() > 1 && item::has_items(&fields.to_encoded()) {
            memory.reserve_free(blocks)
        } else {
            memory.reserve(admission, blocks)
        }
    }

    /// Writes an entry that there is no room for without its items, if it has some, which counts them as not kept.
    #[cold]
    #[inline(never)]
    fn write_without_items<const HEAD: usize>(
        &mut self,
        admission: Admission,
        head: [u64; HEAD],
        fields: &FieldBuffer,
    ) -> bool {
        let [first, ..] = head[..] else { return false };
        let Some(kept) = item::without_items(&fields.to_encoded(), entry::dropped_items(first)) else { return false };
        let words = HEAD + kept.len();
        if !self.chain.has_room(words) && !self.queue.memory.reserve(admission, blocks_for(words)) {
            return false;
        }
        self.chain.write(&self.queue.memory.pool, head, kept.len(), |places| {
            places.iter().zip(kept).for_each(|(place, word)| place.store(word, Ordering::Relaxed));
        });
        true
    }
}

#[cold]
#[inline(never)]
fn write_long(places: &[AtomicU64], fields: &FieldBuffer) {
    for (place, word) in places.iter().zip(fields.to_encoded()) {
        place.store(word, Ordering::Relaxed);
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.at_end.store(true, Ordering::Release);
    }
}
