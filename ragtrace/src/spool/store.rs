//! The state of the spool's thread: the slot of this process, and its contents.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ragtrace_core::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use super::account::{self, AccountKeeper};
use super::codec;
use super::database::{self, BatchMeta, SpoolError, SpoolFile};
use super::dead_letter::DeadLetters;
use super::group_commit::{GroupCommit, Write};
use super::index::BatchIndex;
use super::limits::SpoolLimits;
use super::protocol::{SpoolConfig, SpoolEvent};
use super::slot::Slot;
use super::undecided::UndecidedIndex;
use crate::record::RecordFilter;
use crate::sample::Sampler;
use crate::sink::{Batch, BatchLimits};
use crate::warning::RateLimitedWarning;

/// The reason for dropping records that should be on disk but are not.
pub(super) const LOST: &str = "the spool file was damaged or removed";
/// The pause after the disk has failed.
const DISK_PAUSE: Duration = Duration::from_secs(5);

/// The slot of this process, and its contents.
pub(super) struct SpoolStore {
    pub(super) folder: PathBuf,
    pub(super) limits: SpoolLimits,
    /// The names under which batches are stored, by the index of the sink.
    pub(super) sinks: Vec<Option<String>>,
    pub(super) batch_limits: Vec<BatchLimits>,
    pub(super) filters: Vec<RecordFilter>,
    pub(super) sampler: Sampler,
    events: UnboundedSender<SpoolEvent>,
    pub(super) letters: DeadLetters,
    pub(super) slot: Option<Slot>,
    /// `None` while the disk does not work, and before the first write.
    pub(super) file: Option<SpoolFile>,
    pub(super) index: BatchIndex,
    pub(super) undecided: UndecidedIndex,
    pub(super) is_recovered: bool,
    /// The reason of the disk's last failure, and the end of the pause after it.
    pub(super) failed: Option<(String, Instant)>,
    failing: RateLimitedWarning,
    lost: RateLimitedWarning,
    pub(super) full: RateLimitedWarning,
    pub(super) account: AccountKeeper,
    /// The times of the oldest batches that the deliveries were told, by the index of the sink.
    pub(super) oldest: Vec<Option<i64>>,
}

impl SpoolStore {
    pub(super) fn new(config: SpoolConfig) -> Self {
        let SpoolConfig { folder, limits, sinks, batch_limits, filters, sampler, events } = config;
        // The path is made absolute, because the process may change its working directory later.
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        Self {
            letters: DeadLetters::new(folder.clone()),
            folder,
            limits,
            sinks,
            batch_limits,
            filters,
            sampler,
            events,
            slot: None,
            file: None,
            index: BatchIndex::default(),
            undecided: UndecidedIndex::default(),
            is_recovered: false,
            failed: None,
            failing: RateLimitedWarning::default(),
            lost: RateLimitedWarning::default(),
            full: RateLimitedWarning::default(),
            account: AccountKeeper::default(),
            oldest: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.index.is_empty() && self.undecided.is_empty()
    }

    /// Returns the name under which a sink's batches are stored.
    pub(super) fn name_of(&self, sink_index: usize) -> Option<String> {
        self.sinks.get(sink_index).cloned().flatten()
    }

    /// Returns the index of the sink whose batches are stored under this name.
    pub(super) fn index_of(&self, sink: &str) -> Option<usize> {
        self.sinks.iter().position(|name| name.as_deref() == Some(sink))
    }

    pub(super) fn send(&self, event: SpoolEvent) {
        // If the worker has ended, nobody receives events.
        let _ = self.events.send(event);
    }

    /// Tells the deliveries since when their oldest batches have been stored, if that has changed.
    pub(super) fn report_oldest(&mut self) {
        self.oldest.resize(self.sinks.len(), None);
        for (sink_index, sink) in self.sinks.iter().enumerate() {
            let oldest = sink.as_ref().and_then(|sink| self.index.oldest(sink));
            if self.oldest[sink_index] != oldest {
                self.oldest[sink_index] = oldest;
                let stored_at = oldest.map(Timestamp::from_micros);
                let _ = self.events.send(SpoolEvent::Oldest { sink_index, stored_at });
            }
        }
    }

    /// Adds a batch to a group and to the index, and returns its sequence number.
    pub(super) fn insert(&mut self, group: &mut GroupCommit, sink: &str, batch: &Batch) -> u64 {
        self.insert_encoded(group, sink, batch, codec::encode(batch))
    }

    /// Adds a batch as [`SpoolStore::insert`] does, with its encoded bytes.
    pub(super) fn insert_encoded(&mut self, group: &mut GroupCommit, sink: &str, batch: &Batch, bytes: Vec<u8>) -> u64 {
        let sequence = self.index.next();
        let stored_at = Timestamp::now().as_micros();
        let (records, length) = (batch.records().len() as u64, database::footprint(bytes.len()));
        let meta = BatchMeta { id: batch.id(), records, bytes: length, stored_at };
        // The batch may be loaded or dropped only once it is on disk.
        self.index.insert(sink, sequence, meta, false);
        group.bytes += length;
        group.writes.push(Write::Insert { sink: sink.to_owned(), sequence, meta, bytes });
        sequence
    }

    /// Returns an error if the open file is no longer at its path: it was removed or replaced, and
    /// data written to it is lost with the process.
    pub(super) fn check_place(&self) -> Result<(), SpoolError> {
        match &self.slot {
            Some(slot) if self.file.is_some() && !slot.is_in_place() => {
                Err(SpoolError::Disk("its file was removed or replaced".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Closes a file that is no longer at its path, so that the next access opens another one.
    pub(super) fn leave_lost_file(&mut self) {
        if self.check_place().is_err() {
            self.file = None;
            let folder = self.folder.display();
            self.lost.warn(1, |_| {
                format!(
                    "the spool file in {folder} was removed or replaced: its batches are lost, and a new one is created"
                )
            });
        }
    }

    /// Closes a file after an error, and returns the reason.
    pub(super) fn fail(&mut self, error: &SpoolError) -> String {
        self.file = None;
        let why = match error {
            SpoolError::Corrupt(why) => {
                if let Some(slot) = &self.slot {
                    let _ = slot.set_aside(why);
                }
                error.to_string()
            }
            SpoolError::Disk(why) => why.clone(),
        };
        let folder = self.folder.display();
        self.failing.warn(1, |_| format!("the spool in {folder} cannot be used, and records stay in memory: {why}"));
        self.failed = Some((why.clone(), Instant::now() + DISK_PAUSE));
        why
    }

    /// Closes the file, and removes it if it is empty.
    pub(super) fn close(mut self) {
        self.leave_lost_file();
        if self.file.is_none() && self.slot.as_ref().is_some_and(|slot| !slot.has_file()) {
            return self.lose_all();
        }
        let is_open = self.file.take().is_some();
        match &self.slot {
            Some(slot) if is_open && self.is_empty() => {
                let _ = slot.clear();
                account::remove(slot.folder());
            }
            _ => self.write_account(),
        }
    }
}
