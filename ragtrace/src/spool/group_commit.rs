//! Groups of commands that share a transaction: their writes, and the answers to send once these
//! are on disk.

use super::database::{BatchMeta, SpoolError, SpoolFile};
use super::protocol::SpoolEvent;
use crate::TraceId;

/// The number of bytes that are moved from another slot, or decided, in one transaction.
pub(super) const MOVED_BYTES: u64 = 8 << 20;

/// The writes of some commands, and the answers to send afterwards.
#[derive(Default)]
pub(super) struct GroupCommit {
    pub(super) writes: Vec<Write>,
    pub(super) bytes: u64,
    /// Events to send whether the disk works or not.
    pub(super) events: Vec<SpoolEvent>,
    /// Stores and splits, which are answered with keys or a reason, and undecided records.
    pub(super) replies: Vec<PendingReply>,
}

pub(super) enum Write {
    Insert { sink: String, sequence: u64, meta: BatchMeta, bytes: Vec<u8> },
    Remove { sink: String, sequence: u64 },
    InsertUndecided { trace_id: TraceId, row: u128, bytes: Vec<u8> },
    RemoveUndecided { trace_id: TraceId },
}

/// An answer that is sent once a group is written.
pub(super) enum PendingReply {
    Undecided { ticket: u64 },
    Store { sink_index: usize, ticket: u64, sequence: u64, in_memory: bool },
    Split { sink_index: usize, ticket: u64, sequences: Vec<u64>, parent: u64, parent_meta: Option<BatchMeta> },
}

/// Executes all `writes` in one transaction, or none.
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
