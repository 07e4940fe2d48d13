//! Executes commands in groups, with one transaction for each group, and enforces the limits on
//! size and age.

use ragtrace_core::Timestamp;

use super::codec;
use super::database::{self, SpoolError};
use super::group_commit::{GroupCommit, PendingReply, Write, write_all};
use super::limits::WhenFull;
use super::protocol::{KeptBatch, SpoolCommand, SpoolEvent, StoredBatch, StoredKey};
use super::store::{LOST, SpoolStore};
use super::undecided::encode_row;
use crate::TraceId;
use crate::record::Record;
use crate::sink::Batch;

/// The size above which a file without contents is replaced by a new one.
const MAX_EMPTY_BYTES: u64 = 16 << 20;

/// The sink of a command, and the ticket that is returned with its event.
#[derive(Clone, Copy)]
struct ReplyTo {
    sink_index: usize,
    ticket: u64,
}

impl SpoolStore {
    /// Executes commands in their order.
    pub(super) fn execute(&mut self, commands: Vec<SpoolCommand>) {
        self.leave_lost_file();
        let mut group = GroupCommit::default();
        for command in commands {
            match command {
                SpoolCommand::Store { sink_index, ticket, batch, in_memory } => {
                    self.store(&mut group, ReplyTo { sink_index, ticket }, &batch, in_memory);
                }
                SpoolCommand::Split { sink_index, ticket, parent, parts } => {
                    self.split(&mut group, ReplyTo { sink_index, ticket }, parent, &parts);
                }
                SpoolCommand::Remove { sink_index, key } => self.remove(&mut group, sink_index, key),
                SpoolCommand::Unload { sink_index, key, records } => self.unload(sink_index, key, records),
                SpoolCommand::Load { sink_index, bytes } => {
                    self.commit(&mut group);
                    self.load(sink_index, bytes);
                }
                SpoolCommand::WriteDeadLetters { sink_index, letters } => {
                    // A later command may remove the batch of these letters. It becomes part of the
                    // next group, so that the batch goes only once the letters are on disk.
                    self.commit(&mut group);
                    let records = letters.len() as u64;
                    if let Err(error) = self.letters.append(&letters, self.limits.dead_letter_bytes) {
                        self.send(SpoolEvent::DeadLettersFailed { sink_index, records, why: error.to_string() });
                    }
                }
                SpoolCommand::WriteUndecided { ticket, traces } => self.write_undecided(&mut group, ticket, traces),
                SpoolCommand::Decide { traces, batches } => {
                    for KeptBatch { sink_index, ticket, batch } in batches {
                        self.store(&mut group, ReplyTo { sink_index, ticket }, &batch, true);
                    }
                    self.remove_undecided(&mut group, traces);
                }
                SpoolCommand::Close { .. } => {}
                #[cfg(test)]
                SpoolCommand::Panic => panic!("as it was told to"),
            }
            // Batches that are written and removed in one transaction need room in the file at the
            // same time, so groups are bounded.
            if group.bytes > self.limits.group_bytes() {
                self.commit(&mut group);
            }
        }
        self.commit(&mut group);
    }

    /// Does periodic work: drops batches that are too old, tries a failed disk again, and replaces
    /// a large file without contents.
    pub(super) fn tick(&mut self) {
        self.leave_lost_file();
        if self.file.is_none() && self.ensure_open().is_err() {
            return;
        }
        self.drop_old();
        let is_large = self.slot.as_ref().is_some_and(|slot| slot.bytes() > MAX_EMPTY_BYTES);
        if is_large && self.is_empty() {
            self.file = None;
            if let Some(slot) = &self.slot {
                let _ = slot.clear();
            }
        }
    }

    fn store(&mut self, group: &mut GroupCommit, reply_to: ReplyTo, batch: &Batch, in_memory: bool) {
        let ReplyTo { sink_index, ticket } = reply_to;
        let sink = match self.open_for(sink_index) {
            Ok(sink) => sink,
            Err(why) => return self.send(SpoolEvent::Stored { sink_index, ticket, key: Err(why) }),
        };
        let bytes = codec::encode(batch);
        if let Err(why) = self.make_room(group, sink_index, &sink, database::footprint(bytes.len())) {
            let folder = self.folder.display();
            self.full.warn(1, |_| {
                format!("the spool in {folder} has no room for sink {sink}, whose records stay in memory: {why}")
            });
            return self.send(SpoolEvent::Stored { sink_index, ticket, key: Err(why) });
        }
        let sequence = self.insert_encoded(group, &sink, batch, bytes);
        group.replies.push(PendingReply::Store { sink_index, ticket, sequence, in_memory });
    }

