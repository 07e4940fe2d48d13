//! A chain of blocks of words between one writer and one reader.
//!
//! The writer fills a block entry by entry and links the next one; the reader follows. Neither
//! waits for the other: words below `written` are the reader's, those from it on the writer's, and
//! `written` only grows. Words own nothing, so nothing is left to drop, and a word is an atomic
//! that is written before `written` passes it and read after. The reader looks at its words where
//! they lie, as at plain memory; that is the need for `unsafe` here, since copying them one by one
//! takes the worker a hundred instructions a stage, of some 1,500.

#![expect(unsafe_code, reason = "the reader's words are plain memory; see above")]

use super::sync::{Arc, ArrayQueue, AtomicU64, AtomicUsize, Link, Ordering, as_plain_memory};
use crate::entry;

/// Words in a block: 16 KiB. An entry that is longer has a block of its own.
#[cfg(not(any(ragtrace_loom, miri)))]
pub(super) const WORDS: usize = 2_048;
/// Small, so that a model sees many blocks.
#[cfg(ragtrace_loom)]
pub(super) const WORDS: usize = 4;
/// Small, since an interpreter takes a thousand times as long.
#[cfg(all(miri, not(ragtrace_loom)))]
pub(super) const WORDS: usize = 64;

/// Returns how many blocks' worth of memory a block of `words` takes.
pub(super) const fn blocks_for(words: usize) -> usize {
    words.div_ceil(WORDS)
}

#[derive(Debug)]
struct Block {
    /// The block's number in its chain. It is set before the block is linked.
    number: AtomicU64,
    /// How many words are filled; only the writer stores it.
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
        // A long chain is taken apart here link by link; dropping it by recursion could exhaust the
        // stack.
        let mut next = self.next.take();
        while let Some(mut block) = next.and_then(Arc::into_inner) {
            next = block.next.take();
        }
    }
}

/// Empty blocks for all chains of a queue: their memory is warm, and a writer that finds one
/// allocates nothing.
pub(super) struct Pool(ArrayQueue<Arc<Block>>);

impl Pool {
    /// A pool that keeps at most `most` blocks, and has none yet.
    pub(super) fn new(most: usize) -> Self {
        Self(ArrayQueue::new(most.max(1)))
    }

    /// Adds new blocks until `number` are there, or as many as the pool keeps.
    pub(super) fn fill(&self, number: usize) {
        while self.0.len() < number.min(self.0.capacity()) && self.0.push(Block::new(WORDS)).is_ok() {}
    }

    /// Lets go of `number` blocks, if there are so many.
    pub(super) fn shrink(&self, number: usize) {
        (0..number).for_each(|_| drop(self.0.pop()));
    }

    /// How many blocks are there.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn take(&self, words: usize) -> Arc<Block> {
        let from_pool = if words <= WORDS { self.0.pop() } else { None };
        from_pool.unwrap_or_else(|| Block::new(words))
    }

    /// Takes in a block whose every word was read.
    fn put(&self, mut block: Arc<Block>) {
        // The writer has gone on to the next block, so the reader's is the last reference, unless
        // the writer is just about to let go of its own. Then the block is not worth waiting for.
        if let Some(unshared) = Arc::get_mut(&mut block).filter(|block| block.words.len() == WORDS) {
            unshared.number = AtomicU64::new(0);
            unshared.written = AtomicUsize::new(0);
            unshared.next = Link::new();
            let _ = self.0.push(block);
        }
    }
}

/// Writes a chain.
pub(super) struct Writer {
    block: Arc<Block>,
    at: usize,
}

/// Reads a chain.
pub(super) struct Reader {
    block: Arc<Block>,
    at: usize,
    /// How many words of the block were filled when it was last looked at.
    filled: usize,
    /// What [`as_plain_memory`] copies to under a model.
    copy: Vec<u64>,
}

/// A position in a chain: positions are in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    block: u64,
    word: usize,
}

/// A new chain of one block.
pub(super) fn chain(pool: &Pool) -> (Writer, Reader) {
    let block = pool.take(WORDS);
    (Writer { block: Arc::clone(&block), at: 0 }, Reader { block, at: 0, filled: 0, copy: Vec::new() })
}

impl Writer {
    /// Returns whether an entry of so many words fits in the block.
    #[inline]
    pub(super) fn has_room(&self, words: usize) -> bool {
        words <= self.block.words.len() - self.at
    }

    /// Appends an entry, which is `head` and then so many words that `fill` stores, adding a block
    /// of `pool` to the chain if the last one has no room.
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

    #[cold]
    #[inline(never)]
    fn extend(&mut self, pool: &Pool, words: usize) {
        let next = pool.take(words);
        next.number.store(self.block.number.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        let full = std::mem::replace(&mut self.block, Arc::clone(&next));
        self.at = 0;
        // The writer alone sets it, once a block. The reader may see it, and want the block for
        // itself, at once; so the chain's own reference is let go of as soon as can be.
        full.next.set(next);
    }
}

impl Reader {
    /// Reads the next entry, if there is one. A block that is left behind goes to `pool`, and
    /// `on_next_block` is told how many blocks' worth the next one takes.
    #[inline]
    pub(super) fn read(&mut self, pool: &Pool, on_next_block: impl FnOnce(usize)) -> Option<&[u64]> {
        if self.at == self.filled && !self.advance(pool, on_next_block) {
            return None;
        }
        let first = self.block.words.get(self.at)?.load(Ordering::Relaxed);
        // An entry is never empty; a length of nothing would have the reader stand still. None goes
        // beyond what is filled.
        let start = self.at;
        self.at = (start + entry::length(first).max(1)).min(self.filled);
        let words = self.block.words.get(start..self.at)?;
        // SAFETY: these words are below `written`, which was read with `Acquire`, so they are seen
        // as they were written. Nobody writes them again while this reader has the block, and it
        // keeps it for as long as it is borrowed for them: the writer writes from `written` on, and
        // `Pool::put` gives away only a block that has no other reference.
        Some(unsafe { as_plain_memory(words, &mut self.copy) })
    }

    /// Returns where the reader is.
    pub(super) fn position(&self) -> Position {
        Position { block: self.block.number.load(Ordering::Relaxed), word: self.at }
    }

    /// Returns where the chain ends now. What was written before this is called is before that
    /// place.
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

    /// Looks for more, here or in the next block, and returns whether there is any.
    fn advance(&mut self, pool: &Pool, on_next_block: impl FnOnce(usize)) -> bool {
        self.filled = self.block.written.load(Ordering::Acquire);
        if self.at < self.filled {
            return true;
        }
        let Some(next) = self.block.next.get() else { return false };
        // The writer linked it after its last entry here, so that one is seen now.
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

    /// How often a test does it: an interpreter takes a thousand times as long.
    const fn times(native: u64) -> u64 {
        if cfg!(miri) { native / 500 } else { native }
    }

    /// What follows the first word of an entry that says `number`.
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
                // Now and then one that is longer than a block.
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
    fn a_long_chain_is_dropped_without_recursion() {
        let pool = Pool::new(1);
        let (mut writer, reader) = chain(&pool);
        (0..times(20_000)).for_each(|n| writer.write(&pool, [0], WORDS - 1, entry_of(n)));
        drop(writer);
        drop(reader);
    }
}
