//! A thread's desk: where the words of fields lie until they are written to the queue.

use std::cell::{Cell, RefCell};
use std::mem::{self, ManuallyDrop};

/// How many words lie in place, in 512 bytes: the fields of most stages. What is more goes to the heap.
pub(super) const PLACES: usize = 64;

/// Words of fields that lie on a thread's desk: those of the innermost entry last.
struct Desk {
    // Without destructors an access is a plain load; `AT_END` clears what is on the heap.
    in_place: [Cell<u64>; PLACES],
    /// What has no place.
    more: RefCell<ManuallyDrop<Vec<u64>>>,
    /// How many words there are.
    used: Cell<usize>,
    /// The most words on the heap whose memory is kept.
    keeps: Cell<usize>,
}

impl Desk {
    /// 32 KiB: some long texts.
    const KEEPS: usize = 4_096;

    // Only an allocator that runs stages would find it borrowed. What it records has no fields then.
    fn push_more(&self, word: u64) {
        let Ok(mut more) = self.more.try_borrow_mut() else { return };
        if more.capacity() == 0 {
            // The first time this sees to it that the memory goes when the thread does.
            let _ = AT_END.try_with(|_| ());
        }
        more.push(word);
        self.used.set(PLACES + more.len());
    }

    fn set(&self, at: usize, word: u64) {
        if let Some(place) = self.in_place.get(at) {
            place.set(word);
        } else if let Ok(mut more) = self.more.try_borrow_mut()
            && let Some(place) = more.get_mut(at - PLACES)
        {
            *place = word;
        }
    }

    fn clear_more(&self, length: usize) {
        let Ok(mut more) = self.more.try_borrow_mut() else { return };
        more.truncate(length.saturating_sub(PLACES));
        if more.is_empty() && more.capacity() > self.keeps.get() {
            // An assignment would not drop what was there.
            drop(ManuallyDrop::into_inner(mem::take(&mut *more)));
        }
    }
}

thread_local! {
    static DESK: Desk = const {
        Desk {
            in_place: [const { Cell::new(0) }; PLACES],
            more: RefCell::new(ManuallyDrop::new(Vec::new())),
            used: Cell::new(0),
            keeps: Cell::new(Desk::KEEPS),
        }
    };
    static AT_END: Clearing = const { Clearing };
}

// Each access is small enough to become a load or a store where it is.

/// How many words lie there.
#[inline]
pub(super) fn used() -> usize {
    DESK.with(|desk| desk.used.get())
}

#[inline]
fn set_used(used: usize) {
    DESK.with(|desk| desk.used.set(used));
}

/// Adds a word.
#[inline]
pub(super) fn push(word: u64) {
    let at = used();
    let is_in_place = DESK.with(|desk| desk.in_place.get(at).map(|place| place.set(word))).is_some();
    if is_in_place { set_used(at + 1) } else { push_more(word) }
}

#[cold]
#[inline(never)]
fn push_more(word: u64) {
    DESK.with(|desk| desk.push_more(word));
}

#[cold]
#[inline(never)]
fn clear_more(length: usize) {
    DESK.with(|desk| desk.clear_more(length));
}

/// The word at `at`, if it lies in place.
#[inline]
pub(super) fn word(at: usize) -> u64 {
    DESK.with(|desk| desk.in_place.get(at).map_or(0, Cell::get))
}

/// All words from `start` on, in a place of their own.
pub(super) fn words_from(start: usize) -> Vec<u64> {
    DESK.with(|desk| {
        let Ok(more) = desk.more.try_borrow() else { return Vec::new() };
        let used = desk.used.get();
        let in_place = desk.in_place.get(start..used.min(PLACES)).unwrap_or(&[]);
        let of_more = more.get(start.saturating_sub(PLACES)..used.saturating_sub(PLACES)).unwrap_or(&[]);
        in_place.iter().map(Cell::get).chain(of_more.iter().copied()).collect()
    })
}

/// Writes over the word at `at`.
pub(super) fn set(at: usize, word: u64) {
    DESK.with(|desk| desk.set(at, word));
}

/// Takes away what lies there from `start` on.
#[inline]
pub(super) fn clear_to(start: usize) {
    let used = used();
    if used > PLACES {
        clear_more(start);
    }
    if used > start {
        set_used(start);
    }
}

/// Takes the desk's memory when the thread ends. Stages that run later still keep none.
struct Clearing;

impl Drop for Clearing {
    fn drop(&mut self) {
        DESK.with(|desk| {
            desk.keeps.set(0);
            if desk.used.get() <= PLACES {
                desk.clear_more(0);
            }
        });
    }
}