    fn split(&mut self, group: &mut GroupCommit, reply_to: ReplyTo, parent: StoredKey, parts: &[Batch]) {
        let ReplyTo { sink_index, ticket } = reply_to;
        let sink = match self.open_for(sink_index) {
            Ok(sink) => sink,
            Err(why) => return self.send(SpoolEvent::Split { sink_index, ticket, keys: Err(why) }),
        };
        let parent_meta = self.index.remove(&sink, parent.0);
        group.writes.push(Write::Remove { sink: sink.clone(), sequence: parent.0 });
        let sequences = parts.iter().map(|part| self.insert(group, &sink, part)).collect();
        group.replies.push(PendingReply::Split { sink_index, ticket, sequences, parent: parent.0, parent_meta });
    }

    /// Notes that a batch is only on disk now. If it was lost in the meantime, it exists nowhere.
    fn unload(&mut self, sink_index: usize, key: StoredKey, records: u64) {
        let Some(sink) = self.name_of(sink_index) else { return };
        if self.index.is_on_disk_alone(&sink, key.0).is_some() {
            self.index.set_on_disk_alone(&sink, key.0, true);
        } else {
            self.send(SpoolEvent::Dropped { sink_index, batches: 1, records, why: LOST.to_owned() });
        }
    }

    fn remove(&mut self, group: &mut GroupCommit, sink_index: usize, key: StoredKey) {
        if let Some(sink) = self.name_of(sink_index) {
            // If the disk fails now, the batch is found without an index entry when the file is
            // reopened, and removed then.
            self.index.remove(&sink, key.0);
            group.writes.push(Write::Remove { sink, sequence: key.0 });
        }
    }

    /// Stores records of undecided traces.
    fn write_undecided(&mut self, group: &mut GroupCommit, ticket: u64, traces: Vec<(TraceId, Vec<Record>)>) {
        let refuse = |why| SpoolEvent::UndecidedWritten { ticket, written: Err(why) };
        if let Err(why) = self.ensure_open() {
            return self.send(refuse(why));
        }
        let rows: Vec<_> = traces.into_iter().map(|(trace_id, records)| (trace_id, encode_row(records))).collect();
        let bytes: u64 = rows.iter().map(|(_, (_, bytes))| bytes.len() as u64).sum();
        if self.undecided.bytes() + bytes > self.limits.budget() {
            let why =
                format!("the records that the sampler holds do not fit into a spool of {} bytes", self.limits.bytes);
            return self.send(refuse(why));
        }
        for (trace_id, (row, bytes)) in rows {
            self.undecided.add(trace_id, bytes.len() as u64);
            group.bytes += bytes.len() as u64;
            group.writes.push(Write::InsertUndecided { trace_id, row, bytes });
        }
        group.replies.push(PendingReply::Undecided { ticket });
    }

    /// Removes the records of traces that have been decided.
    fn remove_undecided(&mut self, group: &mut GroupCommit, traces: Vec<TraceId>) {
        for trace_id in traces {
            // If the disk fails now, the trace is found without an index entry when the file is
            // reopened, and removed then.
            if self.undecided.remove(trace_id) {
                group.writes.push(Write::RemoveUndecided { trace_id });
            }
        }
    }

    /// Drops the oldest batches until there is room for `bytes` more, if the limits say so.
    fn make_room(&mut self, group: &mut GroupCommit, sink_index: usize, sink: &str, bytes: u64) -> Result<(), String> {
        let budget = self.limits.budget();
        if bytes > budget {
            return Err(format!("a batch of {bytes} bytes does not fit into a spool of {} bytes", self.limits.bytes));
        }
        while self.index.bytes(sink) + bytes > budget {
            let drops_oldest = self.limits.when_full == WhenFull::DropOldest;
            let oldest = drops_oldest.then(|| self.index.oldest_on_disk_alone(sink)).flatten();
            let Some((sequence, _)) = oldest else {
                return Err(format!(
                    "the spool is full: it holds {} of {} bytes",
                    self.index.bytes(sink),
                    self.limits.bytes
                ));
            };
            self.drop_batch(group, sink_index, sequence, "the spool is full, and the oldest batches are dropped");
        }
        Ok(())
    }

    fn drop_batch(&mut self, group: &mut GroupCommit, sink_index: usize, sequence: u64, why: &str) {
        let Some(sink) = self.name_of(sink_index) else { return };
        if let Some(meta) = self.index.remove(&sink, sequence) {
            group.writes.push(Write::Remove { sink, sequence });
            let why = why.to_owned();
            group.events.push(SpoolEvent::Dropped { sink_index, batches: 1, records: meta.records, why });
        }
    }

