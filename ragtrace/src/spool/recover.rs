//! Opens the file of the slot: at the start it takes over the batches of earlier processes, and
//! after a failure it reconciles file and index.

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use uuid::Uuid;

use super::account;
use super::database::{BatchMeta, Contents, SpoolError, SpoolFile};
use super::group_commit::{GroupCommit, MOVED_BYTES, Write, write_all};
use super::index::BatchIndex;
use super::protocol::{SpoolEvent, StoredKey};
use super::slot::Slot;
use super::store::{LOST, SpoolStore};
use super::undecided::read_undecided;
use crate::record::Record;
use crate::sink::Batch;
use crate::warning;

impl SpoolStore {
    /// Opens the file and reports the batches of earlier processes. A failure is printed on stderr,
    /// and tried again later.
    pub(super) fn recover(&mut self) {
        let _ = self.ensure_open();
        self.send(SpoolEvent::Opened);
    }

    /// Opens the file, unless it is open, or failed a moment ago.
    pub(super) fn ensure_open(&mut self) -> Result<(), String> {
        if self.file.is_some() {
            return Ok(());
        }
        if let Some((why, until)) = &self.failed
            && Instant::now() < *until
        {
            return Err(why.clone());
        }
        let opened = self.open().map_err(|error| self.fail(&error));
        if opened.is_ok() && self.failed.take().is_some() {
            warning::print(&format!("the spool in {} works again", self.folder.display()));
        }
        opened
    }

    fn open(&mut self) -> Result<(), SpoolError> {
        let disk = |error: std::io::Error| SpoolError::Disk(error.to_string());
        std::fs::create_dir_all(&self.folder).map_err(disk)?;
        if self.slot.as_ref().is_some_and(|slot| !slot.is_locked_in_place()) {
            // The folder of the slot was removed with everything in it. Another slot may have
            // batches of an ended process, so recovery begins again.
            self.lose_all();
            self.slot = None;
            self.is_recovered = false;
        }
        if self.slot.is_none() {
            self.slot = Some(Slot::claim(&self.folder).map_err(disk)?);
        }
        let Some(slot) = &mut self.slot else { return Ok(()) };
        let (file, contents) = slot.open()?;
        if self.is_recovered {
            self.reconcile(&file, &contents)?;
        } else {
            self.index = BatchIndex::of(contents);
            for mut orphan in Slot::orphans(&self.folder).map_err(disk)? {
                if let Err(error) = self.adopt(&file, &mut orphan) {
                    // One unreadable slot does not stop the others. Batches that were already moved
                    // are in the file.
                    warning::print(&format!(
                        "the batches in {orphan} stay there, because they cannot be moved: {error}"
                    ));
                    self.index = BatchIndex::of(file.contents()?);
                }
            }
            self.decide_recovered(&file)?;
            self.is_recovered = true;
            self.report_recovered();
        }
        self.file = Some(file);
        Ok(())
    }

    /// Moves the batches of an ended process from its slot. Repeating it after a crash adds nothing
    /// twice.
    fn adopt(&mut self, file: &SpoolFile, orphan: &mut Slot) -> Result<(), SpoolError> {
        let (theirs, contents) = orphan.open()?;
        let mut moved = Vec::new();
        let mut bytes = 0;
        let flush = |moved: &mut Vec<(String, u64, BatchMeta, Vec<u8>)>| {
            let written = file.write(|transaction| {
                moved
                    .iter()
                    .try_for_each(|(sink, sequence, meta, bytes)| transaction.insert(sink, *sequence, meta, bytes))
            });
            moved.clear();
            written
        };
        for (sink, batches) in contents {
            let ours: HashSet<_> = self.index.ids(&sink).collect();
            for (sequence, meta) in batches.into_iter().filter(|(_, meta)| !ours.contains(&meta.id)) {
                let encoded = theirs.bytes(sequence)?;
                let sequence = self.index.next();
                self.index.insert(&sink, sequence, meta, true);
                bytes += meta.bytes;
                moved.push((sink.clone(), sequence, meta, encoded));
                if bytes > MOVED_BYTES {
                    bytes = 0;
                    flush(&mut moved)?;
                }
            }
        }
        flush(&mut moved)?;
        adopt_undecided(file, &theirs)?;
        drop(theirs);
        account::remove(orphan.folder());
        orphan.clear().map_err(|error| SpoolError::Disk(error.to_string()))
    }

    /// Decides about the undecided traces of ended processes, and stores the kept records for every
    /// sink.
    fn decide_recovered(&mut self, file: &SpoolFile) -> Result<(), SpoolError> {
        let mut group = GroupCommit::default();
        let (mut kept, mut left_out, mut bytes) = (Vec::new(), 0, 0);
        let traces = file.undecided()?;
        let last = traces.last_key_value().map(|(trace_id, _)| *trace_id);
        for (trace_id, length) in traces {
            let records = read_undecided(file, trace_id)?;
            group.writes.push(Write::RemoveUndecided { trace_id });
            if self.sampler.keeps_abandoned(trace_id, &records) {
                bytes += length;
                kept.extend(records);
            } else {
                left_out += records.len() as u64;
            }
            if bytes > MOVED_BYTES || Some(trace_id) == last {
                bytes = 0;
                self.store_for_all_sinks(&mut group, &std::mem::take(&mut kept));
                write_all(file, &std::mem::take(&mut group.writes))?;
            }
        }
        if left_out > 0 {
            self.send(SpoolEvent::SampledOut { records: left_out });
        }
        Ok(())
    }

