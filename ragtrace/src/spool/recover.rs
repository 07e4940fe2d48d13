//! What the spool's thread finds when it opens the file: at its start what earlier processes left, and after a failure what
//! became of its own.

use std::collections::HashSet;

use super::Event;
use super::database::{Contents, Fault, File, Meta};
use super::index::Index;
use super::slot::Slot;
use super::store::Store;
use crate::warning;

/// What is moved from another slot in one transaction.
pub(super) const MOVED_BYTES: u64 = 8 << 20;

impl Store {
    pub(super) fn open(&mut self) -> Result<(), Fault> {
        let disk = |error: std::io::Error| Fault::Disk(error.to_string());
        std::fs::create_dir_all(&self.folder).map_err(disk)?;
        if self.slot.is_none() {
            self.slot = Some(Slot::claim(&self.folder).map_err(disk)?);
        }
        let Some(slot) = &self.slot else { return Ok(()) };
        let (file, contents) = slot.open()?;
        if self.is_recovered {
            self.reconcile(&file, &contents)?;
        } else {
            self.index = Index::of(contents);
            for orphan in Slot::orphans(&self.folder).map_err(disk)? {
                if let Err(fault) = self.adopt(&file, &orphan) {
                    // One that cannot be read is no reason to keep nothing; what was moved so far is in the file.
                    warning::line(&format!("what {orphan} holds is left there, since it cannot be moved: {fault}"));
                    self.index = Index::of(file.contents()?);
                }
            }
            self.decide_left(&file)?;
            self.is_recovered = true;
            self.tell_recovered();
        }
        self.file = Some(file);
        Ok(())
    }

    /// Takes over what a process that is gone left in its slot. Doing it twice, after a crash in between, adds nothing.
    fn adopt(&mut self, file: &File, orphan: &Slot) -> Result<(), Fault> {
        let (theirs, contents) = orphan.open()?;
        let mut moved = Vec::new();
        let mut bytes = 0;
        let flush = |moved: &mut Vec<(String, u64, Meta, Vec<u8>)>| {
            let written = file.write(|writer| {
                moved.iter().try_for_each(|(sink, sequence, meta, bytes)| writer.insert(sink, *sequence, meta, bytes))
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
        Self::adopt_undecided(file, &theirs)?;
        drop(theirs);
        orphan.clear().map_err(|error| Fault::Disk(error.to_string()))
    }

    /// After a failure: what the file holds and the index does not was given up or answered as failed, so it goes. What
    /// only the index has is lost.
    fn reconcile(&mut self, file: &File, contents: &Contents) -> Result<(), Fault> {
        let held: Vec<(String, u64)> =
            contents.iter().flat_map(|(sink, batches)| batches.keys().map(|n| (sink.clone(), *n))).collect();
        let unwanted: Vec<_> = held.iter().filter(|(sink, n)| self.index.is_free(sink, *n).is_none()).collect();
        file.write(|writer| unwanted.iter().try_for_each(|(sink, sequence)| writer.remove(sink, *sequence)))?;
        self.reconcile_undecided(file)?;
        let held: HashSet<_> = held.into_iter().collect();
        let entries = self.index.entries().map(|(sink, sequence)| (sink.to_owned(), sequence));
        let lost: Vec<_> = entries.filter(|entry| !held.contains(entry)).collect();
        for (sink, sequence) in lost {
            let was_free = self.index.is_free(&sink, sequence) == Some(true);
            let meta = self.index.remove(&sink, sequence);
            if let (true, Some(meta), Some(lane)) = (was_free, meta, self.lane_of(&sink)) {
                let why = "the spool file was damaged".to_owned();
                self.say(Event::Dropped { lane, batches: 1, records: meta.records, why });
            }
        }
        Ok(())
    }

    fn tell_recovered(&mut self) {
        for (sink, batches, records) in self.index.totals() {
            match self.lane_of(sink) {
                Some(lane) if batches > 0 => self.say(Event::Recovered { lane, batches, records }),
                None if batches > 0 => {
                    let folder = self.folder.display();
                    warning::line(&format!(
                        "the spool in {folder} holds {records} records for sink {sink}, which is not set up"
                    ));
                }
                _ => {}
            }
        }
    }
}
