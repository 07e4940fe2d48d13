//! A delivery and its batches on disk: what goes there, what comes back, and what is counted where
//! meanwhile.

use std::time::{Duration, Instant};

use super::outgoing::{AwaitingDisk, OutgoingBatch};
use super::sink_delivery::SinkDelivery;
use crate::sink::Batch;
use crate::spool::{DeadLetter, SpoolCommand, SpoolEvent, StoredBatch, StoredKey};

/// How long a sink may fail before what waits for it goes to disk.
const FAILING_BEFORE_SPILL: Duration = Duration::from_secs(2);
/// How long a disk that failed, or had nothing, is left alone.
const DISK_PAUSE: Duration = Duration::from_secs(2);
/// Bytes that are read back at once.
const LOAD_BYTES: u64 = 2 << 20;
const SPOOL_IS_GONE: &str = "the spool's thread has ended";

impl SinkDelivery {
    /// Takes in an answer of the spool.
    pub(crate) fn handle_spool_event(&mut self, event: SpoolEvent, now: Instant) {
        match event {
            SpoolEvent::Recovered { batches, records, .. } => {
                self.account.recovered += records;
                self.account.spooled += records;
                self.count_spooled_batches(batches, 0);
            }
            SpoolEvent::Stored { ticket, key, .. } => self.handle_stored(ticket, key, now),
            SpoolEvent::Split { ticket, keys, .. } => self.handle_split(ticket, keys.ok(), now),
            SpoolEvent::Loaded { batches, .. } => self.handle_loaded(batches, now),
            SpoolEvent::Dropped { batches, records, why, .. } => {
                self.account.spooled = self.account.spooled.saturating_sub(records);
                self.count_spooled_batches(0, batches);
                self.drop_records(records, &why);
            }
            SpoolEvent::Lost { keys, .. } => self.forget_keys(&keys),
            SpoolEvent::DeadLettersFailed { records, why, .. } => self.fail_dead_letters(records, &why),
            // These are for no sink.
            SpoolEvent::Opened
            | SpoolEvent::UndecidedWritten { .. }
            | SpoolEvent::UndecidedLost
            | SpoolEvent::SampledOut { .. } => {}
        }
    }

    /// Puts on disk what should be there: all that waits for a sink that fails, and what is over
    /// half of the memory limits.
    pub(super) fn spill(&mut self, now: Instant) {
        if self.spooled.as_ref().is_none_or(|spooled| spooled.is_paused(now)) {
            return;
        }
        let has_failed_long = self.failing_since.is_some_and(|since| now.duration_since(since) >= FAILING_BEFORE_SPILL);
        let is_wanted = self.failing_since.is_some() && !self.is_finished_below(self.wanted_below);
        if has_failed_long || is_wanted || self.is_closed {
            let all: Vec<_> = self.ready.drain(..).chain(self.backlog.drain(..)).collect();
            for outgoing in all {
                self.move_to_disk(outgoing);
            }
            return;
        }
        // What is on its way to the disk counts as there already.
        let (mut bytes, mut records) = (self.memory, self.account.pending);
        for outgoing in self.awaiting_disk.values().map(AwaitingDisk::outgoing) {
            bytes = bytes.saturating_sub(outgoing.bytes);
            records = records.saturating_sub(outgoing.records());
        }
        while bytes > self.memory_limits.sink_bytes / 2 || records > self.memory_limits.sink_records as u64 / 2 {
            let Some(outgoing) = self.ready.pop_front() else { break };
            bytes -= outgoing.bytes.min(bytes);
            records -= outgoing.records().min(records);
            self.move_to_disk(outgoing);
        }
    }

    /// Asks for batches of the backlog: one alone, to probe whether the sink is back.
    pub(super) fn load(&mut self, is_probing: bool, now: Instant) {
        let Some(spooled) = &mut self.spooled else { return };
        if spooled.batches > 0 && !spooled.is_loading && !spooled.is_paused(now) {
            let bytes = if is_probing { 1 } else { LOAD_BYTES };
            let sink_index = spooled.link.sink_index;
            spooled.is_loading = spooled.link.spool.send(SpoolCommand::Load { sink_index, bytes });
        }
    }

