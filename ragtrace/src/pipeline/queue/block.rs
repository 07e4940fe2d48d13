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

/// Slots in a block.
pub(super) const SLOTS: usize = 128;

struct Block<T> {
    /// How many slots are filled; only the writer stores it.
    written: AtomicUsize,
    /// How many slots are moved out; only the reader stores it.
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

/// The end of a chain that writes.
pub(super) struct Writer<T> {
    block: Arc<Block<T>>,
    at: usize,
}

/// The end of a chain that reads.
pub(super) struct Reader<T> {
    block: Arc<Block<T>>,
    at: usize,
}

/// A new chain of one block.
pub(super) fn chain<T>() -> (Writer<T>, Reader<T>) {
    let block = Block::new();
    (Writer { block: Arc::clone(&block), at: 0 }, Reader { block, at: 0 })
}

impl<T> Writer<T> {
    /// Whether the next write needs a new block.
    pub(super) fn is_full(&self) -> bool {
        self.at == SLOTS
    }

    /// Appends `value`, adding a block to the chain if the last one is full.
    pub(super) fn write(&mut self, value: T) {
        if self.is_full() {
            self.extend();
        }
        // SAFETY: `at` equals `written`, so this slot is empty and the reader does not touch it; a chain has one
        // writer, and `&mut self` keeps it to one call.
        unsafe { (*self.block.slots[self.at].get()).write(value) };
        self.at += 1;
        self.block.written.store(self.at, Ordering::Release);
    }

    #[cold]
    fn extend(&mut self) {
        let next = Block::new();
        // The writer alone sets it, once a block.
        let _ = self.block.next.set(Arc::clone(&next));
        self.block = next;
        self.at = 0;
    }
}

impl<T> Reader<T> {
    /// Takes the next value, if one is there. `freed` is called for each block that is left behind.
    pub(super) fn read(&mut self, freed: impl FnOnce()) -> Option<T> {
        if self.at == SLOTS {
            let next = Arc::clone(self.block.next.get()?);
            self.block = next;
            self.at = 0;
            freed();
        }
        if self.at == self.block.written.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: the slot is below `written`, read with acquire, so the writer filled it and is done with it; `at`
        // moves on at once, so it is moved out once.
        let value = unsafe { (*self.block.slots[self.at].get()).assume_init_read() };
        self.at += 1;
        self.block.read.store(self.at, Ordering::Relaxed);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_arrive_in_order_across_threads() {
        let (mut writer, mut reader) = chain();
        let count = if cfg!(miri) { 1_000 } else { 200_000 };
        let writing = std::thread::spawn(move || (0..count).for_each(|n| writer.write(Box::new(n))));
        let mut expected = 0;
        while expected < count {
            match reader.read(|| ()) {
                Some(value) => {
                    assert_eq!(*value, expected);
                    expected += 1;
                }
                None => std::thread::yield_now(),
            }
        }
        writing.join().expect("the writer does not panic");
        assert!(reader.read(|| ()).is_none());
    }

    #[test]
    fn what_is_left_unread_is_dropped_once() {
        let value = Arc::new(());
        let (mut writer, mut reader) = chain();
        (0..SLOTS * 3 + 5).for_each(|_| writer.write(Arc::clone(&value)));
        (0..SLOTS + 7).for_each(|_| drop(reader.read(|| ())));
        assert_eq!(Arc::strong_count(&value), 1 + SLOTS * 2 - 2);
        drop(reader);
        drop(writer);
        assert_eq!(Arc::strong_count(&value), 1);
    }

    #[test]
    fn a_long_chain_is_dropped_without_recursion() {
        let (mut writer, reader) = chain();
        (0..SLOTS * 20_000).for_each(|n| writer.write(n));
        drop(writer);
        drop(reader);
    }
}
