//! A lane and its place on disk: what goes there, what comes back, and what is counted where meanwhile.

use std::time::{Duration, Instant};

use super::{Lane, Outgoing, Spooling};
use crate::sink::Batch;
use crate::spool::{Command, DeadLetter, Event, Key, Stored};

/// How long a sink may fail before what waits for it goes to disk.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a disk that failed, or had nothing, is left alone.
const REST: Duration = Duration::from_secs(2);
/// What is read back at once.
const LOADED_BYTES: u64 = 2 << 20;

/// What a lane knows of its place on disk.
pub(super) struct Disk {
    spooling: Spooling,
    /// Batches that are on disk alone.
    batches: u64,
    is_loading: bool,
    /// Nothing is read or stored before.
    not_before: Option<Instant>,
}

/// A batch that the disk has to say something about.
pub(super) enum Waiting {
    /// It is being stored; with `held` it stays in memory, too.
    Store { outgoing: Outgoing, held: bool },
    /// Its halves are being stored in its place.
    Split { outgoing: Outgoing, halves: Box<[Outgoing; 2]> },
}

impl Waiting {
    pub(super) fn outgoing(&self) -> &Outgoing {
        match self {
            Self::Store { outgoing, .. } | Self::Split { outgoing, .. } => outgoing,
        }
    }
}

impl Disk {
    pub(super) fn new(spooling: Spooling) -> Self {
        Self { spooling, batches: 0, is_loading: false, not_before: None }
    }

    pub(super) fn is_durable(&self) -> bool {
        self.spooling.is_durable
    }

    pub(super) fn holds_any(&self) -> bool {
        self.batches > 0 || self.is_loading
    }

    fn rests(&self, now: Instant) -> bool {
        self.not_before.is_some_and(|time| time > now)
    }
}

impl Lane {
    /// Takes in what the spool says.
    pub(crate) fn take_event(&mut self, event: Event, now: Instant) {
        match event {
            Event::Recovered { batches, records, .. } => {
                self.account.recovered += records;
                self.account.spooled += records;
                self.count_batches(batches, 0);
            }
            Event::Stored { ticket, key, .. } => self.stored(ticket, key, now),
            Event::Split { ticket, keys, .. } => self.split(ticket, keys.ok(), now),
            Event::Loaded { batches, .. } => self.loaded(batches, now),
            Event::Dropped { batches, records, why, .. } => {
                self.account.spooled = self.account.spooled.saturating_sub(records);
                self.account.dropped += records;
                self.count_batches(0, batches);
                self.news.dropped(records, &why);
            }
            Event::Unburied { records, why, .. } => {
                self.account.dead_lettered = self.account.dead_lettered.saturating_sub(records);
                self.account.dropped += records;
                self.news.dropped(records, &format!("they were refused, and could not be written down: {why}"));
            }
            // Those are of no lane.
            Event::Opened | Event::Holding { .. } | Event::LostHeld | Event::LeftOut { .. } => {}
        }
    }

    /// Has everything that is in memory put on disk, at the end.
    pub(crate) fn spool_rest(&mut self) {
        self.close_batch();
        self.is_ending = true;
        if self.disk.is_none() {
            return;
        }
        let in_flight = std::mem::take(&mut self.in_flight).into_values();
        let all: Vec<_> = in_flight.chain(self.ready.drain(..)).chain(self.backlog.drain(..)).collect();
        for outgoing in all {
            self.put_on_disk(outgoing);
        }
    }

    /// The number by which the spool knows the lane.
    pub(crate) fn spool_number(&self) -> Option<usize> {
        self.disk.as_ref().map(|disk| disk.spooling.lane)
    }

    /// Whether the disk has yet to say something.
    pub(crate) fn waits_for_disk(&self) -> bool {
        !self.waiting.is_empty() || self.disk.as_ref().is_some_and(|disk| disk.is_loading)
    }

