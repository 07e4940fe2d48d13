//! The batches of a delivery that go to disk and come back, and where they are counted in between.

use std::time::{Duration, Instant};

use super::outgoing::{AwaitingDisk, OutgoingBatch};
use super::sink_delivery::SinkDelivery;
use crate::sink::Batch;
use crate::spool::{DeadLetter, SpoolCommand, SpoolEvent, StoredBatch, StoredKey};

/// The time for which a sink may fail before its waiting batches go to disk.
const FAILING_BEFORE_SPILL: Duration = Duration::from_secs(2);
/// The pause after the disk has failed, or had no batch.
const DISK_PAUSE: Duration = Duration::from_secs(2);
/// The number of bytes that are read back at once.
const LOAD_BYTES: u64 = 2 << 20;
const SPOOL_IS_GONE: &str = "the spool's thread has ended";

impl SinkDelivery {
    /// Handles an event of the spool.
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
            SpoolEvent::Oldest { stored_at, .. } => {
                if let Some(spooled) = &mut self.spooled {
                    spooled.oldest = stored_at;
                }
            }
            SpoolEvent::DeadLettersFailed { records, why, .. } => self.fail_dead_letters(records, &why),
            // These events are not for a sink.
            SpoolEvent::Opened
            | SpoolEvent::UndecidedWritten { .. }
            | SpoolEvent::UndecidedLost
            | SpoolEvent::SampledOut { .. } => {}
        }
    }

    /// Stores the batches that belong on disk: all that wait for a failing sink, and those beyond
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
        // Batches that are being stored count as on disk.
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

    /// Requests batches of the backlog, or only one to probe a failing sink.
    pub(super) fn load(&mut self, is_probing: bool, now: Instant) {
        let Some(spooled) = &mut self.spooled else { return };
        if spooled.batches > 0 && !spooled.is_loading && !spooled.is_paused(now) {
            let bytes = if is_probing { 1 } else { LOAD_BYTES };
            let sink_index = spooled.link.sink_index;
            spooled.is_loading = spooled.link.spool.send(SpoolCommand::Load { sink_index, bytes });
        }
    }

    /// Stores a batch; with `in_memory`, it is sent once it is stored.
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

    /// Registers a batch that another part of the worker sends to the spool, and returns it with
    /// its ticket.
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
        // If the spool's thread has ended, the worker notices and calls `lose_disk`.
        self.send_to_spool(|sink_index| SpoolCommand::Split { sink_index, ticket, parent, parts: batches });
        self.awaiting_disk.insert(ticket, AwaitingDisk::Split { outgoing, parts });
    }

    /// Writes dead letters, if there is a spool for them.
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
        self.drop_records(records, &format!("they were refused, and could not be written as dead letters: {why}"));
    }

    /// Removes a batch from the disk, if it is there.
    pub(super) fn remove_from_disk(&self, outgoing: &OutgoingBatch) {
        if let Some(key) = outgoing.key {
            self.send_to_spool(|sink_index| SpoolCommand::Remove { sink_index, key });
        }
    }

    /// Releases the memory of a batch that is on disk.
    pub(super) fn move_to_disk(&mut self, outgoing: OutgoingBatch) {
        match outgoing.key {
            Some(key) => {
                let records = outgoing.records();
                self.send_to_spool(|sink_index| SpoolCommand::Unload { sink_index, key, records });
                self.leave_on_disk(&outgoing);
            }
            None if outgoing.batch.is_empty() => {
                // It was a heartbeat, which is worthless later.
                self.release_memory(&outgoing);
                self.finish_part(&outgoing);
            }
            None => self.store(outgoing, false),
        }
    }

    /// Notes that a batch is only on disk.
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
                self.drop_batch(
                    &outgoing,
                    &format!("they were left at the shutdown, and could not be stored on disk: {why}"),
                );
            }
            // The spool has reported the reason on stderr. The batch waits in memory, and is stored
            // again later.
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
            // A part must not be sent before it is on disk, so the whole batch waits until the
            // split can be stored.
            if let Some(unfinished) = outgoing.number.and_then(|number| self.unfinished.get_mut(&number)) {
                unfinished.parts -= parts.len() - 1;
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

    /// Notes that batches in memory are no longer on disk.
    fn forget_keys(&mut self, keys: &[StoredKey]) {
        let awaiting = self.awaiting_disk.values_mut().map(AwaitingDisk::outgoing_mut);
        let waiting = self.ready.iter_mut().chain(&mut self.backlog).chain(self.in_flight.values_mut());
        for outgoing in waiting.chain(awaiting) {
            if outgoing.key.is_some_and(|key| keys.contains(&key)) {
                outgoing.key = None;
            }
        }
    }

    /// Continues without the spool, whose thread has ended. Batches on disk stay there for the next
    /// process.
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

    /// Sends a command to the spool, and returns `false` if its thread has ended.
    fn send_to_spool(&self, command: impl FnOnce(usize) -> SpoolCommand) -> bool {
        self.spooled.as_ref().is_some_and(|spooled| spooled.link.spool.send(command(spooled.link.sink_index)))
    }
}
