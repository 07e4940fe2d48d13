//! Chunks: records that were made together and are stored side by side, with the parts that they
//! have in common stored once.
//!
//! Fields stay in the encoding that the stage wrote for as long as possible: the canonical JSON is
//! written from it, so a sink that reads no fields decodes none. The first access to a field
//! decodes the fields of all records of the chunk.
//!
//! A record by itself would need four or five allocations. A chunk needs as many for hundreds of
//! records, each of which is an index in it. A chunk is freed with the last of its records, so
//! whoever keeps a few of many records for long should keep copies
//! ([`detached`](super::Record::detached)).

use std::mem;
use std::sync::{Arc, OnceLock};

use crossbeam_queue::ArrayQueue;
use ragtrace_core::StageDescriptor;
use ragtrace_core::context::Request;

use super::fields::{FieldRanges, NamedValue, decode_named};
use super::ids::RecordIds;
use super::origin::Origin;
use super::parts::{RecordFlags, RecordParts};

/// Records that were made together.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(super) origin: Arc<Origin>,
    pub(super) ids: RecordIds,
    pub(super) requests: Vec<Arc<Request>>,
    pub(super) threads: Vec<Arc<str>>,
    pub(super) parts: Vec<RecordParts>,
    /// Fields in the encoding that stages wrote. Records of one run may share them.
    pub(super) encoded: Vec<u64>,
    /// Fields that were changed, or do not come from a stage.
    pub(super) fields: Vec<NamedValue>,
    /// The decoded fields, set at the first access to a field.
    pub(super) decoded: OnceLock<DecodedFields>,
    /// The pool that takes the chunk's memory when the chunk is dropped.
    pub(super) pool: Option<ChunkPool>,
}

/// The decoded fields of the records whose fields are encoded.
#[derive(Debug)]
pub(super) struct DecodedFields {
    fields: Vec<NamedValue>,
    /// The ranges of each record's fields, in the order of the records.
    ranges: Vec<FieldRanges>,
}

impl Chunk {
    /// Returns the fields of the record at `index`: its context and its metrics.
    pub(super) fn fields_of(&self, index: usize) -> (&[NamedValue], &[NamedValue]) {
        let parts = &self.parts[index];
        let (fields, ranges) = if parts.flags.has(RecordFlags::ENCODED) {
            let decoded = self.decoded.get_or_init(|| self.decode_fields());
            (&decoded.fields, decoded.ranges.get(index).copied().unwrap_or_default())
        } else {
            (&self.fields, parts.fields)
        };
        (fields.get(ranges.context()).unwrap_or_default(), fields.get(ranges.metrics()).unwrap_or_default())
    }

    /// Returns the encoding of a record's context and metrics, if its fields are encoded.
    pub(super) fn encoded_of(&self, parts: &RecordParts) -> Option<(&'static StageDescriptor, &[u64], &[u64])> {
        let stage = parts.stage.filter(|_| parts.flags.has(RecordFlags::ENCODED))?;
        let encoded = |range| self.encoded.get(range).unwrap_or_default();
        Some((stage, encoded(parts.fields.context()), encoded(parts.fields.metrics())))
    }

    #[cold]
    fn decode_fields(&self) -> DecodedFields {
        let mut decoded = DecodedFields { fields: Vec::new(), ranges: Vec::with_capacity(self.parts.len()) };
        for parts in &self.parts {
            let ranges = self
                .encoded_of(parts)
                .map(|(stage, context, metrics)| decode_named(stage, context, metrics, &mut decoded.fields));
            decoded.ranges.push(ranges.unwrap_or_default());
        }
        decoded
    }
}

/// A pool of the memory of dropped chunks. Reused memory is in the processor's cache, and saves
/// calls of the system allocator.
#[derive(Clone, Debug)]
pub(crate) struct ChunkPool(Arc<ArrayQueue<ChunkBuffers>>);

/// The memory of a chunk.
#[derive(Debug, Default)]
pub(super) struct ChunkBuffers {
    pub(super) parts: Vec<RecordParts>,
    pub(super) encoded: Vec<u64>,
    pub(super) fields: Vec<NamedValue>,
}

impl ChunkPool {
    /// The number of records in a chunk of the intended size: about 32 KiB, which fits into a
    /// processor's second-level cache.
    pub(crate) const RECORDS: usize = 256;
    /// The maximum number of kept chunks, which together take about 1 MiB.
    const CHUNKS: usize = 32;

    pub(super) fn take(&self) -> ChunkBuffers {
        self.0.pop().unwrap_or_else(|| ChunkBuffers {
            parts: Vec::with_capacity(Self::RECORDS),
            encoded: Vec::with_capacity(4 * Self::RECORDS),
            fields: Vec::new(),
        })
    }

    pub(super) fn put(&self, mut buffers: ChunkBuffers) {
        let ChunkBuffers { parts, encoded, fields } = &mut buffers;
        let is_usual = parts.capacity() == Self::RECORDS
            && encoded.capacity() <= 64 * Self::RECORDS
            && fields.capacity() <= 8 * Self::RECORDS;
        if is_usual && !self.0.is_full() {
            parts.clear();
            encoded.clear();
            fields.clear();
            let _ = self.0.push(buffers);
        }
    }
}

impl Default for ChunkPool {
    fn default() -> Self {
        Self(Arc::new(ArrayQueue::new(Self::CHUNKS)))
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if let Some(pool) = &self.pool {
            let Self { parts, encoded, fields, .. } = self;
            pool.put(ChunkBuffers { parts: mem::take(parts), encoded: mem::take(encoded), fields: mem::take(fields) });
        }
    }
}
