//! Commands that share a transaction: their writes, and the answers once those are on
//! disk.

use super::database::{BatchMeta, SpoolError, SpoolFile};
use super::protocol::SpoolEvent;
use crate::TraceId;

/// Bytes that are moved from another slot, or decided, in one transaction.
pub(super) const MOVED_BYTES: u64 = 8 << 20;

/// The writes of some commands, and what to answer once they are done.
#[derive(Default)]
pub(super) struct GroupCommit {
    pub(super) writes: Vec<Write>,
    pub(super) bytes: u64,
    /// Events that happened whether or not the disk works.
    pub(super) events: Vec<SpoolEvent>,
    /// Stores and splits, answered with a key or with why they failed, and undecided records.
    pub(super) replies: Vec<PendingReply>,
}

pub(super) enum Write {
    Insert { sink: String, sequence: u64, meta: BatchMeta, bytes: Vec<u8> },
    Remove { sink: String, sequence: u64 },
    InsertUndecided { trace_id: TraceId, row: u128, bytes: Vec<u8> },
    RemoveUndecided { trace_id: TraceId },
}

/// An answer that is due once a group is written.
pub(super) enum PendingReply {
    Undecided { ticket: u64 },
    Store { sink_index: usize, ticket: u64, sequence: u64, in_memory: bool },
    Split { sink_index: usize, ticket: u64, sequences: Vec<u64>, parent: u64, parent_meta: Option<BatchMeta> },
}

/// Does all of `writes` in one transaction, or nothing.
pub(super) fn write_all(file: &SpoolFile, writes: &[Write]) -> Result<(), SpoolError> {
    file.write(|transaction| {
        writes.iter().try_for_each(|write| match write {
            Write::Insert { sink, sequence, meta, bytes } => transaction.insert(sink, *sequence, meta, bytes),
            Write::Remove { sink, sequence } => transaction.remove(sink, *sequence),
            Write::InsertUndecided { trace_id, row, bytes } => transaction.insert_undecided(*trace_id, *row, bytes),
            Write::RemoveUndecided { trace_id } => transaction.remove_undecided(*trace_id),
        })
    })
}
