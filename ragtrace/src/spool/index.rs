//! An index in memory of the batches in the file, so that limits cost no reading.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::database::{BatchMeta, Contents};

/// Every stored batch, by sink and sequence number.
#[derive(Debug, Default)]
pub(super) struct BatchIndex {
    sinks: BTreeMap<String, SinkBatches>,
    next: u64,
}

/// The batches that are stored for one sink.
#[derive(Debug, Default)]
struct SinkBatches {
    batches: BTreeMap<u64, BatchMeta>,
    /// Those that no delivery has in memory, and that may be loaded or dropped.
    on_disk_alone: BTreeSet<u64>,
    bytes: u64,
    /// The batch that was loaded last: the next to be loaded comes after it, so that none is loaded
    /// twice before all others.
    loaded: u64,
}

impl BatchIndex {
    /// Makes the index of what a file holds; all of it is on disk alone.
    pub(super) fn of(contents: Contents) -> Self {
        let mut index = Self::default();
        for (sink, batches) in contents {
            for (sequence, meta) in batches {
                index.insert(&sink, sequence, meta, true);
            }
        }
        index
    }

    /// Returns a sequence number that none had before.
    pub(super) fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn insert(&mut self, sink: &str, sequence: u64, meta: BatchMeta, is_on_disk_alone: bool) {
        self.next = self.next.max(sequence);
        let of_sink = self.sinks.entry(sink.to_owned()).or_default();
        of_sink.bytes += meta.bytes;
        of_sink.batches.insert(sequence, meta);
        if is_on_disk_alone {
            of_sink.on_disk_alone.insert(sequence);
        }
    }

    pub(super) fn remove(&mut self, sink: &str, sequence: u64) -> Option<BatchMeta> {
        let of_sink = self.sinks.get_mut(sink)?;
        let meta = of_sink.batches.remove(&sequence)?;
        of_sink.on_disk_alone.remove(&sequence);
        of_sink.bytes -= meta.bytes;
        Some(meta)
    }

    /// Notes whether no delivery has the batch in memory.
    pub(super) fn set_on_disk_alone(&mut self, sink: &str, sequence: u64, is_on_disk_alone: bool) {
        let Some(of_sink) = self.sinks.get_mut(sink) else { return };
        if !is_on_disk_alone {
            of_sink.on_disk_alone.remove(&sequence);
        } else if of_sink.batches.contains_key(&sequence) {
            of_sink.on_disk_alone.insert(sequence);
        }
    }

    /// Returns the batch that was stored first among those on disk alone.
    pub(super) fn oldest_on_disk_alone(&self, sink: &str) -> Option<(u64, BatchMeta)> {
        let of_sink = self.sinks.get(sink)?;
        let sequence = *of_sink.on_disk_alone.first()?;
        of_sink.batches.get(&sequence).map(|meta| (sequence, *meta))
    }

    /// Returns the batch on disk alone whose turn it is to be loaded; the next call returns the
    /// next one.
    pub(super) fn next_to_load(&mut self, sink: &str) -> Option<(u64, BatchMeta)> {
        let of_sink = self.sinks.get_mut(sink)?;
        let sequence =
            *of_sink.on_disk_alone.range(of_sink.loaded + 1..).next().or_else(|| of_sink.on_disk_alone.first())?;
        of_sink.loaded = sequence;
        of_sink.batches.get(&sequence).map(|meta| (sequence, *meta))
    }

    /// Returns whether a batch is on disk alone; `None` if it is not there.
    pub(super) fn is_on_disk_alone(&self, sink: &str, sequence: u64) -> Option<bool> {
        let of_sink = self.sinks.get(sink)?;
        of_sink.batches.contains_key(&sequence).then(|| of_sink.on_disk_alone.contains(&sequence))
    }

    /// Returns the ids of all batches of one sink.
    pub(super) fn ids(&self, sink: &str) -> impl Iterator<Item = Uuid> {
        self.sinks.get(sink).into_iter().flat_map(|of_sink| of_sink.batches.values().map(|meta| meta.id))
    }

    /// Returns the bytes of all batches of one sink.
    pub(super) fn bytes(&self, sink: &str) -> u64 {
        self.sinks.get(sink).map_or(0, |of_sink| of_sink.bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sinks.values().all(|of_sink| of_sink.batches.is_empty())
    }

    /// Returns batches on disk alone that were stored before `instant` (microseconds since 1970).
    pub(super) fn stored_before(&self, instant: i64) -> Vec<(String, u64)> {
        let old_of = |(sink, of_sink): (&String, &SinkBatches)| {
            let old = of_sink
                .on_disk_alone
                .iter()
                .filter(|n| of_sink.batches.get(n).is_some_and(|meta| meta.stored_at < instant));
            old.map(|sequence| (sink.clone(), *sequence)).collect::<Vec<_>>()
        };
        self.sinks.iter().flat_map(old_of).collect()
    }

    /// Returns, by sink, how many batches and records there are.
    pub(super) fn totals(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.sinks.iter().map(|(sink, of_sink)| {
            (sink.as_str(), of_sink.batches.len() as u64, of_sink.batches.values().map(|meta| meta.records).sum())
        })
    }

    /// Returns every batch, by sink and sequence number.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, u64)> {
        self.sinks.iter().flat_map(|(sink, of_sink)| of_sink.batches.keys().map(|sequence| (sink.as_str(), *sequence)))
    }
}
