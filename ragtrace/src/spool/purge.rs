//! Purging a user's records from a spool.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use ragtrace_core::TraceId;

use super::account;
use super::codec;
use super::database::{self, BatchMeta, Contents, SpoolError, SpoolFile};
use super::dead_letter::DeadLetters;
use super::group_commit::{MOVED_BYTES, Write, write_all};
use super::slot::Slot;
use super::undecided::read_undecided;
use crate::sink::Batch;

/// The counts of a purge, or of what a purge would remove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PurgedSpool {
    /// The number of removed records, counted for each sink that they waited for.
    pub records: u64,
    /// The number of removed finished requests.
    pub requests: u64,
    /// The number of slots in use by a running process, whose batches cannot be reached. They are
    /// delivered, or left when that process ends; purge again afterwards.
    pub slots_in_use: usize,
    /// The number of batches and dead letters that cannot be read, so their user is not known. They
    /// stay.
    pub unreadable: usize,
    /// The number of damaged files that were set aside (`slot-*/spool.redb.corrupt-*`), which may
    /// have records of any user. They stay until somebody removes them.
    pub files_set_aside: usize,
}

/// Removes a user's records from the spool in `folder`: every record of the user, and of each trace
/// with such a record in the spool, including traces that a sampler has not decided.
///
/// With `dry_run`, it only counts.
///
/// The files are rewritten, so that no bytes of removed records stay in them, nor of records that
/// were delivered before. A batch keeps its id, so a sink that stores the ids of its batches still
/// recognizes one that it already has. This function does not purge [`DeadLetters`].
///
/// # Errors
///
/// Returns an error if the folder exists but cannot be read or written.
pub fn purge(folder: impl AsRef<Path>, user_id: &str, dry_run: bool) -> io::Result<PurgedSpool> {
    let folder = folder.as_ref();
    let mut purged = PurgedSpool::default();
    if !folder.exists() {
        return Ok(purged);
    }
    let mut orphans = Slot::orphans(folder)?;
    purged.slots_in_use = Slot::with_a_file(folder)? - orphans.len();
    purged.unreadable = DeadLetters::new(folder).unreadable()?;
    let failed = |error: SpoolError| io::Error::other(error.to_string());
    let mut purge = Purge { user_id, traces: HashSet::new(), purged };
    let mut slots = Vec::new();
    for slot in &mut orphans {
        let (file, contents) = slot.open().map_err(failed)?;
        purge.find(&file, &contents).map_err(failed)?;
        slots.push((slot, file, contents));
    }
    for (slot, file, contents) in slots {
        if dry_run {
            purge.sift(&file, &contents, |_| Ok(())).map_err(failed)?;
            continue;
        }
        let mut kept = Kept::default();
        slot.rewrite(|new| {
            purge.sift(&file, &contents, |write| kept.push(new, write))?;
            drop(file);
            kept.flush(new)
        })
        .map_err(failed)?;
        if kept.is_empty {
            slot.clear()?;
            account::remove(slot.folder());
        } else {
            let (file, contents) = slot.open().map_err(failed)?;
            let undecided = file.undecided().map_err(failed)?.len() as u64;
            account::correct(slot.folder(), &contents, undecided);
        }
    }
    purge.purged.files_set_aside = Slot::files_set_aside(folder)?;
    Ok(purge.purged)
}

/// A purge in progress.
struct Purge<'a> {
    user_id: &'a str,
    /// The traces of the user.
    traces: HashSet<TraceId>,
    purged: PurgedSpool,
}

