//! Where records lie: those that were made together, side by side, with what they have in common
//! once.
//!
//! Fields stay in the encoding that the stage wrote, as long as nobody wants them otherwise: the
//! canonical JSON is written from it, and for a sink that looks at no field none is decoded. Who
//! looks at one has those of all records of the chunk decoded.
//!
//! A record by itself would be four or five allocations. A chunk is that many for hundreds of
//! records; each of them is an index in it. The chunk goes when the last of its records does, so
//! whoever keeps few of many for long keeps copies ([`detached`](super::Record::detached)).

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
    /// Fields that were changed, or are not a stage's.
    pub(super) fields: Vec<NamedValue>,
    /// The fields in `encoded`, once somebody asked for one.
    pub(super) decoded: OnceLock<DecodedFields>,
    /// Where its memory goes when it is not used any more.
    pub(super) pool: Option<ChunkPool>,
}

/// The fields of those records of a chunk that have them encoded.
#[derive(Debug)]
pub(super) struct DecodedFields {
    fields: Vec<NamedValue>,
    /// Where those of each record are, in the order of the records.
    ranges: Vec<FieldRanges>,
}

impl Chunk {
    /// Returns the fields of the record at `index`: of its context, and of its metrics.
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

    /// Returns the encoding of a record's context and metrics, if it has its fields encoded.
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

/// Memory of chunks that are gone, to be used by others: it is warm, and the system is not asked
/// for it again.
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
    /// Records of a chunk that is as large as it should be: some 32 KiB, which a processor's second
    /// cache holds.
    pub(crate) const RECORDS: usize = 256;
    /// So much is kept at most: 1 MiB.
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
