//! A thread's end of its chain.

use std::sync::PoisonError;

use super::block::{self, Writer, blocks_of};
use super::consumer::Consumer;
use super::sync::{Arc, AtomicBool, AtomicU64, Ordering};
use super::{Queue, Severity};
use crate::context::Request;
use crate::stage::entry::{self, AcceptedBy};
use crate::stage::slots::Slots;

/// What a thread writes with. When it is dropped, the worker reads the chain to its end and lets go of it.
pub(super) struct Producer {
    number: AcceptedBy,
    queue: std::sync::Arc<Queue>,
    chain: Writer,
    /// The version of the request that the chain named last; 0 before the first.
    named: u64,
    at_end: Arc<AtomicBool>,
    /// Whether the thread keeps it.
    pub(super) stays: bool,
}

impl Producer {
    /// A new chain, made known to the worker.
    pub(super) fn register(queue: std::sync::Arc<Queue>, thread: Box<str>) -> Self {
        let (chain, reader) = block::chain(&queue.pool);
        let at_end = Arc::new(AtomicBool::new(false));
        let consumer = Consumer::new(reader, Arc::clone(&at_end), thread.into());
        queue.new.lock().unwrap_or_else(PoisonError::into_inner).push(consumer);
        Self { number: queue.number, queue, chain, named: 0, at_end, stays: false }
    }

    /// The number of its queue.
    #[inline]
    pub(super) fn number(&self) -> AcceptedBy {
        self.number
    }

    /// Hands over an entry of `request`, and says whether it was accepted.
    #[inline]
    pub(super) fn push<const HEAD: usize>(
        &mut self,
        request: &Request,
        severity: Severity,
        head: [u64; HEAD],
        fields: &Slots,
    ) -> bool {
        if self.named != request.version && !self.name(request, severity) {
            return false;
        }
        self.write(severity, head, fields)
    }

    /// Says that what follows is of `request`.
    #[inline(never)]
    fn name(&mut self, request: &Request, severity: Severity) -> bool {
        let fields = entry::request_fields(request);
        let is_named = self.write(severity, entry::request(request), &fields);
        if is_named {
            self.named = request.version;
        }
        is_named
    }

    #[inline]
    fn write<const HEAD: usize>(&mut self, severity: Severity, head: [u64; HEAD], fields: &Slots) -> bool {
        let count = fields.len();
        if !self.chain.has_room(HEAD + count) && !self.may_extend(severity, HEAD + count) {
            return false;
        }
        self.chain.write(&self.queue.pool, head, count, |places| {
            if Slots::are_in_place() {
                for (at, place) in places.iter().enumerate() {
                    place.store(fields.word(at), Ordering::Relaxed);
                }
            } else {
                write_long(places, fields);
            }
        });
        true
    }

    /// Counts what an entry of so many words adds to the chain if the bound allows it, else a loss.
    #[cold]
    #[inline(never)]
    fn may_extend(&self, severity: Severity, words: usize) -> bool {
        self.queue.wake();
        let more = blocks_of(words);
        let before = self.queue.blocks.fetch_add(more, Ordering::Relaxed);
        match severity {
            Severity::Refusable(level) if before + more > self.queue.block_limit => {
                self.queue.blocks.fetch_sub(more, Ordering::Relaxed);
                self.queue.refuse(level);
                false
            }
            _ => {
                self.queue.most_blocks.fetch_max(before + more, Ordering::Relaxed);
                true
            }
        }
    }
}

#[cold]
#[inline(never)]
fn write_long(places: &[AtomicU64], fields: &Slots) {
    for (place, word) in places.iter().zip(fields.to_words()) {
        place.store(word, Ordering::Relaxed);
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.at_end.store(true, Ordering::Release);
    }
}