    /// Writes a group, and answers its commands.
    fn commit(&mut self, group: &mut GroupCommit) {
        let GroupCommit { writes, events, replies, .. } = std::mem::take(group);
        if writes.is_empty() {
            return;
        }
        let written = self.ensure_open().and_then(|()| self.write(&writes));
        for reply in replies {
            let event = self.reply(reply, written.as_ref().err());
            self.send(event);
        }
        // Batches that were dropped are no longer in the index, so they are removed from the disk
        // when it works again at the latest.
        for event in events {
            self.send(event);
        }
    }

    /// Returns the event that answers a command whose group was written or failed.
    fn reply(&mut self, reply: PendingReply, failed: Option<&String>) -> SpoolEvent {
        let name_of = |sink_index: usize| self.name_of(sink_index).unwrap_or_default();
        match (reply, failed) {
            (PendingReply::Undecided { ticket }, failed) => {
                SpoolEvent::UndecidedWritten { ticket, written: failed.map_or(Ok(()), |why| Err(why.clone())) }
            }
            (PendingReply::Store { sink_index, ticket, sequence, in_memory }, None) => {
                let sink = name_of(sink_index);
                self.index.set_on_disk_alone(&sink, sequence, !in_memory);
                SpoolEvent::Stored { sink_index, ticket, key: Ok(StoredKey(sequence)) }
            }
            (PendingReply::Store { sink_index, ticket, sequence, .. }, Some(why)) => {
                let sink = name_of(sink_index);
                self.index.remove(&sink, sequence);
                SpoolEvent::Stored { sink_index, ticket, key: Err(why.clone()) }
            }
            (PendingReply::Split { sink_index, ticket, sequences, .. }, None) => {
                SpoolEvent::Split { sink_index, ticket, keys: Ok(sequences.into_iter().map(StoredKey).collect()) }
            }
            (PendingReply::Split { sink_index, ticket, sequences, parent, parent_meta }, Some(why)) => {
                let sink = name_of(sink_index);
                for sequence in sequences {
                    self.index.remove(&sink, sequence);
                }
                if let Some(meta) = parent_meta {
                    self.index.insert(&sink, parent, meta, false);
                }
                SpoolEvent::Split { sink_index, ticket, keys: Err(why.clone()) }
            }
        }
    }

    fn write(&mut self, writes: &[Write]) -> Result<(), String> {
        let Some(file) = &self.file else { return Err("the spool is not open".to_owned()) };
        // Data written to a file that was removed in the meantime is lost, so the file's place is
        // checked afterwards.
        let written = write_all(file, writes).and_then(|()| self.check_place());
        written.map_err(|error| self.fail(&error))
    }

    fn load(&mut self, sink_index: usize, wanted: u64) {
        let mut batches = Vec::new();
        let mut bytes = 0;
        let Ok(sink) = self.open_for(sink_index) else { return self.send(SpoolEvent::Loaded { sink_index, batches }) };
        while bytes < wanted {
            let (Some((sequence, meta)), Some(file)) = (self.index.next_to_load(&sink), &self.file) else { break };
            match file.read(sequence) {
                Ok(batch) => {
                    self.index.set_on_disk_alone(&sink, sequence, false);
                    bytes += meta.bytes;
                    batches.push(StoredBatch { key: StoredKey(sequence), batch });
                }
                Err(SpoolError::Corrupt(why)) => {
                    let mut group = GroupCommit::default();
                    let why = format!("a stored batch cannot be read: {why}");
                    self.drop_batch(&mut group, sink_index, sequence, &why);
                    self.commit(&mut group);
                }
                Err(error) => {
                    self.fail(&error);
                    break;
                }
            }
        }
        self.send(SpoolEvent::Loaded { sink_index, batches });
    }

    /// Opens the file, and returns the name under which a sink's batches are stored.
    fn open_for(&mut self, sink_index: usize) -> Result<String, String> {
        self.ensure_open()?;
        self.name_of(sink_index).ok_or_else(|| "this sink has no spool".to_owned())
    }

    fn drop_old(&mut self) {
        let age = i64::try_from(self.limits.age.as_micros()).unwrap_or(i64::MAX);
        let limit = Timestamp::now().as_micros().saturating_sub(age);
        let mut group = GroupCommit::default();
        for (sink, sequence) in self.index.stored_before(limit) {
            if let Some(sink_index) = self.index_of(&sink) {
                self.drop_batch(
                    &mut group,
                    sink_index,
                    sequence,
                    "they were in the spool for longer than its maximum age",
                );
            } else {
                self.index.remove(&sink, sequence);
                group.writes.push(Write::Remove { sink, sequence });
            }
        }
        self.commit(&mut group);
    }
}