    /// Stores a batch; with `in_memory` it is sent once it is stored.
    pub(super) fn store(&mut self, outgoing: OutgoingBatch, in_memory: bool) {
        let ticket = self.next_ticket();
        let Some(spooled) = &self.spooled else { return self.ready.push_back(outgoing) };
        let (sink_index, batch) = (spooled.link.sink_index, outgoing.batch.clone());
        if spooled.link.spool.send(SpoolCommand::Store { sink_index, ticket, batch, in_memory }) {
            self.awaiting_disk.insert(ticket, AwaitingDisk::Store { outgoing, in_memory });
        } else {
            self.ready.push_back(outgoing);
        }
    }

    /// Waits for the spool to store a batch that somebody else sends there, under the ticket that
    /// is returned with it.
    pub(super) fn await_store(&mut self, batch: Batch) -> (u64, Batch) {
        let ticket = self.next_ticket();
        let outgoing = self.register(batch.clone());
        self.awaiting_disk.insert(ticket, AwaitingDisk::Store { outgoing, in_memory: true });
        (ticket, batch)
    }

    /// Stores the parts of a batch in its place.
    pub(super) fn store_parts(&mut self, outgoing: OutgoingBatch, parent: StoredKey, parts: Vec<OutgoingBatch>) {
        let ticket = self.next_ticket();
        let batches = parts.iter().map(|part| part.batch.clone()).collect();
        // If the thread is gone the worker hears of it, and the delivery with it.
        self.send_to_spool(|sink_index| SpoolCommand::Split { sink_index, ticket, parent, parts: batches });
        self.awaiting_disk.insert(ticket, AwaitingDisk::Split { outgoing, parts });
    }

    /// Writes dead letters, if there is a place for them.
    pub(super) fn write_dead_letters(&mut self, letters: Vec<DeadLetter>) {
        let records = letters.len() as u64;
        if self.spooled.is_none() {
            self.unwritten_letters += records;
        } else if records > 0
            && !self.send_to_spool(|sink_index| SpoolCommand::WriteDeadLetters { sink_index, letters })
        {
            self.fail_dead_letters(records, SPOOL_IS_GONE);
        }
    }

    fn fail_dead_letters(&mut self, records: u64, why: &str) {
        self.account.dead_lettered = self.account.dead_lettered.saturating_sub(records);
        self.drop_records(records, &format!("they were refused, and could not be written down: {why}"));
    }

    /// Removes a batch from the disk, if it is there.
    pub(super) fn remove_from_disk(&self, outgoing: &OutgoingBatch) {
        if let Some(key) = outgoing.key {
            self.send_to_spool(|sink_index| SpoolCommand::Remove { sink_index, key });
        }
    }

    /// Gives up a batch's place in memory for one on disk.
    pub(super) fn move_to_disk(&mut self, outgoing: OutgoingBatch) {
        match outgoing.key {
            Some(key) => {
                let records = outgoing.records();
                self.send_to_spool(|sink_index| SpoolCommand::Unload { sink_index, key, records });
                self.leave_on_disk(&outgoing);
            }
            None if outgoing.batch.is_empty() => {
                // It said that the process lives, and nobody wants to know that later.
                self.release_memory(&outgoing);
                self.finish_part(&outgoing);
            }
            None => self.store(outgoing, false),
        }
    }

    /// Notes that a batch is on disk alone.
    pub(super) fn leave_on_disk(&mut self, outgoing: &OutgoingBatch) {
        self.release_memory(outgoing);
        self.finish_part(outgoing);
        self.account.spooled += outgoing.records();
        self.count_spooled_batches(1, 0);
    }

    fn handle_stored(&mut self, ticket: u64, key: Result<StoredKey, String>, now: Instant) {
        let Some(AwaitingDisk::Store { mut outgoing, in_memory }) = self.awaiting_disk.remove(&ticket) else { return };
        match key {
            Ok(key) => {
                outgoing.key = Some(key);
                if !in_memory {
                    self.leave_on_disk(&outgoing);
                } else if self.is_ending {
                    self.move_to_disk(outgoing);
                } else {
                    self.ready.push_back(outgoing);
                }
            }
            Err(why) if self.is_ending => {
                self.drop_batch(&outgoing, &format!("they were left at the end, and have no place on disk: {why}"));
            }
            // The spool has said why on stderr. The batch waits in memory, and is tried again
            // later.
            Err(_) => {
                self.pause_disk(now);
                self.ready.push_back(outgoing);
            }
        }
    }

