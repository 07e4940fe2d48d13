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

/// Writes entries to a thread's chain. When it is dropped, the worker reads the chain to its end
/// and then drops it.
pub(super) struct Producer {
    id: RecipientId,
    queue: std::sync::Arc<Queue>,
    chain: Writer,
    /// The version of the request that the chain identified last, or 0 before the first.
    request_version: u64,
    at_end: Arc<AtomicBool>,
    /// True if the thread keeps this producer for later entries.
    pub(super) stays: bool,
}

impl Producer {
    /// Creates a chain and registers its reading end with the worker.
    pub(super) fn register(queue: std::sync::Arc<Queue>, thread: Box<str>) -> Self {
        let (chain, reader) = block::chain(&queue.memory.pool);
        let at_end = Arc::new(AtomicBool::new(false));
        let consumer = Consumer::new(reader, Arc::clone(&at_end), thread.into());
        queue.new_consumers.lock().unwrap_or_else(PoisonError::into_inner).push(consumer);
        Self { id: queue.id, queue, chain, request_version: 0, at_end, stays: false }
    }

    /// Returns the id of the producer's queue.
    #[inline]
    pub(super) fn id(&self) -> RecipientId {
        self.id
    }

    /// Pushes an entry of `request`, and returns `true` if it was accepted.
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

    /// Writes the identity of `request`, to which the following entries belong.
    #[inline(never)]
    fn identify(&mut self, request: &Request, admission: Admission) -> bool {
        let head = entry::request(request);
        let is_written = self.chain.write_if_room(head, |room| {
            entry::encode_request_fields(request, &mut |word| room.put(word));
        });
        let is_accepted = is_written || self.identify_beyond(request, admission, &head);
        if is_accepted {
            self.request_version = request.version;
        }
        is_accepted
    }

    /// Writes an identity that does not fit into the block, if the queue has room.
    #[cold]
    #[inline(never)]
    fn identify_beyond(&mut self, request: &Request, admission: Admission, head: &[u64]) -> bool {
        let mut fields = FieldBuffer::begin();
        entry::encode_request_fields(request, &mut |word| fields.append(&[word]));
        self.write_beyond(admission, head, &fields)
    }

    #[inline]
    fn write<const HEAD: usize>(&mut self, admission: Admission, head: [u64; HEAD], fields: &FieldBuffer) -> bool {
        let count = fields.len();
        if !self.chain.has_room(HEAD + count) {
            return self.write_beyond(admission, &head, fields);
        }
        self.chain.write_here(head, count, |places| {
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

    /// Writes an entry that does not fit into the block, if the queue has room.
    ///
    /// Items have no guaranteed place, even in an entry that has. If there is no room for them, the
    /// entry is written without them and counts them as dropped.
    #[cold]
    #[inline(never)]
    fn write_beyond(&mut self, admission: Admission, head: &[u64], fields: &FieldBuffer) -> bool {
        self.queue.wake();
        let mut fields = fields.to_encoded();
        if item::has_items(&fields) {
            if self.queue.memory.reserve_free(blocks_for(head.len() + fields.len())) {
                self.write_words(head, &fields);
                return true;
            }
            fields = item::without_items(&fields, entry::dropped_items(head[0]));
        }
        let words = head.len() + fields.len();
        let is_accepted = self.chain.has_room(words) || self.queue.memory.reserve(admission, blocks_for(words));
        if is_accepted {
            self.write_words(head, &fields);
        }
        is_accepted
    }

    fn write_words(&mut self, head: &[u64], fields: &[u64]) {
        let Some((first, rest)) = head.split_first() else { return };
        self.chain.write(&self.queue.memory.pool, [*first], rest.len() + fields.len(), |places| {
            let words = rest.iter().chain(fields);
            places.iter().zip(words).for_each(|(place, word)| place.store(*word, Ordering::Relaxed));
        });
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
