//! A thread's scratch buffer: encoded fields lie in it until they are written to the queue.

use std::cell::{Cell, RefCell};
use std::mem::{self, ManuallyDrop};

/// Words that lie inline, in 512 bytes: the fields of most stages. Further ones spill to the heap.
pub(super) const INLINE_WORDS: usize = 64;

/// Words of encoded fields: those of the innermost entry last.
struct Scratch {
    // Without destructors an access is a plain load; `ON_THREAD_EXIT` frees what is on the heap.
    inline: [Cell<u64>; INLINE_WORDS],
    /// The words that have no room inline.
    spilled: RefCell<ManuallyDrop<Vec<u64>>>,
    /// How many words there are, inline and spilled.
    used: Cell<usize>,
    /// The largest capacity on the heap, in words, that is kept when the buffer is empty.
    kept_capacity: Cell<usize>,
}

impl Scratch {
    /// 32 KiB: some long texts.
    const KEPT_CAPACITY: usize = 4_096;

    // Only an allocator that runs stages finds it borrowed. What that one records has no fields
    // then.
    fn push_spilled(&self, word: u64) {
        let Ok(mut spilled) = self.spilled.try_borrow_mut() else { return };
        if spilled.capacity() == 0 {
            // The first time this sees to it that the memory goes when the thread does.
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
            // An assignment would not drop what was there.
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

// Each access is small enough to become a load or a store where it is.

/// Returns how many words there are.
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

/// Returns the word at `at`, if it lies inline.
#[inline]
pub(super) fn word(at: usize) -> u64 {
    SCRATCH.with(|scratch| scratch.inline.get(at).map_or(0, Cell::get))
}

/// Copies all words from `start` on.
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

/// Overwrites the word at `at`.
pub(super) fn set(at: usize, word: u64) {
    SCRATCH.with(|scratch| scratch.set(at, word));
}

/// Removes all words from `start` on.
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

/// Frees the memory on the heap when the thread ends. Stages that run later still keep none.
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
