//! The builder of a chunk: records are added one by one, cut and redacted where necessary, and then
//! shared.

#![expect(clippy::inline_always, reason = "inlining keeps the parts of a record in registers until it is pushed")]

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use ragtrace_core::StageDescriptor;
use ragtrace_core::context::Request;

use super::accessors::Record;
use super::chunk::{Chunk, ChunkBuffers, ChunkPool};
use super::fields::{EncodedRange, FieldRanges, FieldSizes, NamedValue, decode_named, saturating_u32};
use super::ids::RecordIds;
use super::item::RecordItem;
use super::origin::Origin;
use super::parts::{ChunkIndex, RecordFlags, RecordParts};
use super::record_mut::RecordMut;
use crate::Value;

/// Builds a chunk, record by record.
///
/// The encoded fields of a stage's record are appended first, and then the record is pushed. The
/// fields of any other record are added one by one, followed by the record.
#[derive(Debug)]
pub(crate) struct ChunkBuilder {
    chunk: Chunk,
    /// The index at which the fields of the current record begin.
    start: usize,
    /// The metrics of the current record, which follow its context.
    metrics: Vec<NamedValue>,
    sizes: FieldSizes,
    maxima: Maxima,
}

/// The largest values of any record in the chunk, which usually show that no record has to be
/// looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Maxima {
    fields: u32,
    size: u32,
    /// Set if any record has to be redacted or cut.
    is_unclean: bool,
}

/// The ranges of a record's encoded fields, and their size.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EncodedRanges {
    pub(crate) context: EncodedRange,
    pub(crate) metrics: EncodedRange,
    pub(crate) sizes: FieldSizes,
}

impl EncodedRanges {
    /// Adds the size of a path with `steps` steps.
    #[inline]
    pub(crate) fn with_path(mut self, steps: usize) -> Self {
        if steps > 0 {
            self.sizes.add_path(steps);
        }
        self
    }
}

/// The parts of a record that are computed from its fields.
pub(crate) struct SealedFields {
    pub(crate) fields: FieldRanges,
    /// Estimates, as in [`RecordParts`].
    pub(crate) size: u32,
    pub(crate) memory: u32,
    /// `CLEAN` and `ENCODED`.
    pub(crate) flags: RecordFlags,
}

impl ChunkBuilder {
    /// The maximum length of the encoding of a record's context, and of its metrics, in 64-bit
    /// words.
    pub(crate) const MAX_ENCODED: usize = u16::MAX as usize;

    /// Creates a builder for a chunk of the process `origin`.
    pub(crate) fn new(origin: Arc<Origin>) -> Self {
        Self::with_buffers(origin, RecordIds::random(), ChunkBuffers::default(), None)
    }

    /// Creates a builder for a chunk with the given ids, in memory from a pool.
    pub(crate) fn from_pool(origin: Arc<Origin>, ids: RecordIds, pool: &ChunkPool) -> Self {
        Self::with_buffers(origin, ids, pool.take(), Some(pool.clone()))
    }

    fn with_buffers(origin: Arc<Origin>, ids: RecordIds, buffers: ChunkBuffers, pool: Option<ChunkPool>) -> Self {
        let ChunkBuffers { parts, encoded, fields } = buffers;
        let (requests, threads, decoded) = (Vec::new(), Vec::new(), OnceLock::new());
        Self {
            chunk: Chunk { origin, ids, requests, threads, parts, encoded, fields, decoded, pool },
            start: 0,
            metrics: Vec::new(),
            sizes: FieldSizes::default(),
            maxima: Maxima::default(),
        }
    }

