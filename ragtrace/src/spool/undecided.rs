//! Records that a sampler holds, on disk ahead of its decision: so that a trace that turns out to
//! be an error is whole although its process was killed meanwhile.
//!
//! The worker says what it holds, a row a trace and look, and later which traces are decided. What
//! is kept of them comes along as batches, stored in the transaction that lets go of the rows, so
//! it is in one of both places after any crash. What a process leaves here when it is killed is
//! decided by the next one, at its start, before anything is delivered.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use super::codec;
use super::database::{SpoolError, SpoolFile};
use crate::TraceId;
use crate::record::Record;
use crate::sink::Batch;
use crate::warning;

/// The undecided traces on disk, and their bytes.
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

    /// Takes over the bytes that are `on_disk`, and returns whether some of them were lost.
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

/// Makes a row of records: its number, which none had before, and its bytes.
pub(super) fn encode_row(records: Vec<Record>) -> (u128, Vec<u8>) {
    let row = Uuid::now_v7();
    (row.as_u128(), codec::encode(&Batch::new(row, records)))
}

/// Reads the undecided records of a trace, each once: what was written again may be there twice.
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
