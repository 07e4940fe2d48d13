//! A chain of fixed blocks between one writer and one reader.
//!
//! The writer fills a block slot by slot and links the next one; the reader follows. Neither waits for the other:
//! a slot is the writer's until `written` passes it, the reader's afterwards, and `written` only grows.
//!
//! This is the module's need for `unsafe`: a slot is written by one thread and moved out by another without a lock, and
//! no safe type of the standard library does that for values that own memory. Each use states why it holds.

#![expect(unsafe_code, reason = "slots move between two threads without a lock; see the module's words")]

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crossbeam_queue::ArrayQueue;

/// Slots in a block.
pub(super) const SLOTS: usize = 128;

struct Block<T> {
    /// How many slots are filled; only the writer stores it.
    written: AtomicUsize,
    /// How many slots were moved out when the reader left; nobody else stores it.
    read: AtomicUsize,
    next: OnceLock<Arc<Block<T>>>,
    slots: [UnsafeCell<MaybeUninit<T>>; SLOTS],
}

// SAFETY: a slot is touched by one thread at a time. The writer alone touches slots at `written` and above; the reader
// alone touches those below it, each once, after an acquire load of the `written` that the writer's release store put
// there. So a `T` goes from one thread to another, which `T: Send` allows, and is never shared.
unsafe impl<T: Send> Sync for Block<T> {}

impl<T> Block<T> {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            written: AtomicUsize::new(0),
            read: AtomicUsize::new(0),
            next: OnceLock::new(),
            slots: [const { UnsafeCell::new(MaybeUninit::uninit()) }; SLOTS],
        })
    }
}

impl<T> Drop for Block<T> {
    fn drop(&mut self) {
        let (read, written) = (*self.read.get_mut(), *self.written.get_mut());
        for slot in &mut self.slots[read..written] {
            // SAFETY: slots from `read` to `written` were filled and not moved out, and nobody else is left.
            unsafe { slot.get_mut().assume_init_drop() };
        }
        // A long chain is taken apart here link by link; dropping it by recursion could exhaust the stack.
        let mut next = self.next.take();
        while let Some(mut block) = next.and_then(Arc::into_inner) {
            next = block.next.take();
        }
    }
}

/// Empty blocks for all chains of a queue: their memory is warm, and a writer that finds one allocates nothing.
pub(super) struct Pool<T>(ArrayQueue<Arc<Block<T>>>);

impl<T> Pool<T> {
    /// A pool that keeps at most `most` blocks, and has none yet.
    pub(super) fn new(most: usize) -> Self {
        Self(ArrayQueue::new(most.max(1)))
    }

    /// Adds new blocks until `number` are there, or as many as the pool keeps.
    pub(super) fn fill(&self, number: usize) {
        while self.0.len() < number.min(self.0.capacity()) && self.0.push(Block::new()).is_ok() {}
    }

    /// Lets go of `number` blocks, if there are so many.
    pub(super) fn shrink(&self, number: usize) {
        (0..number).for_each(|_| drop(self.0.pop()));
    }

    /// How many blocks are there.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn take(&self) -> Arc<Block<T>> {
        self.0.pop().unwrap_or_else(Block::new)
    }

    /// Takes in a block whose every slot was read.
    fn put(&self, mut block: Arc<Block<T>>) {
        // The writer has gone on to the next block, so the reader's is the last reference, unless the writer is just
        // about to let go of its own. Then the block is not worth waiting for.
        if let Some(unshared) = Arc::get_mut(&mut block) {
            *unshared.written.get_mut() = 0;
            *unshared.read.get_mut() = 0;
            unshared.next = OnceLock::new();
            let _ = self.0.push(block);
        }
    }
}

/// The end of a chain that writes.
pub(super) struct Writer<T> {
    block: Arc<Block<T>>,
    at: usize,
}

/// The end of a chain that reads.
pub(super) struct Reader<T> {
    block: Arc<Block<T>>,
    at: usize,
    /// How many slots of the block were filled when it was last looked at.
    filled: usize,
}

