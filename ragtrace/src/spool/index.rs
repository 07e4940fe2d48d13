//! What the file holds, in memory: so that limits cost no reading.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::database::{Contents, Meta};

/// Every stored batch, by sink and sequence number.
#[derive(Debug, Default)]
pub(super) struct Index {
    shelves: BTreeMap<String, Shelf>,
    next: u64,
}

/// What is stored for one sink.
#[derive(Debug, Default)]
struct Shelf {
    batches: BTreeMap<u64, Meta>,
    /// Those that no lane has in memory, and that may be loaded or dropped.
    free: BTreeSet<u64>,
    bytes: u64,
    /// What was loaded last: the next to be loaded comes after it, so that none is loaded twice before all others.
    loaded: u64,
}

impl Index {
    /// An index of what a file holds; all of it is free.
    pub(super) fn of(contents: Contents) -> Self {
        let mut index = Self::default();
        for (sink, batches) in contents {
            for (sequence, meta) in batches {
                index.insert(&sink, sequence, meta, true);
            }
        }
        index
    }

    /// A sequence number that none had before.
    pub(super) fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn insert(&mut self, sink: &str, sequence: u64, meta: Meta, is_free: bool) {
        self.next = self.next.max(sequence);
        let shelf = self.shelves.entry(sink.to_owned()).or_default();
        shelf.bytes += meta.bytes;
        shelf.batches.insert(sequence, meta);
        if is_free {
            shelf.free.insert(sequence);
        }
    }

    pub(super) fn remove(&mut self, sink: &str, sequence: u64) -> Option<Meta> {
        let shelf = self.shelves.get_mut(sink)?;
        let meta = shelf.batches.remove(&sequence)?;
        shelf.free.remove(&sequence);
        shelf.bytes -= meta.bytes;
        Some(meta)
    }

    /// Says whether a lane has the batch in memory.
    pub(super) fn set_free(&mut self, sink: &str, sequence: u64, is_free: bool) {
        let Some(shelf) = self.shelves.get_mut(sink) else { return };
        if !is_free {
            shelf.free.remove(&sequence);
        } else if shelf.batches.contains_key(&sequence) {
            shelf.free.insert(sequence);
        }
    }

    /// The batch that was stored first among those that are free.
    pub(super) fn oldest_free(&self, sink: &str) -> Option<(u64, Meta)> {
        let shelf = self.shelves.get(sink)?;
        let sequence = *shelf.free.first()?;
        shelf.batches.get(&sequence).map(|meta| (sequence, *meta))
    }

    /// The free batch whose turn it is to be loaded; the next call gives the next one.
    pub(super) fn next_to_load(&mut self, sink: &str) -> Option<(u64, Meta)> {
        let shelf = self.shelves.get_mut(sink)?;
        let sequence = *shelf.free.range(shelf.loaded + 1..).next().or_else(|| shelf.free.first())?;
        shelf.loaded = sequence;
        shelf.batches.get(&sequence).map(|meta| (sequence, *meta))
    }

    /// Whether a batch is free; `None` if it is not there.
    pub(super) fn is_free(&self, sink: &str, sequence: u64) -> Option<bool> {
        let shelf = self.shelves.get(sink)?;
        shelf.batches.contains_key(&sequence).then(|| shelf.free.contains(&sequence))
    }

    /// The ids of all batches of one sink.
    pub(super) fn ids(&self, sink: &str) -> impl Iterator<Item = Uuid> {
        self.shelves.get(sink).into_iter().flat_map(|shelf| shelf.batches.values().map(|meta| meta.id))
    }

    /// Bytes of all batches of one sink.
    pub(super) fn bytes(&self, sink: &str) -> u64 {
        self.shelves.get(sink).map_or(0, |shelf| shelf.bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shelves.values().all(|shelf| shelf.batches.is_empty())
    }

    /// Free batches that were stored before `instant` (microseconds since 1970).
    pub(super) fn stored_before(&self, instant: i64) -> Vec<(String, u64)> {
        let of_shelf = |(sink, shelf): (&String, &Shelf)| {
            let old = shelf.free.iter().filter(|n| shelf.batches.get(n).is_some_and(|meta| meta.stored_at < instant));
            old.map(|sequence| (sink.clone(), *sequence)).collect::<Vec<_>>()
        };
        self.shelves.iter().flat_map(of_shelf).collect()
    }

    /// By sink: how many batches and records there are.
    pub(super) fn totals(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.shelves.iter().map(|(sink, shelf)| {
            (sink.as_str(), shelf.batches.len() as u64, shelf.batches.values().map(|meta| meta.records).sum())
        })
    }

    /// Every batch, by sink and sequence number.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, u64)> {
        self.shelves.iter().flat_map(|(sink, shelf)| shelf.batches.keys().map(|sequence| (sink.as_str(), *sequence)))
    }
}