    /// Returns `true` if the chunk has the intended size. There is room for as many records again.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.chunk.parts.len() >= ChunkPool::RECORDS / 2
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chunk.parts.is_empty()
    }

    /// Returns the number of records.
    pub(crate) fn len(&self) -> usize {
        self.chunk.parts.len()
    }

    /// Returns the ids for the records that follow this chunk.
    pub(crate) fn next_ids(&self) -> RecordIds {
        self.chunk.ids.starting_at(self.chunk.parts.len())
    }

    /// Returns the index of `request` in the chunk's list of requests.
    #[inline]
    pub(crate) fn request_index(&mut self, request: &Arc<Request>) -> ChunkIndex {
        index_of(&mut self.chunk.requests, request)
    }

    /// Returns the index of `thread` in the chunk's list of threads.
    #[inline]
    pub(crate) fn thread_index(&mut self, thread: &Arc<str>) -> ChunkIndex {
        index_of(&mut self.chunk.threads, thread)
    }

    /// Appends encoded fields for one record or more.
    #[inline]
    pub(crate) fn append_encoded(&mut self, encoded: &[u64]) -> EncodedRange {
        let end = self.encoded_end();
        self.chunk.encoded.extend_from_slice(encoded);
        EncodedRange { length: saturating_u32(encoded.len()), ..end }
    }

    /// Appends two encodings, one after the other.
    pub(crate) fn append_both(&mut self, first: &[u64], second: &[u64]) -> EncodedRange {
        let EncodedRange { start, length } = self.append_encoded(first);
        EncodedRange { start, length: length + self.append_encoded(second).length }
    }

    /// Returns the position at which the next encoding will be appended.
    #[inline]
    pub(crate) fn encoded_end(&self) -> EncodedRange {
        EncodedRange { start: saturating_u32(self.chunk.encoded.len()), length: 0 }
    }

    /// Returns the range of everything that was appended after `end`.
    #[inline]
    pub(crate) fn encoded_since(&self, end: EncodedRange) -> EncodedRange {
        EncodedRange { length: self.encoded_end().start - end.start, ..end }
    }

    /// Removes `range` and everything that was appended after it.
    #[inline]
    pub(crate) fn truncate_encoded(&mut self, range: EncodedRange) {
        self.chunk.encoded.truncate(range.start as usize);
    }

    /// Returns the parts of a record of `stage` that are computed from these fields.
    #[inline(always)]
    pub(crate) fn seal_encoded(
        &mut self,
        stage: &'static StageDescriptor,
        ranges: EncodedRanges,
        has_failed: bool,
    ) -> SealedFields {
        let EncodedRanges { context, metrics, sizes } = ranges;
        let fields = FieldRanges::of_encoded(context, metrics);
        let is_clean = !sizes.is_unclean && !has_failed;
        self.seal(fields, sizes, stage.longest_name(), RecordFlags::ENCODED.with(RecordFlags::CLEAN, is_clean))
    }

    #[inline(always)]
    fn seal(&mut self, fields: FieldRanges, sizes: FieldSizes, name: u8, flags: RecordFlags) -> SealedFields {
        let size = sizes.json_size(name);
        let Maxima { fields: most, size: largest, is_unclean } = self.maxima;
        self.maxima = Maxima {
            fields: most.max(sizes.fields),
            size: largest.max(size),
            is_unclean: is_unclean || !flags.has(RecordFlags::CLEAN),
        };
        SealedFields { fields, size, memory: RecordParts::MEMORY.saturating_add(sizes.memory()), flags }
    }

    /// Adds a record whose fields are sealed. `make` builds it in its final place, once there is
    /// room.
    #[inline(always)]
    pub(crate) fn push(&mut self, make: impl FnOnce() -> RecordParts) {
        if self.chunk.parts.len() == self.chunk.parts.capacity() {
            self.make_room();
        }
        self.chunk.parts.push(make());
    }

    /// Adds items to the record that was pushed last. Items have texts, so the record is no longer
    /// clean.
    pub(crate) fn add_items(&mut self, used: Vec<RecordItem>, generated: Vec<RecordItem>) {
        let Some(parts) = self.chunk.parts.last_mut().filter(|_| !(used.is_empty() && generated.is_empty())) else {
            return;
        };
        let extras = parts.extras.get_or_insert_default();
        (extras.used, extras.generated) = (used, generated);
        parts.flags = parts.flags.without(RecordFlags::CLEAN);
        self.maxima.is_unclean = true;
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self) {
        self.chunk.parts.reserve(1);
    }

    /// Adds a field to the context of the current record.
    pub(crate) fn add_context(&mut self, name: Cow<'static, str>, value: Value) {
        self.sizes.add(&name, &value);
        self.chunk.fields.push((name, value));
    }

    /// Adds a field to the metrics of the current record.
    pub(crate) fn add_metric(&mut self, name: Cow<'static, str>, value: Value) {
        self.sizes.add(&name, &value);
        self.metrics.push((name, value));
    }

    /// Returns the value of an earlier field with this name in the current record: a number if
    /// `is_number` is set, any other value otherwise.
    pub(crate) fn earlier_value(&mut self, name: &str, is_number: bool) -> Option<&mut Value> {
        let fields = if is_number { &mut self.metrics[..] } else { self.chunk.fields.get_mut(self.start..)? };
        fields.iter_mut().find(|(earlier, _)| earlier == name).map(|(_, value)| value)
    }

    /// Adds the record, whose fields are those added since the previous record.
    pub(crate) fn add(&mut self, parts: RecordParts) {
        let is_clean = parts.extras.is_none() && !self.sizes.has_texts();
        let context = self.start..self.chunk.fields.len();
        let metrics = self.chunk.fields.len()..self.chunk.fields.len() + self.metrics.len();
        self.chunk.fields.append(&mut self.metrics);
        self.start = self.chunk.fields.len();
        let mut sizes = std::mem::take(&mut self.sizes);
        parts.add_texts(&mut sizes);
        let fields = FieldRanges::new(context, metrics);
        let is_root = parts.flags.has(RecordFlags::LOCAL_ROOT);
        let flags = RecordFlags::default().with(RecordFlags::CLEAN, is_clean).with(RecordFlags::LOCAL_ROOT, is_root);
        let SealedFields { fields, size, memory, flags } = self.seal(fields, sizes, 0, flags);
        self.push(|| RecordParts { fields, size, memory, flags, ..parts });
    }

    /// Removes the fields that were added since the last record.
    pub(crate) fn discard_fields(&mut self) {
        self.chunk.fields.truncate(self.start);
        self.metrics.clear();
        self.sizes = FieldSizes::default();
    }

    /// Calls `change` with each record that has more than `fields` fields or `bytes` bytes, or that
    /// has to be redacted or cut for another reason.
    pub(crate) fn for_each_unclean(&mut self, fields: usize, bytes: usize, mut change: impl FnMut(&mut RecordMut<'_>)) {
        if !self.maxima.is_unclean && self.maxima.fields as usize <= fields && self.maxima.size as usize <= bytes {
            return;
        }
        let Chunk { parts, encoded, fields: decoded, .. } = &mut self.chunk;
        let is_unclean = |parts: &&mut RecordParts| {
            !parts.flags.has(RecordFlags::CLEAN) || parts.fields.len() > fields || parts.size as usize > bytes
        };
        for parts in parts.iter_mut().filter(is_unclean) {
            if let Some(stage) = parts.stage.filter(|_| parts.flags.has(RecordFlags::ENCODED)) {
                let of = |range| encoded.get(range).unwrap_or_default();
                parts.fields = decode_named(stage, of(parts.fields.context()), of(parts.fields.metrics()), decoded);
                parts.flags = parts.flags.without(RecordFlags::ENCODED);
            }
            change(&mut RecordMut { parts, fields: decoded });
            parts.estimate(decoded);
        }
    }

    /// Calls `change` with each record that has items.
    #[cfg(feature = "testing")]
    pub(crate) fn for_each_with_items(&mut self, mut change: impl FnMut(&mut RecordMut<'_>)) {
        let Chunk { parts, fields, .. } = &mut self.chunk;
        for parts in parts {
            let mut record = RecordMut { parts, fields };
            if record.has_items() {
                change(&mut record);
            }
        }
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.chunk.origin
    }

    /// Returns the requests of all records, to be changed.
    pub(crate) fn requests_mut(&mut self) -> &mut [Arc<Request>] {
        &mut self.chunk.requests
    }

    /// Finishes the chunk and returns its records.
    pub(crate) fn finish(mut self) -> Vec<Record> {
        let Chunk { parts, encoded, fields, pool, .. } = &mut self.chunk;
        // Memory that waits for a sink is counted by its records, so a few records must not hold
        // the memory of many.
        if parts.len() < parts.capacity() / 2
            && let Some(pool) = pool.take()
        {
            let buffers = ChunkBuffers { parts: shrink(parts), encoded: shrink(encoded), fields: shrink(fields) };
            pool.put(buffers);
        }
        let (records, chunk) = (self.chunk.parts.len(), Arc::new(self.chunk));
        (0..records).map(|index| Record { chunk: Arc::clone(&chunk), index: saturating_u32(index) }).collect()
    }
}

/// Moves the contents of `list` to a list of exactly that length, and returns the old list's
/// memory.
fn shrink<T>(list: &mut Vec<T>) -> Vec<T> {
    let mut short = Vec::with_capacity(list.len());
    short.append(list);
    std::mem::replace(list, short)
}

/// Returns the index of `one`, which is added unless it equals the last one of `known`.
#[inline]
fn index_of<T: ?Sized>(known: &mut Vec<Arc<T>>, one: &Arc<T>) -> ChunkIndex {
    if known.last().is_none_or(|last| !Arc::ptr_eq(last, one)) {
        known.push(Arc::clone(one));
    }
    ChunkIndex(saturating_u32(known.len() - 1))
}

impl Record {
    /// Returns a copy of the record in a chunk of its own, which keeps no other record alive.
    pub(crate) fn detached(&self) -> Self {
        let ids = self.chunk.ids.starting_at(self.index as usize);
        let mut builder =
            ChunkBuilder::with_buffers(Arc::clone(&self.chunk.origin), ids, ChunkBuffers::default(), None);
        let mut copy = self.parts().clone();
        copy.request = self.request().map_or(ChunkIndex::NONE, |request| builder.request_index(request));
        copy.thread = self.thread_name().map_or(ChunkIndex::NONE, |thread| builder.thread_index(thread));
        if let Some((_, context, metrics)) = self.chunk.encoded_of(self.parts()) {
            let (context, metrics) = (builder.append_encoded(context), builder.append_encoded(metrics));
            copy.fields = FieldRanges::of_encoded(context, metrics);
            builder.push(|| copy);
        } else {
            let (context, metrics) = self.chunk.fields_of(self.index as usize);
            for (name, value) in context {
                builder.add_context(name.clone(), value.clone());
            }
            for (name, value) in metrics {
                builder.add_metric(name.clone(), value.clone());
            }
            builder.add(copy);
        }
        builder.finish().pop().unwrap_or_else(|| self.clone())
    }
}