/// A new chain of one block.
pub(super) fn chain<T>(pool: &Pool<T>) -> (Writer<T>, Reader<T>) {
    let block = pool.take();
    (Writer { block: Arc::clone(&block), at: 0 }, Reader { block, at: 0, filled: 0 })
}

impl<T> Writer<T> {
    /// Whether the next write needs a new block.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.at == SLOTS
    }

    /// Appends what `make` makes, in its place, adding a block of `pool` to the chain if the last one is full.
    #[inline]
    pub(super) fn write(&mut self, pool: &Pool<T>, make: impl FnOnce() -> T) {
        if self.is_full() {
            self.extend(pool);
        }
        // SAFETY: `at` equals `written` and is below `SLOTS`, so this slot is empty and the reader does not touch it; a
        // chain has one writer, and `&mut self` keeps it to one call. If `make` panics, the slot stays empty.
        unsafe { (*self.block.slots[self.at].get()).write(make()) };
        self.at += 1;
        self.block.written.store(self.at, Ordering::Release);
    }

    #[cold]
    fn extend(&mut self, pool: &Pool<T>) {
        let next = pool.take();
        let full = std::mem::replace(&mut self.block, Arc::clone(&next));
        self.at = 0;
        // The writer alone sets it, once a block. The reader may see it, and want the block for itself, at once; so
        // the chain's own reference is let go of as soon as can be.
        let _ = full.next.set(next);
    }
}

impl<T> Reader<T> {
    /// Takes the next value, if one is there. Blocks that are left behind go to `pool`, and are counted by `freed`.
    pub(super) fn read(&mut self, pool: &Pool<T>, freed: impl FnOnce()) -> Option<T> {
        if self.at == SLOTS {
            let next = Arc::clone(self.block.next.get()?);
            let behind = std::mem::replace(&mut self.block, next);
            behind.read.store(SLOTS, Ordering::Relaxed);
            (self.at, self.filled) = (0, 0);
            pool.put(behind);
            freed();
        }
        if self.at == self.filled {
            self.filled = self.block.written.load(Ordering::Acquire);
            if self.at == self.filled {
                return None;
            }
        }
        // SAFETY: the slot is below `written`, read with acquire, so the writer filled it and is done with it; `at`
        // moves on at once, so it is moved out once.
        let value = unsafe { (*self.block.slots[self.at].get()).assume_init_read() };
        self.at += 1;
        Some(value)
    }
}

impl<T> Drop for Reader<T> {
    fn drop(&mut self) {
        // What is left is dropped with its block.
        self.block.read.store(self.at, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_arrive_in_order_across_threads() {
        let pool = Arc::new(Pool::new(4));
        let (mut writer, mut reader) = chain(&pool);
        let count = if cfg!(miri) { 1_000 } else { 200_000 };
        let of_writer = Arc::clone(&pool);
        let writing = std::thread::spawn(move || (0..count).for_each(|n| writer.write(&of_writer, || Box::new(n))));
        let mut expected = 0;
        while expected < count {
            match reader.read(&pool, || ()) {
                Some(value) => {
                    assert_eq!(*value, expected);
                    expected += 1;
                }
                None => std::thread::yield_now(),
            }
        }
        writing.join().expect("the writer does not panic");
        assert!(reader.read(&pool, || ()).is_none());
    }

    #[test]
    fn what_is_left_unread_is_dropped_once() {
        let value = Arc::new(());
        let pool = Arc::new(Pool::new(4));
        let (mut writer, mut reader) = chain(&pool);
        (0..SLOTS * 3 + 5).for_each(|_| writer.write(&pool, || Arc::clone(&value)));
        (0..SLOTS + 7).for_each(|_| drop(reader.read(&pool, || ())));
        assert_eq!(Arc::strong_count(&value), 1 + SLOTS * 2 - 2);
        drop(reader);
        drop(writer);
        assert_eq!(Arc::strong_count(&value), 1);
    }

    #[test]
    fn a_long_chain_is_dropped_without_recursion() {
        let pool = Pool::new(1);
        let (mut writer, reader) = chain(&pool);
        (0..SLOTS * 20_000).for_each(|n| writer.write(&pool, || n));
        drop(writer);
        drop(reader);
    }
}
