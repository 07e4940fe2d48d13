//! An in-memory index of the batches in the file, so that enforcing limits reads nothing.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::database::{BatchMeta, Contents};

/// All stored batches, by sink and sequence number.
#[derive(Debug, Default)]
pub(super) struct BatchIndex {
    sinks: BTreeMap<String, SinkBatches>,
    next: u64,
}

/// The batches stored for one sink.
#[derive(Debug, Default)]
struct SinkBatches {
    batches: BTreeMap<u64, BatchMeta>,
    /// The batches that are only on disk, and may be loaded or dropped.
    on_disk_alone: BTreeSet<u64>,
    /// All batches, by the time of storing and their sequence number.
    by_age: BTreeSet<(i64, u64)>,
    bytes: u64,
    /// The batch that was loaded last. The next one to load follows it, so that none is loaded
    /// twice before all others.
    loaded: u64,
}

impl BatchIndex {
    /// Creates the index of a file's contents, all of which are only on disk.
    pub(super) fn of(contents: Contents) -> Self {
        let mut index = Self::default();
        for (sink, batches) in contents {
            for (sequence, meta) in batches {
                index.insert(&sink, sequence, meta, true);
            }
        }
        index
    }

    /// Returns a new sequence number.
    pub(super) fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn insert(&mut self, sink: &str, sequence: u64, meta: BatchMeta, is_on_disk_alone: bool) {
        self.next = self.next.max(sequence);
        let of_sink = self.sinks.entry(sink.to_owned()).or_default();
        of_sink.bytes += meta.bytes;
        of_sink.by_age.insert((meta.stored_at, sequence));
        of_sink.batches.insert(sequence, meta);
        if is_on_disk_alone {
            of_sink.on_disk_alone.insert(sequence);
        }
    }

    pub(super) fn remove(&mut self, sink: &str, sequence: u64) -> Option<BatchMeta> {
        let of_sink = self.sinks.get_mut(sink)?;
        let meta = of_sink.batches.remove(&sequence)?;
        of_sink.on_disk_alone.remove(&sequence);
        of_sink.by_age.remove(&(meta.stored_at, sequence));
        of_sink.bytes -= meta.bytes;
        Some(meta)
    }

    /// Sets whether a batch is only on disk.
    pub(super) fn set_on_disk_alone(&mut self, sink: &str, sequence: u64, is_on_disk_alone: bool) {
        let Some(of_sink) = self.sinks.get_mut(sink) else { return };
        if !is_on_disk_alone {
            of_sink.on_disk_alone.remove(&sequence);
        } else if of_sink.batches.contains_key(&sequence) {
            of_sink.on_disk_alone.insert(sequence);
        }
    }

    /// Returns the oldest batch that is only on disk.
    pub(super) fn oldest_on_disk_alone(&self, sink: &str) -> Option<(u64, BatchMeta)> {
        let of_sink = self.sinks.get(sink)?;
        let sequence = *of_sink.on_disk_alone.first()?;
        of_sink.batches.get(&sequence).map(|meta| (sequence, *meta))
    }

    /// Returns the next batch to load from disk; repeated calls go through all batches.
    pub(super) fn next_to_load(&mut self, sink: &str) -> Option<(u64, BatchMeta)> {
        let of_sink = self.sinks.get_mut(sink)?;
        let sequence =
            *of_sink.on_disk_alone.range(of_sink.loaded + 1..).next().or_else(|| of_sink.on_disk_alone.first())?;
        of_sink.loaded = sequence;
        of_sink.batches.get(&sequence).map(|meta| (sequence, *meta))
    }

    /// Returns whether a batch is only on disk, or `None` if it is not stored.
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

    /// Returns the batches only on disk that were stored before `instant` (microseconds since
    /// 1970).
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

    /// Returns the time at which the oldest batch of one sink was stored (microseconds since 1970).
    pub(super) fn oldest(&self, sink: &str) -> Option<i64> {
        self.sinks.get(sink)?.by_age.first().map(|(stored_at, _)| *stored_at)
    }

    /// Returns the numbers of batches and records of each sink.
    pub(super) fn totals(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.sinks.iter().map(|(sink, of_sink)| {
            (sink.as_str(), of_sink.batches.len() as u64, of_sink.batches.values().map(|meta| meta.records).sum())
        })
    }

    /// Returns all batches, by sink and sequence number.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, u64)> {
        self.sinks.iter().flat_map(|(sink, of_sink)| of_sink.batches.keys().map(|sequence| (sink.as_str(), *sequence)))
    }
}