    fn handle_split(&mut self, ticket: u64, keys: Option<Vec<StoredKey>>, now: Instant) {
        let Some(AwaitingDisk::Split { outgoing, parts }) = self.awaiting_disk.remove(&ticket) else { return };
        if let Some(keys) = keys {
            for (mut part, key) in parts.into_iter().zip(keys).rev() {
                part.key = Some(key);
                if self.is_ending { self.move_to_disk(part) } else { self.requeue_first(part) }
            }
        } else {
            // A part must not be sent before it is on disk, so the parent waits until that is
            // possible.
            if let Some(unfinished) = outgoing.number.and_then(|number| self.unfinished.get_mut(&number)) {
                *unfinished -= parts.len() - 1;
            }
            self.pause_disk(now);
            if self.is_ending {
                self.move_to_disk(outgoing);
            } else {
                self.not_before = Some(now + DISK_PAUSE);
                self.requeue_last(outgoing);
            }
        }
    }

    fn handle_loaded(&mut self, batches: Vec<StoredBatch>, now: Instant) {
        if let Some(spooled) = &mut self.spooled {
            spooled.is_loading = false;
        }
        if batches.is_empty() {
            self.pause_disk(now);
        }
        for StoredBatch { key, batch } in batches {
            let outgoing = OutgoingBatch::new(None, Some(key), batch);
            self.count_spooled_batches(0, 1);
            self.account.spooled = self.account.spooled.saturating_sub(outgoing.records());
            self.account.pending += outgoing.records();
            self.memory += outgoing.bytes;
            if self.is_ending { self.move_to_disk(outgoing) } else { self.backlog.push_back(outgoing) }
        }
    }

    fn pause_disk(&mut self, now: Instant) {
        if let Some(spooled) = &mut self.spooled {
            spooled.not_before = Some(now + DISK_PAUSE);
        }
    }

    fn count_spooled_batches(&mut self, more: u64, fewer: u64) {
        if let Some(spooled) = &mut self.spooled {
            spooled.batches = (spooled.batches + more).saturating_sub(fewer);
        }
    }

    /// Takes in that batches in memory are not on disk any more.
    fn forget_keys(&mut self, keys: &[StoredKey]) {
        let awaiting = self.awaiting_disk.values_mut().map(AwaitingDisk::outgoing_mut);
        let waiting = self.ready.iter_mut().chain(&mut self.backlog).chain(self.in_flight.values_mut());
        for outgoing in waiting.chain(awaiting) {
            if outgoing.key.is_some_and(|key| keys.contains(&key)) {
                outgoing.key = None;
            }
        }
    }

    /// Goes on without the disk, whose thread has ended. What is there stays for the next process.
    pub(crate) fn lose_disk(&mut self, now: Instant) {
        for (ticket, awaiting) in std::mem::take(&mut self.awaiting_disk) {
            let is_store = matches!(awaiting, AwaitingDisk::Store { .. });
            self.awaiting_disk.insert(ticket, awaiting);
            if is_store {
                self.handle_stored(ticket, Err(SPOOL_IS_GONE.to_owned()), now);
            } else {
                self.handle_split(ticket, None, now);
            }
        }
        self.spooled = None;
        for queue in [&mut self.ready, &mut self.backlog].map(std::mem::take) {
            for outgoing in queue {
                if outgoing.key.is_some() { self.leave_on_disk(&outgoing) } else { self.requeue_last(outgoing) }
            }
        }
    }

    /// Sends a command, and returns whether there is a thread to do it.
    fn send_to_spool(&self, command: impl FnOnce(usize) -> SpoolCommand) -> bool {
        self.spooled.as_ref().is_some_and(|spooled| spooled.link.spool.send(command(spooled.link.sink_index)))
    }
}