impl Purge<'_> {
    /// Finds the traces of the user in a file.
    fn find(&mut self, file: &SpoolFile, contents: &Contents) -> Result<(), SpoolError> {
        for sequence in contents.values().flat_map(|batches| batches.keys()) {
            if let Some(batch) = read(file, *sequence)? {
                self.traces.extend(traces_of(&batch, self.user_id));
            }
        }
        for trace_id in file.undecided()?.into_keys() {
            let records = read_undecided(file, trace_id)?;
            if records.iter().any(|record| record.user_id() == Some(self.user_id)) {
                self.traces.insert(trace_id);
            }
        }
        Ok(())
    }

    /// Counts what is removed from a file, and passes on what stays.
    fn sift(
        &mut self,
        file: &SpoolFile,
        contents: &Contents,
        mut keep: impl FnMut(Write) -> Result<(), SpoolError>,
    ) -> Result<(), SpoolError> {
        for (sink, batches) in contents {
            for (&sequence, &meta) in batches {
                if let Some((meta, bytes)) = self.rest_of(file, sequence, meta)? {
                    keep(Write::Insert { sink: sink.clone(), sequence, meta, bytes })?;
                }
            }
        }
        for trace_id in file.undecided()?.into_keys() {
            if self.traces.contains(&trace_id) {
                self.purged.records += read_undecided(file, trace_id)?.len() as u64;
                continue;
            }
            for (row, bytes) in file.undecided_of(trace_id)? {
                self.purged.unreadable += usize::from(codec::decode(&bytes).is_err());
                keep(Write::InsertUndecided { trace_id, row, bytes })?;
            }
        }
        Ok(())
    }

    /// Returns the rest of a batch, or nothing if all of it is removed.
    fn rest_of(
        &mut self,
        file: &SpoolFile,
        sequence: u64,
        meta: BatchMeta,
    ) -> Result<Option<(BatchMeta, Vec<u8>)>, SpoolError> {
        let Some(batch) = read(file, sequence)? else {
            self.purged.unreadable += 1;
            // The process that delivers the other batches will drop and report this one, even
            // without its bytes.
            let bytes = match file.bytes(sequence) {
                Err(SpoolError::Corrupt(_)) => Vec::new(),
                bytes => bytes?,
            };
            return Ok(Some((meta, bytes)));
        };
        let rest = without(&batch, self.user_id, &self.traces);
        let gone = batch.records().len() - rest.records().len();
        let gone_requests = batch.requests().len() - rest.requests().len();
        self.purged.records += gone as u64;
        self.purged.requests += gone_requests as u64;
        if gone + gone_requests == 0 {
            return Ok(Some((meta, file.bytes(sequence)?)));
        }
        let bytes = codec::encode(&rest);
        let meta = BatchMeta { records: rest.records().len() as u64, bytes: database::footprint(bytes.len()), ..meta };
        Ok((!rest.is_empty()).then_some((meta, bytes)))
    }
}

/// Writes what stays, a few megabytes in a transaction.
struct Kept {
    writes: Vec<Write>,
    bytes: u64,
    /// Set if nothing has been kept so far.
    is_empty: bool,
}

impl Default for Kept {
    fn default() -> Self {
        Self { writes: Vec::new(), bytes: 0, is_empty: true }
    }
}

impl Kept {
    fn push(&mut self, file: &SpoolFile, write: Write) -> Result<(), SpoolError> {
        if let Write::Insert { bytes, .. } | Write::InsertUndecided { bytes, .. } = &write {
            self.bytes += bytes.len() as u64;
        }
        self.is_empty = false;
        self.writes.push(write);
        if self.bytes > MOVED_BYTES { self.flush(file) } else { Ok(()) }
    }

    fn flush(&mut self, file: &SpoolFile) -> Result<(), SpoolError> {
        self.bytes = 0;
        write_all(file, &std::mem::take(&mut self.writes))
    }
}

/// Reads a batch. An unreadable one is dropped and reported by the process that delivers the
/// others.
fn read(file: &SpoolFile, sequence: u64) -> Result<Option<Batch>, SpoolError> {
    match file.read(sequence) {
        Err(SpoolError::Corrupt(_)) => Ok(None),
        batch => batch.map(Some),
    }
}

fn traces_of<'a>(batch: &'a Batch, user_id: &'a str) -> impl Iterator<Item = TraceId> + 'a {
    let records = batch.records().iter().filter(move |record| record.user_id() == Some(user_id));
    let requests = batch.requests().iter().filter(move |request| request.user_id() == Some(user_id));
    records.filter_map(crate::Record::trace_id).chain(requests.map(crate::metrics::RequestMetric::trace_id))
}

