//! What the spool's thread does: commands in groups, a transaction a group, limits, and what to do when the disk fails.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ragtrace_core::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use super::database::{self, Fault, File, Meta};
use super::index::Index;
use super::slot::Slot;
use super::undecided::Undecided;
use super::{Command, DeadLetters, Event, Key, SpoolLimits, SpoolPlan, Stored, WhenFull, codec};
use crate::TraceId;
use crate::sample::Sampler;
use crate::sink::{Batch, BatchLimits};
use crate::warning::{self, Limited};

/// How long a disk that failed is left alone.
const REST: Duration = Duration::from_secs(5);
/// A file that is larger while it holds nothing is begun anew.
const EMPTY_BYTES: u64 = 16 << 20;

/// The slot of this process, and what is in it.
pub(super) struct Store {
    pub(super) folder: PathBuf,
    pub(super) bounds: SpoolLimits,
    pub(super) lanes: Vec<Option<String>>,
    pub(super) limits: Vec<BatchLimits>,
    pub(super) sampler: Sampler,
    events: UnboundedSender<Event>,
    letters: DeadLetters,
    pub(super) slot: Option<Slot>,
    pub(super) file: Option<File>,
    pub(super) index: Index,
    pub(super) undecided: Undecided,
    pub(super) is_recovered: bool,
    /// Why the disk failed last, and until when it is left alone.
    trouble: Option<(String, Instant)>,
    failing: Limited,
    full: Limited,
}

/// What one group does to the file, and what to say once it is done.
#[derive(Default)]
pub(super) struct Group {
    pub(super) work: Vec<Work>,
    pub(super) bytes: u64,
    said: Vec<Event>,
    /// Stores and splits, answered with a key or with why they failed, and what is held.
    pub(super) asked: Vec<Asked>,
}

pub(super) enum Work {
    Insert { sink: String, sequence: u64, meta: Meta, bytes: Vec<u8> },
    Remove { sink: String, sequence: u64 },
    Hold { trace_id: TraceId, row: u128, bytes: Vec<u8> },
    LetGo { trace_id: TraceId },
}

pub(super) enum Asked {
    Hold { ticket: u64 },
    Store { lane: usize, ticket: u64, sequence: u64, held: bool },
    Split { lane: usize, ticket: u64, sequences: [u64; 2], parent: u64, parent_meta: Option<Meta> },
}

impl Store {
    pub(super) fn new(plan: SpoolPlan) -> Self {
        let SpoolPlan { folder, bounds, lanes, limits, sampler, events } = plan;
        Self {
            letters: DeadLetters::new(folder.clone()),
            folder,
            bounds,
            lanes,
            limits,
            sampler,
            events,
            slot: None,
            file: None,
            index: Index::default(),
            undecided: Undecided::default(),
            is_recovered: false,
            trouble: None,
            failing: Limited::default(),
            full: Limited::default(),
        }
    }

    /// Opens the file and says what earlier processes left. A failure is said on stderr, and tried again later.
    pub(super) fn recover(&mut self) {
        let _ = self.ensure_open();
        self.say(Event::Opened);
    }

    /// Does what the commands say, in their order.
    pub(super) fn obey(&mut self, commands: Vec<Command>) {
        let mut group = Group::default();
        for command in commands {
            match command {
                Command::Store { lane, ticket, batch, held } => self.store(&mut group, (lane, ticket), &batch, held),
                Command::Split { lane, ticket, parent, halves } => {
                    self.split(&mut group, (lane, ticket), parent, &halves);
                }
                Command::Remove { lane, key } => self.remove(&mut group, lane, key),
                Command::Release { lane, key } => {
                    if let Some(sink) = self.lanes.get(lane).cloned().flatten() {
                        self.index.set_free(&sink, key.0, true);
                    }
                }
                Command::Load { lane, bytes } => {
                    self.finish(&mut group);
                    self.load(lane, bytes);
                }
                Command::Bury { lane, letters } => {
                    // What is taken away after it must not go before it is written down.
                    self.finish(&mut group);
                    let records = letters.len() as u64;
                    let buried = self.letters.append(&letters, self.bounds.dead_letter_bytes);
                    if let Err(error) = buried {
                        self.say(Event::Unburied { lane, records, why: error.to_string() });
                    }
                }
                Command::Hold { ticket, traces } => self.hold(&mut group, ticket, traces),
                Command::Decide { traces, batches } => {
                    for (lane, ticket, batch) in batches {
                        self.store(&mut group, (lane, ticket), &batch, true);
                    }
                    self.decide(&mut group, traces);
                }
                Command::Close { .. } => {}
            }
            // What is written and taken away in one transaction lies in the file beside each other.
            if group.bytes > self.bounds.group() {
                self.finish(&mut group);
            }
        }
        self.finish(&mut group);
    }

    /// What is due without a command: ages, a disk that rested, a file that is large and empty.
    pub(super) fn tick(&mut self) {
        if self.file.is_none() && self.ensure_open().is_err() {
            return;
        }
        self.drop_old();
        let is_large = self.slot.as_ref().is_some_and(|slot| slot.bytes() > EMPTY_BYTES);
        if is_large && self.is_empty() {
            self.file = None;
            if let Some(slot) = &self.slot {
                let _ = slot.clear();
            }
        }
    }

