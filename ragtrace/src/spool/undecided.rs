//! Records that a sampler holds, written to disk before its decision, so that a trace that turns
//! out to be an error is complete even if its process was killed.
//!
//! The worker sends the held records, one row for each trace and write, and later the traces that
//! are decided. The records that are kept come with the decision as batches, which are stored in
//! the transaction that removes the rows, so they are in exactly one of both places after any
//! crash. Records that a killed process leaves here are decided by the next process when it starts,
//! before anything is delivered.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use super::codec;
use super::database::{SpoolError, SpoolFile};
use crate::TraceId;
use crate::record::Record;
use crate::sink::Batch;
use crate::warning;

/// The undecided traces on disk, and the bytes of each.
#[derive(Debug, Default)]
pub(super) struct UndecidedIndex {
    traces: BTreeMap<TraceId, u64>,
    bytes: u64,
}

impl UndecidedIndex {
    pub(super) fn is_empty(&self) -> bool {
        self.traces.is_empty()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the number of traces.
    pub(super) fn traces(&self) -> u64 {
        self.traces.len() as u64
    }

    pub(super) fn contains(&self, trace_id: TraceId) -> bool {
        self.traces.contains_key(&trace_id)
    }

    pub(super) fn add(&mut self, trace_id: TraceId, bytes: u64) {
        *self.traces.entry(trace_id).or_default() += bytes;
        self.bytes += bytes;
    }

    pub(super) fn remove(&mut self, trace_id: TraceId) -> bool {
        let removed = self.traces.remove(&trace_id);
        self.bytes -= removed.unwrap_or(0);
        removed.is_some()
    }

    /// Takes over the bytes that are `on_disk`, and returns `true` if some were lost.
    pub(super) fn reconcile(&mut self, on_disk: &BTreeMap<TraceId, u64>) -> bool {
        let is_short = self.traces.iter().any(|(trace_id, bytes)| on_disk.get(trace_id) < Some(bytes));
        self.bytes = 0;
        for (trace_id, bytes) in &mut self.traces {
            *bytes = on_disk.get(trace_id).copied().unwrap_or(0);
            self.bytes += *bytes;
        }
        is_short
    }
}

/// Encodes records as a row with a new number.
pub(super) fn encode_row(records: Vec<Record>) -> (u128, Vec<u8>) {
    let row = Uuid::now_v7();
    (row.as_u128(), codec::encode(&Batch::new(row, records)))
}

/// Reads the undecided records of a trace, each once, because a record may have been written twice.
pub(super) fn read_undecided(file: &SpoolFile, trace_id: TraceId) -> Result<Vec<Record>, SpoolError> {
    let (mut records, mut seen) = (Vec::new(), HashSet::new());
    for (_, bytes) in file.undecided_of(trace_id)? {
        match codec::decode(&bytes) {
            Ok(batch) => records.extend(batch.records().iter().filter(|record| seen.insert(record.id())).cloned()),
            Err(why) => warning::print(&format!("records that the sampler held cannot be read from the spool: {why}")),
        }
    }
    Ok(records)
}