    /// Stores the records that each sink takes, in batches of the sink's size.
    fn store_for_all_sinks(&mut self, group: &mut GroupCommit, records: &[Record]) {
        for (sink_index, sink) in self.sinks.clone().into_iter().enumerate() {
            let Some(sink) = sink else { continue };
            let limits = self.batch_limits.get(sink_index).copied().unwrap_or_default();
            let takes =
                |record: &&Record| self.filters.get(sink_index).is_none_or(|filter| filter.takes_record(record));
            let taken: Vec<_> = records.iter().filter(takes).cloned().collect();
            let mut rest = &taken[..];
            while !rest.is_empty() {
                let mut bytes = 0;
                let fits = rest.iter().take(limits.records.max(1)).take_while(|record| {
                    bytes += record.size_estimate();
                    bytes <= limits.bytes
                });
                let (some, others) = rest.split_at(fits.count().max(1));
                rest = others;
                let sequence = self.insert(group, &sink, &Batch::new(Uuid::now_v7(), some));
                self.index.set_on_disk_alone(&sink, sequence, true);
            }
        }
    }

    /// Reconciles file and index after a failure. Batches that only the file has were dropped or
    /// answered as failed, so they are removed. Batches that only the index has are lost.
    fn reconcile(&mut self, file: &SpoolFile, contents: &Contents) -> Result<(), SpoolError> {
        let held: Vec<(String, u64)> =
            contents.iter().flat_map(|(sink, batches)| batches.keys().map(|n| (sink.clone(), *n))).collect();
        let unwanted: Vec<_> =
            held.iter().filter(|(sink, n)| self.index.is_on_disk_alone(sink, *n).is_none()).collect();
        file.write(|transaction| unwanted.iter().try_for_each(|(sink, sequence)| transaction.remove(sink, *sequence)))?;
        self.reconcile_undecided(file)?;
        let held: HashSet<_> = held.into_iter().collect();
        let entries = self.index.entries().map(|(sink, sequence)| (sink.to_owned(), sequence));
        let lost: Vec<_> = entries.filter(|entry| !held.contains(entry)).collect();
        self.lose(lost);
        Ok(())
    }

    /// Handles the loss of everything on disk.
    pub(super) fn lose_all(&mut self) {
        let all = self.index.entries().map(|(sink, sequence)| (sink.to_owned(), sequence)).collect();
        self.lose(all);
        if self.undecided.reconcile(&BTreeMap::new()) {
            self.send(SpoolEvent::UndecidedLost);
        }
    }

    /// Handles the loss of batches on disk. Those that were only there are dropped, and the
    /// deliveries that have the others in memory are told.
    fn lose(&mut self, batches: Vec<(String, u64)>) {
        let mut in_memory = BTreeMap::<usize, Vec<StoredKey>>::new();
        for (sink, sequence) in batches {
            let was_on_disk_alone = self.index.is_on_disk_alone(&sink, sequence) == Some(true);
            let meta = self.index.remove(&sink, sequence);
            let (Some(meta), Some(sink_index)) = (meta, self.index_of(&sink)) else { continue };
            if was_on_disk_alone {
                let why = LOST.to_owned();
                self.send(SpoolEvent::Dropped { sink_index, batches: 1, records: meta.records, why });
            } else {
                in_memory.entry(sink_index).or_default().push(StoredKey(sequence));
            }
        }
        for (sink_index, keys) in in_memory {
            self.send(SpoolEvent::Lost { sink_index, keys });
        }
    }

    /// Reconciles undecided records: those missing from the file are written again.
    fn reconcile_undecided(&mut self, file: &SpoolFile) -> Result<(), SpoolError> {
        let on_disk = file.undecided()?;
        let unknown = on_disk.keys().filter(|trace_id| !self.undecided.contains(**trace_id));
        let writes: Vec<_> = unknown.map(|trace_id| Write::RemoveUndecided { trace_id: *trace_id }).collect();
        write_all(file, &writes)?;
        if self.undecided.reconcile(&on_disk) {
            self.send(SpoolEvent::UndecidedLost);
        }
        Ok(())
    }

    fn report_recovered(&mut self) {
        for (sink, batches, records) in self.index.totals() {
            match self.index_of(sink) {
                Some(sink_index) if batches > 0 => {
                    self.send(SpoolEvent::Recovered { sink_index, batches, records });
                }
                None if batches > 0 => {
                    let folder = self.folder.display();
                    warning::print(&format!(
                        "the spool in {folder} holds {records} records for sink {sink}, which is not installed"
                    ));
                }
                _ => {}
            }
        }
    }
}

/// Moves the undecided records of an ended process. Repeating it adds nothing twice, because a row
/// keeps its key.
fn adopt_undecided(file: &SpoolFile, theirs: &SpoolFile) -> Result<(), SpoolError> {
    let (mut writes, mut bytes) = (Vec::new(), 0);
    for trace_id in theirs.undecided()?.into_keys() {
        for (row, encoded) in theirs.undecided_of(trace_id)? {
            bytes += encoded.len() as u64;
            writes.push(Write::InsertUndecided { trace_id, row, bytes: encoded });
        }
        if bytes > MOVED_BYTES {
            bytes = 0;
            write_all(file, &std::mem::take(&mut writes))?;
        }
    }
    write_all(file, &writes)
}