    /// Puts on disk what should be there: all that waits for a sink that fails, and what is over half of the memory.
    pub(super) fn spill(&mut self, now: Instant) {
        if self.disk.as_ref().is_none_or(|disk| disk.rests(now)) {
            return;
        }
        let has_failed_long = self.failing_since.is_some_and(|since| now.duration_since(since) >= PATIENCE);
        let is_wanted = self.failing_since.is_some() && !self.is_settled_below(self.wanted_below);
        if has_failed_long || is_wanted || self.is_closed {
            let all: Vec<_> = self.ready.drain(..).chain(self.backlog.drain(..)).collect();
            for outgoing in all {
                self.put_on_disk(outgoing);
            }
            return;
        }
        // What is on its way to the disk counts as there already.
        let (mut bytes, mut records) = (self.memory, self.account.pending);
        for outgoing in self.waiting.values().map(Waiting::outgoing) {
            bytes = bytes.saturating_sub(outgoing.bytes);
            records = records.saturating_sub(outgoing.records());
        }
        while bytes > self.share.sink_bytes / 2 || records > self.share.sink_records as u64 / 2 {
            let Some(outgoing) = self.ready.pop_front() else { break };
            bytes -= outgoing.bytes.min(bytes);
            records -= outgoing.records().min(records);
            self.put_on_disk(outgoing);
        }
    }

    /// Asks for batches of the backlog: one, if it is to ask whether the sink is back.
    pub(super) fn load(&mut self, is_probing: bool, now: Instant) {
        let Some(disk) = &mut self.disk else { return };
        if disk.batches > 0 && !disk.is_loading && !disk.rests(now) {
            let bytes = if is_probing { 1 } else { LOADED_BYTES };
            disk.is_loading = disk.spooling.handle.send(Command::Load { lane: disk.spooling.lane, bytes });
        }
    }

    /// Stores a batch; with `held` it is sent once it is stored.
    pub(super) fn store(&mut self, outgoing: Outgoing, held: bool) {
        let ticket = self.ticket();
        let Some(disk) = &self.disk else { return self.ready.push_back(outgoing) };
        let (lane, batch) = (disk.spooling.lane, outgoing.batch.clone());
        if disk.spooling.handle.send(Command::Store { lane, ticket, batch, held }) {
            self.waiting.insert(ticket, Waiting::Store { outgoing, held });
        } else {
            self.ready.push_back(outgoing);
        }
    }

    /// A batch that the disk is told to store by somebody else, and its ticket.
    pub(super) fn wait_for_store(&mut self, batch: Batch) -> (u64, Batch) {
        let ticket = self.ticket();
        let outgoing = self.number(batch.clone());
        self.waiting.insert(ticket, Waiting::Store { outgoing, held: true });
        (ticket, batch)
    }

    pub(super) fn store_halves(&mut self, outgoing: Outgoing, parent: Key, halves: [Outgoing; 2]) {
        let ticket = self.ticket();
        let batches = Box::new([halves[0].batch.clone(), halves[1].batch.clone()]);
        self.tell(|lane| Command::Split { lane, ticket, parent, halves: batches });
        self.waiting.insert(ticket, Waiting::Split { outgoing, halves: Box::new(halves) });
    }

    /// Writes dead letters, if there is a place for them.
    pub(super) fn bury(&self, letters: Vec<DeadLetter>) {
        if !letters.is_empty() {
            self.tell(|lane| Command::Bury { lane, letters });
        }
    }

    /// Removes a batch from the disk, if it is there.
    pub(super) fn forget(&self, outgoing: &Outgoing) {
        if let Some(key) = outgoing.key {
            self.tell(|lane| Command::Remove { lane, key });
        }
    }

