//! Where records lie: those that were made together, side by side, with what they have in common once.
//!
//! Fields stay the words that the stage wrote, as long as nobody wants them otherwise: the canonical JSON is written from
//! them, and a sink that looks at no field has none read. Who looks at one has those of all records of the chunk read.
//!
//! A record by itself would be four or five allocations. A chunk is that many for hundreds of records; each of them
//! is a place in it. The chunk goes when the last of its records does, so whoever keeps few of many for long keeps
//! copies ([`alone`](super::Record::alone)).

use std::mem;
use std::sync::{Arc, OnceLock};

use crossbeam_queue::ArrayQueue;
use ragtrace_core::StageDescriptor;
use ragtrace_core::context::Request;

use super::Origin;
use super::fields::{Fields, NamedValue, named};
use super::ids::Ids;
use super::parts::{Marks, Parts};

/// Records that were made together.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(super) origin: Arc<Origin>,
    pub(super) ids: Ids,
    pub(super) requests: Vec<Arc<Request>>,
    pub(super) threads: Vec<Arc<str>>,
    pub(super) parts: Vec<Parts>,
    /// Fields as stages wrote them. Records of one run may share them.
    pub(super) words: Vec<u64>,
    /// Fields that were changed, or are not a stage's.
    pub(super) fields: Vec<NamedValue>,
    /// What `words` say, once somebody asked.
    pub(super) read: OnceLock<Read>,
    /// Where its memory goes when it is not used any more.
    pub(super) memory: Option<ChunkMemory>,
}

/// The fields of a chunk whose records have words.
#[derive(Debug)]
pub(super) struct Read {
    fields: Vec<NamedValue>,
    /// Those of each record, in the order of the records.
    places: Vec<Fields>,
}

impl Chunk {
    /// The fields of the record at `at`: of its context, and of its metrics.
    pub(super) fn fields_of(&self, at: usize) -> (&[NamedValue], &[NamedValue]) {
        let parts = &self.parts[at];
        let (fields, place) = if parts.marks.has(Marks::WORDS) {
            let read = self.read.get_or_init(|| self.read_words());
            (&read.fields, read.places.get(at).copied().unwrap_or_default())
        } else {
            (&self.fields, parts.fields)
        };
        (fields.get(place.context()).unwrap_or_default(), fields.get(place.metrics()).unwrap_or_default())
    }

    /// The words of a record's context and metrics, if it has its fields as words.
    pub(super) fn words_of(&self, parts: &Parts) -> Option<(&'static StageDescriptor, &[u64], &[u64])> {
        let stage = parts.stage.filter(|_| parts.marks.has(Marks::WORDS))?;
        let words = |range| self.words.get(range).unwrap_or_default();
        Some((stage, words(parts.fields.context()), words(parts.fields.metrics())))
    }

    #[cold]
    fn read_words(&self) -> Read {
        let mut read = Read { fields: Vec::new(), places: Vec::with_capacity(self.parts.len()) };
        for parts in &self.parts {
            let place =
                self.words_of(parts).map(|(stage, context, metrics)| named(stage, context, metrics, &mut read.fields));
            read.places.push(place.unwrap_or_default());
        }
        read
    }
}

/// Memory of chunks that are gone, to be used by others: it is warm, and the system is not asked for it again.
#[derive(Clone, Debug)]
pub(crate) struct ChunkMemory(Arc<ArrayQueue<Lists>>);

/// The lists of a chunk.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) parts: Vec<Parts>,
    pub(super) words: Vec<u64>,
    pub(super) fields: Vec<NamedValue>,
}

impl ChunkMemory {
    /// Records of a chunk that is as large as it should be: some 32 KiB, which a processor's second cache holds.
    pub(crate) const RECORDS: usize = 256;
    /// So much is kept at most: 1 MiB.
    const CHUNKS: usize = 32;

    pub(super) fn take(&self) -> Lists {
        self.0.pop().unwrap_or_else(|| Lists {
            parts: Vec::with_capacity(Self::RECORDS),
            words: Vec::with_capacity(4 * Self::RECORDS),
            fields: Vec::new(),
        })
    }

    pub(super) fn put(&self, mut lists: Lists) {
        let Lists { parts, words, fields } = &mut lists;
        let is_usual = parts.capacity() == Self::RECORDS
            && words.capacity() <= 64 * Self::RECORDS
            && fields.capacity() <= 8 * Self::RECORDS;
        if is_usual && !self.0.is_full() {
            parts.clear();
            words.clear();
            fields.clear();
            let _ = self.0.push(lists);
        }
    }
}

impl Default for ChunkMemory {
    fn default() -> Self {
        Self(Arc::new(ArrayQueue::new(Self::CHUNKS)))
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if let Some(memory) = &self.memory {
            let Self { parts, words, fields, .. } = self;
            memory.put(Lists { parts: mem::take(parts), words: mem::take(words), fields: mem::take(fields) });
        }
    }
}
