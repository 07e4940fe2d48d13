//! A chain of blocks of words between one writer and one reader.
//!
//! The writer fills a block entry by entry and then links the next block; the reader follows.
//! Neither waits for the other. Words below `written` belong to the reader, words from there on to
//! the writer, and `written` only grows. Words own nothing, so nothing has to be dropped. Each word
//! is an atomic that is stored before `written` passes it and loaded after. The reader accesses its
//! words in place as plain memory, which needs `unsafe`, because copying them one by one would cost
//! the worker noticeably.

#![expect(unsafe_code, reason = "the reader accesses words as plain memory; see above")]

use super::sync::{Arc, ArrayQueue, AtomicU64, AtomicUsize, Link, Ordering, as_plain_memory};
use crate::entry;

/// The number of words in a block, which makes 16 KiB. A longer entry gets a block of its own.
#[cfg(not(any(ragtrace_loom, miri)))]
pub(super) const WORDS: usize = 2_048;
/// Small, so that a model covers many blocks.
#[cfg(ragtrace_loom)]
pub(super) const WORDS: usize = 4;
/// Small, because the interpreter is slow.
#[cfg(all(miri, not(ragtrace_loom)))]
pub(super) const WORDS: usize = 64;

/// Returns the number of normal blocks that take as much memory as a block of `words`.
pub(super) const fn blocks_for(words: usize) -> usize {
    words.div_ceil(WORDS)
}

#[derive(Debug)]
struct Block {
    /// The block's number in its chain, set before the block is linked.
    number: AtomicU64,
    /// The number of words that are filled. Only the writer stores it.
    written: AtomicUsize,
    next: Link<Block>,
    words: Box<[AtomicU64]>,
}

impl Block {
    fn new(words: usize) -> Arc<Self> {
        let words = (0..words.max(WORDS)).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self { number: AtomicU64::new(0), written: AtomicUsize::new(0), next: Link::new(), words })
    }
}

#[cfg(not(ragtrace_loom))]
impl Drop for Block {
    fn drop(&mut self) {
        // Takes a long chain apart link by link, because recursive drops could exhaust the stack.
        let mut next = self.next.take();
        while let Some(mut block) = next.and_then(Arc::into_inner) {
            next = block.next.take();
        }
    }
}

/// Empty blocks for all chains of a queue. Their memory has been touched before, and a writer that
/// finds one here allocates nothing.
pub(super) struct Pool(ArrayQueue<Arc<Block>>);

impl Pool {
    /// Creates an empty pool that keeps at most `most` blocks.
    pub(super) fn new(most: usize) -> Self {
        Self(ArrayQueue::new(most.max(1)))
    }

    /// Adds new blocks until the pool has `number`, or as many as it keeps.
    pub(super) fn fill(&self, number: usize) {
        while self.0.len() < number.min(self.0.capacity()) && self.0.push(Block::new(WORDS)).is_ok() {}
    }

    /// Frees up to `number` blocks.
    pub(super) fn shrink(&self, number: usize) {
        (0..number).for_each(|_| drop(self.0.pop()));
    }

    /// Returns the number of blocks in the pool.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn take(&self, words: usize) -> Arc<Block> {
        let from_pool = if words <= WORDS { self.0.pop() } else { None };
        from_pool.unwrap_or_else(|| Block::new(words))
    }

    /// Takes back a block of which every word has been read.
    fn put(&self, mut block: Arc<Block>) {
        // The writer has moved on to the next block, so the reader usually holds the last
        // reference. If the writer is just about to drop its own, the block is not pooled, because
        // waiting is not worth it.
        if let Some(unshared) = Arc::get_mut(&mut block).filter(|block| block.words.len() == WORDS) {
            unshared.number = AtomicU64::new(0);
            unshared.written = AtomicUsize::new(0);
            unshared.next = Link::new();
            let _ = self.0.push(block);
        }
    }
}

/// The writing end of a chain.
pub(super) struct Writer {
    block: Arc<Block>,
    at: usize,
}

/// The reading end of a chain.
pub(super) struct Reader {
    block: Arc<Block>,
    at: usize,
    /// The number of filled words when the block was last checked.
    filled: usize,
    /// The buffer to which [`as_plain_memory`] copies under a model.
    copy: Vec<u64>,
}

/// A position in a chain. Positions are ordered as entries are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    block: u64,
    word: usize,
}

/// Creates a chain of one block.
pub(super) fn chain(pool: &Pool) -> (Writer, Reader) {
    let block = pool.take(WORDS);
    (Writer { block: Arc::clone(&block), at: 0 }, Reader { block, at: 0, filled: 0, copy: Vec::new() })
}