    /// Closes the file. One that holds nothing goes.
    pub(super) fn close(mut self) {
        let is_open = self.file.take().is_some();
        if let (true, true, Some(slot)) = (is_open, self.is_empty(), &self.slot) {
            let _ = slot.clear();
        }
    }

    fn is_empty(&self) -> bool {
        self.index.is_empty() && self.undecided.is_empty()
    }

    fn store(&mut self, group: &mut Group, (lane, ticket): (usize, u64), batch: &Batch, held: bool) {
        let sink = match self.usable(lane) {
            Ok(sink) => sink,
            Err(why) => return self.say(Event::Stored { lane, ticket, key: Err(why) }),
        };
        let bytes = codec::encode(batch);
        if let Err(why) = self.make_room(group, lane, &sink, database::footprint(bytes.len())) {
            let folder = self.folder.display();
            self.full.tell(1, |_| {
                format!("the spool in {folder} has no room for sink {sink}, whose records stay in memory: {why}")
            });
            return self.say(Event::Stored { lane, ticket, key: Err(why) });
        }
        let sequence = self.insert(group, &sink, batch, bytes);
        group.asked.push(Asked::Store { lane, ticket, sequence, held });
    }

    fn split(&mut self, group: &mut Group, (lane, ticket): (usize, u64), parent: Key, halves: &[Batch; 2]) {
        let sink = match self.usable(lane) {
            Ok(sink) => sink,
            Err(why) => return self.say(Event::Split { lane, ticket, keys: Err(why) }),
        };
        let parent_meta = self.index.remove(&sink, parent.0);
        group.work.push(Work::Remove { sink: sink.clone(), sequence: parent.0 });
        let sequences = [0, 1].map(|half| {
            let bytes = codec::encode(&halves[half]);
            self.insert(group, &sink, &halves[half], bytes)
        });
        group.asked.push(Asked::Split { lane, ticket, sequences, parent: parent.0, parent_meta });
    }

    fn remove(&mut self, group: &mut Group, lane: usize, key: Key) {
        if let Some(sink) = self.lanes.get(lane).cloned().flatten() {
            // If the disk fails now, the batch is found without an entry when the file is opened again, and goes then.
            self.index.remove(&sink, key.0);
            group.work.push(Work::Remove { sink, sequence: key.0 });
        }
    }

    pub(super) fn insert(&mut self, group: &mut Group, sink: &str, batch: &Batch, bytes: Vec<u8>) -> u64 {
        let sequence = self.index.next();
        let stored_at = Timestamp::now().as_micros();
        let (records, length) = (batch.records().len() as u64, database::footprint(bytes.len()));
        let meta = Meta { id: batch.id(), records, bytes: length, stored_at };
        // It is free for loading and dropping once it is on disk.
        self.index.insert(sink, sequence, meta, false);
        group.bytes += length;
        group.work.push(Work::Insert { sink: sink.to_owned(), sequence, meta, bytes });
        sequence
    }

    /// Has what was there longest go until `bytes` more fit, if that is what was set.
    fn make_room(&mut self, group: &mut Group, lane: usize, sink: &str, bytes: u64) -> Result<(), String> {
        let budget = self.bounds.budget();
        if bytes > budget {
            return Err(format!("a batch of {bytes} bytes does not fit a spool of {}", self.bounds.bytes));
        }
        while self.index.bytes(sink) + bytes > budget {
            let oldest =
                (self.bounds.when_full == WhenFull::DropOldest).then(|| self.index.oldest_free(sink)).flatten();
            let Some((sequence, _)) = oldest else {
                return Err(format!(
                    "the spool is full: it holds {} of {} bytes",
                    self.index.bytes(sink),
                    self.bounds.bytes
                ));
            };
            self.drop_batch(group, lane, sink, sequence, "the spool is full, and the oldest go");
        }
        Ok(())
    }

    fn drop_batch(&mut self, group: &mut Group, lane: usize, sink: &str, sequence: u64, why: &str) {
        if let Some(meta) = self.index.remove(sink, sequence) {
            group.work.push(Work::Remove { sink: sink.to_owned(), sequence });
            group.said.push(Event::Dropped { lane, batches: 1, records: meta.records, why: why.to_owned() });
        }
    }

    /// Writes a group and answers it.
    fn finish(&mut self, group: &mut Group) {
        let Group { work, said, asked, .. } = std::mem::take(group);
        if work.is_empty() {
            return;
        }
        let written = self.ensure_open().and_then(|()| self.write(&work));
        for asked in asked {
            let answer = self.answer(asked, written.as_ref().err());
            self.say(answer);
        }
        // What was dropped is gone from the index, so it goes from the disk at the latest when that works again.
        for event in said {
            self.say(event);
        }
    }