/// Returns the batch without the records of the user and of these traces.
fn without(batch: &Batch, user_id: &str, traces: &HashSet<TraceId>) -> Batch {
    let is_kept = |user: Option<&str>, trace: Option<TraceId>| {
        user != Some(user_id) && trace.is_none_or(|trace| !traces.contains(&trace))
    };
    let records = batch.records().iter().filter(|record| is_kept(record.user_id(), record.trace_id()));
    let requests = batch.requests().iter().filter(|request| is_kept(request.user_id(), Some(request.trace_id())));
    let rest = Batch::new(batch.id(), records.cloned().collect::<Vec<_>>())
        .with_metrics(requests.cloned().collect(), batch.minutes().to_vec());
    match batch.origin().zip(batch.closed_at()) {
        Some((origin, closed_at)) => rest.with_origin(origin.clone(), closed_at),
        None => rest,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::Record;

    /// A text that occurs only in alice's records.
    const MARKER: &str = "marker-of-alice";

    fn record(trace_id: TraceId, user_id: &str, message: &str) -> Record {
        let json = format!(
            r#"{{"id":"{}","timestamp":"2026-11-22T08:20:11.000000Z","level":"INFO","logger":"t","event":"log",
                "stage":"parse","trace_id":"{trace_id}","user_id":"{user_id}","message":"{message}","instance":"{}"}}"#,
            TraceId::new(),
            TraceId::new(),
        );
        Record::from_json(&json).expect("it is whole")
    }

    fn batch_of(user_id: &str, message: &str) -> Batch {
        Batch::new(TraceId::new().as_uuid(), vec![record(TraceId::new(), user_id, message)])
    }

    fn insert(file: &SpoolFile, sequence: u64, batch: &Batch) {
        insert_bytes(file, sequence, batch.id(), &codec::encode(batch));
    }

    fn insert_bytes(file: &SpoolFile, sequence: u64, id: uuid::Uuid, bytes: &[u8]) {
        let meta = BatchMeta { id, records: 1, bytes: database::footprint(bytes.len()), stored_at: 0 };
        file.write(|transaction| transaction.insert("sink", sequence, &meta, bytes)).expect("it is written");
    }

    /// Returns the number of markers in the bytes of all files.
    fn occurrences(folder: &Path) -> usize {
        let mut found = 0;
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                found += occurrences(&path);
            } else {
                let bytes = fs::read(path).expect("a file");
                found += bytes.windows(MARKER.len()).filter(|window| *window == MARKER.as_bytes()).count();
            }
        }
        found
    }

    fn purge_alice(folder: &Path) -> PurgedSpool {
        let counted = purge(folder, "alice", true).expect("the folder is ours");
        let purged = purge(folder, "alice", false).expect("the folder is ours");
        assert_eq!(counted, purged, "a dry run counts the same");
        purged
    }

    #[test]
    fn what_a_sampler_has_not_decided_of_a_person_goes_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let (of_alice, of_bob) = (TraceId::new(), TraceId::new());
        let mut slot = Slot::claim(folder.path()).expect("nobody has it");
        let (file, _) = slot.open().expect("a new file");
        for (row, trace_id, user_id, text) in
            [(1, of_alice, "alice", MARKER), (2, of_alice, "alice", MARKER), (3, of_bob, "bob", "x")]
        {
            let batch = Batch::new(TraceId::new().as_uuid(), vec![record(trace_id, user_id, text)]);
            file.write(|transaction| transaction.insert_undecided(trace_id, row, &codec::encode(&batch)))
                .expect("it is written");
        }
        drop((file, slot));
        assert!(occurrences(folder.path()) >= 2);
        assert_eq!(purge_alice(folder.path()).records, 2);
        assert_eq!(occurrences(folder.path()), 0);
        let (file, _) = Slot::claim(folder.path()).expect("nobody has it").open().expect("it is whole");
        assert_eq!(file.undecided().expect("it is whole").into_keys().collect::<Vec<_>>(), [of_bob]);
    }

    #[test]
    fn no_byte_of_a_person_stays_in_any_file_and_what_is_of_others_stays_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut of_bob = Vec::new();
        let mut slots = Vec::new();
        for _ in 0..3 {
            let mut slot = Slot::claim(folder.path()).expect("nobody has it");
            let (file, _) = slot.open().expect("a new file");
            for number in 1..60 {
                // Some fill a page by themselves, and some take several pieces.
                let text = format!("{MARKER}-{number}-").repeat(if number == 30 { 20_000 } else { 1 + number * 5 });
                insert(&file, number as u64, &batch_of("alice", &text));
                let batch = batch_of("bob", &"x".repeat(number * 100));
                insert(&file, 100 + number as u64, &batch);
                of_bob.push((batch.id(), batch.records().len()));
            }
            // Some were delivered, so their bytes are in free pages.
            for sequence in 1..30 {
                file.write(|transaction| transaction.remove("sink", sequence)).expect("it is removed");
            }
            slots.push((slot, file));
        }
        drop(slots);
        // An interrupted purge left this file.
        fs::write(folder.path().join("slot-1/spool.redb.new"), MARKER).expect("written");
        assert!(occurrences(folder.path()) > 20_000);
        let purged = purge_alice(folder.path());
        assert_eq!((purged.records, purged.unreadable, purged.files_set_aside), (3 * 30, 0, 0));
        assert_eq!(occurrences(folder.path()), 0);
        let mut stays = Vec::new();
        for mut slot in Slot::orphans(folder.path()).expect("the folder is ours") {
            let (file, contents) = slot.open().expect("it is whole");
            for sequence in contents["sink"].keys() {
                let batch = file.read(*sequence).expect("it is whole");
                stays.push((batch.id(), batch.records().len()));
            }
        }
        assert!(stays.len() == of_bob.len() && of_bob.iter().all(|batch| stays.contains(batch)));
    }

    #[test]
    fn a_file_whose_batches_are_all_delivered_or_purged_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        for is_delivered in [true, false] {
            let mut slot = Slot::claim(folder.path()).expect("nobody has it");
            let (file, _) = slot.open().expect("a new file");
            for sequence in 1..60 {
                insert(&file, sequence, &batch_of("alice", MARKER));
            }
            for sequence in (1..60).filter(|_| is_delivered) {
                file.write(|transaction| transaction.remove("sink", sequence)).expect("it is removed");
            }
            drop((file, slot));
            // The database decides whether the file still contains delivered records.
            assert!(is_delivered || occurrences(folder.path()) > 0);
            assert_eq!(purge_alice(folder.path()).records, if is_delivered { 0 } else { 59 });
            assert_eq!((occurrences(folder.path()), Slot::with_a_file(folder.path()).expect("a folder")), (0, 0));
        }
    }

    #[test]
    fn what_nobody_can_read_stays_and_is_told_of() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut slot = Slot::claim(folder.path()).expect("nobody has it");
        let (file, _) = slot.open().expect("a new file");
        insert_bytes(&file, 1, uuid::Uuid::new_v4(), b"no batch");
        insert(&file, 2, &batch_of("bob", "x"));
        drop((file, slot));
        fs::write(folder.path().join("dead-letters.jsonl"), "no letter\n").expect("written");
        fs::create_dir(folder.path().join("slot-7")).expect("made");
        fs::write(folder.path().join("slot-7/spool.redb.corrupt-1"), MARKER).expect("written");
        let purged = purge_alice(folder.path());
        assert_eq!((purged.records, purged.unreadable, purged.files_set_aside), (0, 2, 1));
        let (file, contents) = Slot::claim(folder.path()).expect("nobody has it").open().expect("it is whole");
        assert_eq!(contents["sink"].keys().collect::<Vec<_>>(), [&1, &2]);
        assert_eq!(file.bytes(1).expect("it is there"), b"no batch");
        assert_eq!(occurrences(folder.path()), 1);
    }

    #[test]
    fn what_a_process_that_runs_has_is_left_to_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut slot = Slot::claim(folder.path()).expect("nobody has it");
        let (file, _) = slot.open().expect("a new file");
        insert(&file, 1, &batch_of("alice", MARKER));
        let purged = purge_alice(folder.path());
        assert_eq!((purged.records, purged.slots_in_use), (0, 1));
        assert!(file.read(1).is_ok() && slot.is_in_place());
    }

    #[test]
    fn letters_that_a_rewriting_left_halfway_go_with_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let letters = DeadLetters::new(folder.path());
        let of =
            |user: &str, text: &str| super::super::DeadLetter::new("sink", "bad", record(TraceId::new(), user, text));
        letters.append(&[of("alice", MARKER), of("bob", "x")], 1 << 20).expect("written");
        fs::write(folder.path().join("dead-letters.jsonl.new"), MARKER).expect("written");
        assert_eq!(occurrences(folder.path()), 2);
        let gone = letters.retain(|letter| letter.record().user_id() != Some("alice")).expect("rewritten");
        assert_eq!((gone, occurrences(folder.path())), (1, 0));
        assert_eq!(letters.read().expect("readable").len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_written_anew_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let mut slot = Slot::claim(folder.path()).expect("nobody has it");
        let (file, _) = slot.open().expect("a new file");
        insert(&file, 1, &batch_of("bob", "x"));
        drop((file, slot));
        let path = folder.path().join("slot-0/spool.redb");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("set");
        purge_alice(folder.path());
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }
}