impl Writer {
    /// Returns `true` if an entry of `words` words fits into the block.
    #[inline]
    pub(super) fn has_room(&self, words: usize) -> bool {
        words <= self.block.words.len() - self.at
    }

    /// Appends an entry made of `head` and `fields` further words that `fill` stores. If the last
    /// block has no room, a block from `pool` is added to the chain.
    #[inline]
    pub(super) fn write<const HEAD: usize>(
        &mut self,
        pool: &Pool,
        head: [u64; HEAD],
        fields: usize,
        fill: impl FnOnce(&[AtomicU64]),
    ) {
        let length = HEAD + fields;
        if !self.has_room(length) {
            self.extend(pool, length);
        }
        self.write_here(head, fields, fill);
    }

    /// Appends an entry for which the last block has room.
    #[inline]
    pub(super) fn write_here<const HEAD: usize>(
        &mut self,
        head: [u64; HEAD],
        fields: usize,
        fill: impl FnOnce(&[AtomicU64]),
    ) {
        let length = HEAD + fields;
        let end = self.at + length;
        if let Some((of_head, of_fields)) =
            self.block.words.get(self.at..end).and_then(<[_]>::split_first_chunk::<HEAD>)
        {
            for (at, (place, word)) in of_head.iter().zip(head).enumerate() {
                let word = if at == 0 { entry::with_length(word, length) } else { word };
                place.store(word, Ordering::Relaxed);
            }
            fill(of_fields);
        }
        self.at = end;
        self.block.written.store(end, Ordering::Release);
    }

    /// Appends an entry made of `head` and the words that `fill` puts into the rest of the last
    /// block. Returns `false`, and appends nothing, if the block has no room for all of them.
    #[inline]
    pub(super) fn write_if_room<const HEAD: usize>(
        &mut self,
        head: [u64; HEAD],
        fill: impl FnOnce(&mut Room<'_>),
    ) -> bool {
        let Some((of_head, rest)) = self.block.words.get(self.at..).and_then(<[_]>::split_first_chunk::<HEAD>) else {
            return false;
        };
        // The words are the writer's until `written` passes them.
        let mut room = Room { places: rest.iter(), is_exceeded: false };
        fill(&mut room);
        if room.is_exceeded {
            return false;
        }
        let length = HEAD + rest.len() - room.places.len();
        for (at, (place, word)) in of_head.iter().zip(head).enumerate() {
            let word = if at == 0 { entry::with_length(word, length) } else { word };
            place.store(word, Ordering::Relaxed);
        }
        self.at += length;
        self.block.written.store(self.at, Ordering::Release);
        true
    }

    #[cold]
    #[inline(never)]
    fn extend(&mut self, pool: &Pool, words: usize) {
        let next = pool.take(words);
        next.number.store(self.block.number.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        let full = std::mem::replace(&mut self.block, Arc::clone(&next));
        self.at = 0;
        // Only the writer sets this, once per block. The reader may see it at once and want
        // exclusive access to the full block, so the writer has already replaced its own block and
        // drops the reference at the end of this function.
        full.next.set(next);
    }
}

/// The rest of a block, as [`Writer::write_if_room`] fills it.
pub(super) struct Room<'a> {
    places: std::slice::Iter<'a, AtomicU64>,
    is_exceeded: bool,
}

impl Room<'_> {
    /// Stores the next word, or notes that there is no room for it.
    #[inline]
    pub(super) fn put(&mut self, word: u64) {
        match self.places.next() {
            Some(place) => place.store(word, Ordering::Relaxed),
            None => self.is_exceeded = true,
        }
    }
}

impl Reader {
    /// Reads the next entry, or returns `None` if there is none yet. When the reader moves to the
    /// next block, the previous one goes to `pool`, and `on_next_block` is called with the memory
    /// that the next block takes, counted in normal blocks.
    #[inline]
    pub(super) fn read(&mut self, pool: &Pool, on_next_block: impl FnOnce(usize)) -> Option<&[u64]> {
        if self.at == self.filled && !self.advance(pool, on_next_block) {
            return None;
        }
        let first = self.block.words.get(self.at)?.load(Ordering::Relaxed);
        // Entries are never empty, and a length of zero would make the reader stand still. No entry
        // extends beyond the filled words.
        let start = self.at;
        self.at = (start + entry::length(first).max(1)).min(self.filled);
        let words = self.block.words.get(start..self.at)?;
        // SAFETY: these words are below `written`, which was loaded with `Acquire`, so their stores
        // are visible. They are not written again while this reader holds the block, and it holds
        // the block for as long as the words are borrowed: the writer writes only from `written`
        // on, and `Pool::put` gives away only blocks without other references.
        Some(unsafe { as_plain_memory(words, &mut self.copy) })
    }

