//! A thread's scratch buffer, which holds encoded fields until they are written to the queue.

use std::cell::{Cell, RefCell};
use std::mem::{self, ManuallyDrop};

/// The number of words that are stored inline, in 512 bytes. This is enough for the fields of most
/// stages. Further words go to the heap.
pub(super) const INLINE_WORDS: usize = 64;

/// The words of encoded fields, with those of the innermost entry last.
struct Scratch {
    // Without destructors, access to the thread-local is a plain load. `ON_THREAD_EXIT` frees the
    // heap memory.
    inline: [Cell<u64>; INLINE_WORDS],
    /// The words that do not fit inline.
    spilled: RefCell<ManuallyDrop<Vec<u64>>>,
    /// The number of words, inline and on the heap.
    used: Cell<usize>,
    /// The heap capacity, in words, up to which the memory is kept while the buffer is empty.
    kept_capacity: Cell<usize>,
}

impl Scratch {
    /// 32 KiB, enough for several long texts.
    const KEPT_CAPACITY: usize = 4_096;

    // Only an allocator that runs stages finds the buffer borrowed. Such stages are recorded
    // without fields.
    fn push_spilled(&self, word: u64) {
        let Ok(mut spilled) = self.spilled.try_borrow_mut() else { return };
        if spilled.capacity() == 0 {
            // The first access registers the destructor that frees the memory when the thread ends.
            let _ = ON_THREAD_EXIT.try_with(|_| ());
        }
        spilled.push(word);
        self.used.set(INLINE_WORDS + spilled.len());
    }

    fn set(&self, at: usize, word: u64) {
        if let Some(place) = self.inline.get(at) {
            place.set(word);
        } else if let Ok(mut spilled) = self.spilled.try_borrow_mut()
            && let Some(place) = spilled.get_mut(at - INLINE_WORDS)
        {
            *place = word;
        }
    }

    fn clear_spilled(&self, length: usize) {
        let Ok(mut spilled) = self.spilled.try_borrow_mut() else { return };
        spilled.truncate(length.saturating_sub(INLINE_WORDS));
        if spilled.is_empty() && spilled.capacity() > self.kept_capacity.get() {
            // An assignment would not drop the previous value, which is in a `ManuallyDrop`.
            drop(ManuallyDrop::into_inner(mem::take(&mut *spilled)));
        }
    }
}

thread_local! {
    static SCRATCH: Scratch = const {
        Scratch {
            inline: [const { Cell::new(0) }; INLINE_WORDS],
            spilled: RefCell::new(ManuallyDrop::new(Vec::new())),
            used: Cell::new(0),
            kept_capacity: Cell::new(Scratch::KEPT_CAPACITY),
        }
    };
    static ON_THREAD_EXIT: FreeSpilled = const { FreeSpilled };
}

// Each function below accesses one cell, small enough to be inlined as a load or a store.

/// Returns the number of words in the buffer.
#[inline]
pub(super) fn used() -> usize {
    SCRATCH.with(|scratch| scratch.used.get())
}

#[inline]
fn set_used(used: usize) {
    SCRATCH.with(|scratch| scratch.used.set(used));
}

/// Adds a word.
#[inline]
pub(super) fn push(word: u64) {
    let at = used();
    let is_inline = SCRATCH.with(|scratch| scratch.inline.get(at).map(|place| place.set(word))).is_some();
    if is_inline { set_used(at + 1) } else { push_spilled(word) }
}

#[cold]
#[inline(never)]
fn push_spilled(word: u64) {
    SCRATCH.with(|scratch| scratch.push_spilled(word));
}

#[cold]
#[inline(never)]
fn clear_spilled(length: usize) {
    SCRATCH.with(|scratch| scratch.clear_spilled(length));
}

/// Returns the word at index `at` if it is inline, otherwise 0.
#[inline]
pub(super) fn word(at: usize) -> u64 {
    SCRATCH.with(|scratch| scratch.inline.get(at).map_or(0, Cell::get))
}

/// Returns a copy of all words from index `start` on.
pub(super) fn words_from(start: usize) -> Vec<u64> {
    SCRATCH.with(|scratch| {
        let Ok(spilled) = scratch.spilled.try_borrow() else { return Vec::new() };
        let used = scratch.used.get();
        let inline = scratch.inline.get(start..used.min(INLINE_WORDS)).unwrap_or(&[]);
        let of_spilled =
            spilled.get(start.saturating_sub(INLINE_WORDS)..used.saturating_sub(INLINE_WORDS)).unwrap_or(&[]);
        inline.iter().map(Cell::get).chain(of_spilled.iter().copied()).collect()
    })
}

/// Overwrites the word at index `at`.
pub(super) fn set(at: usize, word: u64) {
    SCRATCH.with(|scratch| scratch.set(at, word));
}

/// Removes all words from index `start` on.
#[inline]
pub(super) fn clear_to(start: usize) {
    let used = used();
    if used > INLINE_WORDS {
        clear_spilled(start);
    }
    if used > start {
        set_used(start);
    }
}

/// Frees the heap memory when the thread ends. Stages that run even later keep no memory.
struct FreeSpilled;

impl Drop for FreeSpilled {
    fn drop(&mut self) {
        SCRATCH.with(|scratch| {
            scratch.kept_capacity.set(0);
            if scratch.used.get() <= INLINE_WORDS {
                scratch.clear_spilled(0);
            }
        });
    }
}