    fn put_on_disk(&mut self, outgoing: Outgoing) {
        match outgoing.key {
            Some(key) => {
                self.tell(|lane| Command::Release { lane, key });
                self.is_on_disk_alone(&outgoing);
            }
            None if outgoing.batch.is_empty() => {
                // It said that the process lives, and nobody wants to know that later.
                self.leave(&outgoing);
                self.settle(&outgoing);
            }
            None => self.store(outgoing, false),
        }
    }

    fn is_on_disk_alone(&mut self, outgoing: &Outgoing) {
        self.leave(outgoing);
        self.settle(outgoing);
        self.account.spooled += outgoing.records();
        self.count_batches(1, 0);
    }

    fn stored(&mut self, ticket: u64, key: Result<Key, String>, now: Instant) {
        let Some(Waiting::Store { mut outgoing, held }) = self.waiting.remove(&ticket) else { return };
        match key {
            Ok(key) => {
                outgoing.key = Some(key);
                if !held {
                    self.is_on_disk_alone(&outgoing);
                } else if self.is_ending {
                    self.put_on_disk(outgoing);
                } else {
                    self.ready.push_back(outgoing);
                }
            }
            Err(why) if self.is_ending => {
                self.leave(&outgoing);
                self.settle(&outgoing);
                self.account.dropped += outgoing.records();
                self.news.dropped(
                    outgoing.records(),
                    &format!("they were left at the end, and have no place on disk: {why}"),
                );
            }
            // The spool has said why on stderr. The batch waits in memory, and is tried again later.
            Err(_) => {
                self.rest(now);
                self.ready.push_back(outgoing);
            }
        }
    }

    fn split(&mut self, ticket: u64, keys: Option<[Key; 2]>, now: Instant) {
        let Some(Waiting::Split { outgoing, halves }) = self.waiting.remove(&ticket) else { return };
        if let Some(keys) = keys {
            for (mut half, key) in halves.into_iter().zip(keys).rev() {
                half.key = Some(key);
                if self.is_ending { self.put_on_disk(half) } else { self.put_back(half) }
            }
        } else {
            // A half must not be sent before it is on disk, so the parent waits until that is possible.
            if let Some(parts) = outgoing.number.and_then(|number| self.unsettled.get_mut(&number)) {
                *parts -= 1;
            }
            self.rest(now);
            if self.is_ending {
                self.put_on_disk(outgoing);
            } else {
                self.wait_for_disk(outgoing, now);
            }
        }
    }

    fn wait_for_disk(&mut self, outgoing: Outgoing, now: Instant) {
        self.not_before = Some(now + REST);
        if outgoing.number.is_some() {
            self.ready.push_back(outgoing);
        } else {
            self.backlog.push_back(outgoing);
        }
    }

    fn loaded(&mut self, batches: Vec<Stored>, now: Instant) {
        if let Some(disk) = &mut self.disk {
            disk.is_loading = false;
        }
        if batches.is_empty() {
            self.rest(now);
        }
        for Stored { key, batch } in batches {
            let outgoing = Outgoing { number: None, key: Some(key), bytes: batch.memory_estimate(), batch, panics: 0 };
            self.count_batches(0, 1);
            self.account.spooled = self.account.spooled.saturating_sub(outgoing.records());
            self.account.pending += outgoing.records();
            self.memory += outgoing.bytes;
            if self.is_ending { self.put_on_disk(outgoing) } else { self.backlog.push_back(outgoing) }
        }
    }

    fn rest(&mut self, now: Instant) {
        if let Some(disk) = &mut self.disk {
            disk.not_before = Some(now + REST);
        }
    }

    fn count_batches(&mut self, more: u64, fewer: u64) {
        if let Some(disk) = &mut self.disk {
            disk.batches = (disk.batches + more).saturating_sub(fewer);
        }
    }

    fn tell(&self, command: impl FnOnce(usize) -> Command) {
        if let Some(disk) = &self.disk {
            // A spool whose thread is gone has said so when it went.
            disk.spooling.handle.send(command(disk.spooling.lane));
        }
    }
}