    /// Returns the reader's position.
    pub(super) fn position(&self) -> Position {
        Position { block: self.block.number.load(Ordering::Relaxed), word: self.at }
    }

    /// Returns the current end of the chain. Entries written before the call are before that
    /// position.
    pub(super) fn end(&self) -> Position {
        let mut last = Arc::clone(&self.block);
        loop {
            let written = last.written.load(Ordering::Acquire);
            let Some(next) = last.next.get() else {
                return Position { block: last.number.load(Ordering::Relaxed), word: written };
            };
            last = next;
        }
    }

    /// Looks for more words in this block or the next one, and returns `true` if there are any.
    fn advance(&mut self, pool: &Pool, on_next_block: impl FnOnce(usize)) -> bool {
        self.filled = self.block.written.load(Ordering::Acquire);
        if self.at < self.filled {
            return true;
        }
        let Some(next) = self.block.next.get() else { return false };
        // The writer linked the next block after its last entry in this one, so that entry is
        // visible now.
        self.filled = self.block.written.load(Ordering::Acquire);
        if self.at < self.filled {
            return true;
        }
        on_next_block(blocks_for(next.words.len()));
        pool.put(std::mem::replace(&mut self.block, next));
        (self.at, self.filled) = (0, self.block.written.load(Ordering::Acquire));
        self.at < self.filled
    }
}

#[cfg(all(test, not(ragtrace_loom)))]
mod tests {
    use super::*;

    /// Returns the number of repetitions in a test, which is lower under the slow interpreter.
    const fn times(native: u64) -> u64 {
        if cfg!(miri) { native / 500 } else { native }
    }

    /// Returns a function that stores `number` in all words of an entry after the first.
    fn entry_of(number: u64) -> impl FnOnce(&[AtomicU64]) {
        move |places| places.iter().for_each(|place| place.store(number, Ordering::Relaxed))
    }

    #[test]
    fn entries_arrive_whole_and_in_order_across_threads() {
        let pool = Arc::new(Pool::new(4));
        let (mut writer, mut reader) = chain(&pool);
        let count = times(200_000);
        let of_writer = Arc::clone(&pool);
        let writing = std::thread::spawn(move || {
            for n in 0..count {
                // Regularly write an entry that is longer than a block.
                let words = if n % times(5_000) == 0 { 3 * WORDS } else { 2 + (n % 13) as usize };
                writer.write(&of_writer, [0], words - 1, entry_of(n));
            }
        });
        let mut expected = 0;
        while expected < count {
            if let Some(entry) = reader.read(&pool, |_| ()) {
                assert!(entry[1..].iter().all(|word| *word == expected), "{expected}");
                assert_eq!(entry.len() as u64, entry[0] >> 32);
                expected += 1;
            } else {
                std::thread::yield_now();
            }
        }
        writing.join().expect("the writer does not panic");
        assert!(reader.read(&pool, |_| ()).is_none());
    }

    #[test]
    fn blocks_that_were_read_are_written_again() {
        let pool = Pool::new(4);
        let (mut writer, mut reader) = chain(&pool);
        let mut on_next_block = 0;
        for n in 0..(10 * WORDS as u64) {
            writer.write(&pool, [0], 1, entry_of(n));
            assert!(reader.read(&pool, |blocks| on_next_block += blocks).is_some());
        }
        assert_eq!((on_next_block, pool.len()), (19, 1));
    }

    #[test]
    fn an_entry_that_does_not_fit_into_the_block_leaves_no_trace() {
        let pool = Pool::new(1);
        let (mut writer, mut reader) = chain(&pool);
        let put = |words: usize| move |room: &mut Room<'_>| (0..words as u64).for_each(|word| room.put(word));
        assert!(writer.write_if_room([0, 7], put(3)));
        assert!(!writer.write_if_room([0, 8], put(WORDS)));
        assert!(writer.write_if_room([0, 9], put(WORDS - 7)));
        assert!(!writer.write_if_room([0], put(0)), "the block is full");
        let mut next = || reader.read(&pool, |_| ()).map(|entry| (entry.len(), entry[0] >> 32, entry[1]));
        assert_eq!((next(), next(), next()), (Some((5, 5, 7)), Some((WORDS - 5, WORDS as u64 - 5, 9)), None));
    }

    #[test]
    fn a_long_chain_is_dropped_without_recursion() {
        let pool = Pool::new(1);
        let (mut writer, reader) = chain(&pool);
        (0..times(20_000)).for_each(|n| writer.write(&pool, [0], WORDS - 1, entry_of(n)));
        drop(writer);
        drop(reader);
    }
}