    fn answer(&mut self, asked: Asked, failed: Option<&String>) -> Event {
        let sink_of = |lane: usize| self.lanes.get(lane).cloned().flatten().unwrap_or_default();
        match (asked, failed) {
            (Asked::Hold { ticket }, failed) => {
                Event::Holding { ticket, written: failed.map_or(Ok(()), |why| Err(why.clone())) }
            }
            (Asked::Store { lane, ticket, sequence, held }, None) => {
                self.index.set_free(&sink_of(lane), sequence, !held);
                Event::Stored { lane, ticket, key: Ok(Key(sequence)) }
            }
            (Asked::Store { lane, ticket, sequence, .. }, Some(why)) => {
                self.index.remove(&sink_of(lane), sequence);
                Event::Stored { lane, ticket, key: Err(why.clone()) }
            }
            (Asked::Split { lane, ticket, sequences, .. }, None) => {
                Event::Split { lane, ticket, keys: Ok(sequences.map(Key)) }
            }
            (Asked::Split { lane, ticket, sequences, parent, parent_meta }, Some(why)) => {
                let sink = sink_of(lane);
                for sequence in sequences {
                    self.index.remove(&sink, sequence);
                }
                if let Some(meta) = parent_meta {
                    self.index.insert(&sink, parent, meta, false);
                }
                Event::Split { lane, ticket, keys: Err(why.clone()) }
            }
        }
    }

    fn write(&mut self, work: &[Work]) -> Result<(), String> {
        let Some(file) = &self.file else { return Err("the spool is not open".to_owned()) };
        Self::write_to(file, work).map_err(|fault| self.fail(&fault))
    }

    pub(super) fn write_to(file: &File, work: &[Work]) -> Result<(), Fault> {
        file.write(|writer| {
            work.iter().try_for_each(|work| match work {
                Work::Insert { sink, sequence, meta, bytes } => writer.insert(sink, *sequence, meta, bytes),
                Work::Remove { sink, sequence } => writer.remove(sink, *sequence),
                Work::Hold { trace_id, row, bytes } => writer.hold(*trace_id, *row, bytes),
                Work::LetGo { trace_id } => writer.let_go(*trace_id),
            })
        })
    }

    fn load(&mut self, lane: usize, most: u64) {
        let mut batches = Vec::new();
        let mut bytes = 0;
        let Ok(sink) = self.usable(lane) else { return self.say(Event::Loaded { lane, batches }) };
        while bytes < most {
            let (Some((sequence, meta)), Some(file)) = (self.index.next_to_load(&sink), &self.file) else { break };
            match file.read(sequence) {
                Ok(batch) => {
                    self.index.set_free(&sink, sequence, false);
                    bytes += meta.bytes;
                    batches.push(Stored { key: Key(sequence), batch });
                }
                Err(Fault::Corrupt(why)) => {
                    let mut group = Group::default();
                    self.drop_batch(
                        &mut group,
                        lane,
                        &sink,
                        sequence,
                        &format!("a stored batch cannot be read: {why}"),
                    );
                    self.finish(&mut group);
                }
                Err(fault) => {
                    self.fail(&fault);
                    break;
                }
            }
        }
        self.say(Event::Loaded { lane, batches });
    }

    /// The name under which a lane's batches are kept, once the file is open.
    fn usable(&mut self, lane: usize) -> Result<String, String> {
        self.ensure_open()?;
        self.lanes.get(lane).cloned().flatten().ok_or_else(|| "this sink has no spool".to_owned())
    }

    pub(super) fn ensure_open(&mut self) -> Result<(), String> {
        if self.file.is_some() {
            return Ok(());
        }
        if let Some((why, until)) = &self.trouble
            && Instant::now() < *until
        {
            return Err(why.clone());
        }
        let opened = self.open().map_err(|fault| self.fail(&fault));
        if opened.is_ok() && self.trouble.take().is_some() {
            warning::line(&format!("the spool in {} works again", self.folder.display()));
        }
        opened
    }

    fn drop_old(&mut self) {
        let age = i64::try_from(self.bounds.age.as_micros()).unwrap_or(i64::MAX);
        let limit = Timestamp::now().as_micros().saturating_sub(age);
        let mut group = Group::default();
        for (sink, sequence) in self.index.stored_before(limit) {
            if let Some(lane) = self.lane_of(&sink) {
                self.drop_batch(&mut group, lane, &sink, sequence, "they were in the spool for too long");
            } else {
                self.index.remove(&sink, sequence);
                group.work.push(Work::Remove { sink, sequence });
            }
        }
        self.finish(&mut group);
    }

    /// Lets go of a file that failed.
    fn fail(&mut self, fault: &Fault) -> String {
        self.file = None;
        let why = match fault {
            Fault::Corrupt(why) => {
                if let Some(slot) = &self.slot {
                    let _ = slot.set_aside(why);
                }
                fault.to_string()
            }
            Fault::Disk(why) => why.clone(),
        };
        let folder = self.folder.display();
        self.failing.tell(1, |_| format!("the spool in {folder} cannot be used, and records stay in memory: {why}"));
        self.trouble = Some((why.clone(), Instant::now() + REST));
        why
    }

    pub(super) fn lane_of(&self, sink: &str) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.as_deref() == Some(sink))
    }

    pub(super) fn say(&self, event: Event) {
        // A worker that is gone has nobody to tell.
        let _ = self.events.send(event);
    }
}
