//! What a sampler holds, on disk ahead of its verdict: so that a trace that turns out to be an error is whole although its
//! process was killed meanwhile.
//!
//! The worker says what it holds, a row a trace and look, and later which traces are decided. What is kept of them comes
//! along as batches, stored in the transaction that lets go of the rows, so it is in one of both places after any crash.
//! What a process leaves here when it is killed is decided by the next one, at its start, before anything is delivered.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use super::codec;
use super::database::{Fault, File};
use super::recover::MOVED_BYTES;
use super::store::{Asked, Group, Store, Work};
use super::thread::Event;
use crate::TraceId;
use crate::record::Record;
use crate::sink::Batch;
use crate::warning;

/// Bytes on disk, by trace.
#[derive(Debug, Default)]
pub(super) struct Undecided {
    traces: BTreeMap<TraceId, u64>,
    bytes: u64,
}

impl Undecided {
    pub(super) fn is_empty(&self) -> bool {
        self.traces.is_empty()
    }

    fn add(&mut self, trace_id: TraceId, bytes: u64) {
        *self.traces.entry(trace_id).or_default() += bytes;
        self.bytes += bytes;
    }

    fn remove(&mut self, trace_id: TraceId) -> bool {
        let removed = self.traces.remove(&trace_id);
        self.bytes -= removed.unwrap_or(0);
        removed.is_some()
    }
}

impl Store {
    /// Keeps records of traces that are not decided.
    pub(super) fn hold(&mut self, group: &mut Group, ticket: u64, traces: Vec<(TraceId, Vec<Record>)>) {
        let refuse = |why| Event::Holding { ticket, written: Err(why) };
        if let Err(why) = self.ensure_open() {
            return self.say(refuse(why));
        }
        let rows: Vec<_> = traces.into_iter().map(|(trace_id, records)| (trace_id, row_of(records))).collect();
        let bytes: u64 = rows.iter().map(|(_, (_, bytes))| bytes.len() as u64).sum();
        if self.undecided.bytes + bytes > self.bounds.budget() {
            let why = format!("what the sampler holds does not fit a spool of {} bytes", self.bounds.bytes);
            return self.say(refuse(why));
        }
        for (trace_id, (row, bytes)) in rows {
            self.undecided.add(trace_id, bytes.len() as u64);
            group.bytes += bytes.len() as u64;
            group.work.push(Work::Hold { trace_id, row, bytes });
        }
        group.asked.push(Asked::Hold { ticket });
    }

    /// Lets go of what is decided.
    pub(super) fn decide(&mut self, group: &mut Group, traces: Vec<TraceId>) {
        for trace_id in traces {
            // If the disk fails now, the trace is found without an entry when the file is opened again, and goes then.
            if self.undecided.remove(trace_id) {
                group.work.push(Work::LetGo { trace_id });
            }
        }
    }

    /// Takes over what a process that is gone had not decided. Doing it twice adds nothing: a row has one place.
    pub(super) fn adopt_undecided(file: &File, theirs: &File) -> Result<(), Fault> {
        let (mut work, mut bytes) = (Vec::new(), 0);
        for trace_id in theirs.undecided()?.into_keys() {
            for (row, encoded) in theirs.undecided_of(trace_id)? {
                bytes += encoded.len() as u64;
                work.push(Work::Hold { trace_id, row, bytes: encoded });
            }
            if bytes > MOVED_BYTES {
                bytes = 0;
                Self::write_to(file, &std::mem::take(&mut work))?;
            }
        }
        Self::write_to(file, &work)
    }

    /// Decides over what processes that are gone had not: what is kept is stored for every sink.
    pub(super) fn decide_left(&mut self, file: &File) -> Result<(), Fault> {
        let mut group = Group::default();
        let (mut kept, mut left_out, mut bytes) = (Vec::new(), 0, 0);
        let traces = file.undecided()?;
        let last = traces.last_key_value().map(|(trace_id, _)| *trace_id);
        for (trace_id, length) in traces {
            let records = records_of(file, trace_id)?;
            group.work.push(Work::LetGo { trace_id });
            if self.sampler.keeps_lost(trace_id, &records) {
                bytes += length;
                kept.extend(records);
            } else {
                left_out += records.len() as u64;
            }
            if bytes > MOVED_BYTES || Some(trace_id) == last {
                bytes = 0;
                self.store_for_all(&mut group, &std::mem::take(&mut kept));
                Self::write_to(file, &std::mem::take(&mut group.work))?;
            }
        }
        if left_out > 0 {
            self.say(Event::LeftOut { records: left_out });
        }
        Ok(())
    }

    /// After a failure: what the file holds and nobody knows of goes, and what it should hold and does not is written
    /// anew.
    pub(super) fn reconcile_undecided(&mut self, file: &File) -> Result<(), Fault> {
        let there = file.undecided()?;
        let unknown = there.keys().filter(|trace_id| !self.undecided.traces.contains_key(trace_id));
        let work: Vec<_> = unknown.map(|trace_id| Work::LetGo { trace_id: *trace_id }).collect();
        Self::write_to(file, &work)?;
        if self.undecided.traces.iter().any(|(trace_id, bytes)| there.get(trace_id) < Some(bytes)) {
            self.say(Event::LostHeld);
        }
        self.undecided.bytes = 0;
        for (trace_id, bytes) in &mut self.undecided.traces {
            *bytes = there.get(trace_id).copied().unwrap_or(0);
            self.undecided.bytes += *bytes;
        }
        Ok(())
    }

    /// Stores records for each sink, in batches of the size that it wants.
    fn store_for_all(&mut self, group: &mut Group, records: &[Record]) {
        for (lane, sink) in self.lanes.clone().into_iter().enumerate() {
            let Some(sink) = sink else { continue };
            let limits = self.limits.get(lane).copied().unwrap_or_default();
            let mut rest = records;
            while !rest.is_empty() {
                let mut bytes = 0;
                let fits = rest.iter().take(limits.records.max(1)).take_while(|record| {
                    bytes += record.size_estimate();
                    bytes <= limits.bytes
                });
                let (some, others) = rest.split_at(fits.count().max(1));
                rest = others;
                let batch = Batch::new(Uuid::now_v7(), some);
                let sequence = self.insert(group, &sink, &batch, codec::encode(&batch));
                self.index.set_free(&sink, sequence, true);
            }
        }
    }
}

/// A row of records: its number, which none had before, and its bytes.
fn row_of(records: Vec<Record>) -> (u128, Vec<u8>) {
    let row = Uuid::now_v7();
    (row.as_u128(), codec::encode(&Batch::new(row, records)))
}

/// The undecided records of a trace, each once: what was written anew may be there twice.
pub(super) fn records_of(file: &File, trace_id: TraceId) -> Result<Vec<Record>, Fault> {
    let (mut records, mut seen) = (Vec::new(), HashSet::new());
    for (_, bytes) in file.undecided_of(trace_id)? {
        match codec::decode(&bytes) {
            Ok(batch) => records.extend(batch.records().iter().filter(|record| seen.insert(record.id())).cloned()),
            Err(why) => warning::line(&format!("records that the sampler held cannot be read from the spool: {why}")),
        }
    }
    Ok(records)
}
