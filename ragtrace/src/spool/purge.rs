//! Purging a person from what waits on disk.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use ragtrace_core::TraceId;

use super::codec;
use super::database::{self, BatchMeta, Contents, SpoolError, SpoolFile};
use super::slot::Slot;
use super::undecided::read_undecided;
use crate::sink::Batch;

/// Counts of what was purged from a spool, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PurgedSpool {
    /// Records that waited for a sink, counted for each.
    pub records: u64,
    /// Finished requests that waited beside them.
    pub requests: u64,
    /// Slots that a running process holds: what waits there cannot be reached. It is delivered, or
    /// left when that process ends; purge again then.
    pub slots_in_use: usize,
}

/// Purges from the spool in `folder` what is of a user: every record of theirs, and of each trace
/// with one of those in the spool, also where a sampler has not decided yet. With `dry_run` it only
/// counts.
///
/// A batch keeps its id, so that one that had arrived already is still known. Dead letters are in
/// [`DeadLetters`](super::DeadLetters).
///
/// # Errors
///
/// If the folder is there and cannot be read or written.
pub fn purge(folder: impl AsRef<Path>, user_id: &str, dry_run: bool) -> io::Result<PurgedSpool> {
    let folder = folder.as_ref();
    let mut purged = PurgedSpool::default();
    if !folder.exists() {
        return Ok(purged);
    }
    let mut orphans = Slot::orphans(folder)?;
    purged.slots_in_use = Slot::with_a_file(folder)? - orphans.len();
    let failed = |error: SpoolError| io::Error::other(error.to_string());
    let mut slots = Vec::new();
    let mut traces = HashSet::new();
    for slot in &mut orphans {
        let (file, contents) = slot.open().map_err(failed)?;
        for_each_batch(&file, &contents, |_, _, batch| {
            traces.extend(traces_of(&batch, user_id));
            Ok(())
        })
        .map_err(failed)?;
        for trace_id in file.undecided().map_err(failed)?.into_keys() {
            if read_undecided(&file, trace_id).map_err(failed)?.iter().any(|record| record.user_id() == Some(user_id)) {
                traces.insert(trace_id);
            }
        }
        slots.push((file, contents));
    }
    for (file, contents) in &slots {
        for_each_batch(file, contents, |sink, (sequence, meta), batch| {
            let rest = without(&batch, user_id, &traces);
            let gone = batch.records().len() - rest.records().len();
            let gone_requests = batch.requests().len() - rest.requests().len();
            purged.records += gone as u64;
            purged.requests += gone_requests as u64;
            if dry_run || gone + gone_requests == 0 {
                return Ok(());
            }
            let bytes = codec::encode(&rest);
            let meta =
                BatchMeta { records: rest.records().len() as u64, bytes: database::footprint(bytes.len()), ..*meta };
            file.write(|transaction| {
                transaction.remove(sink, sequence)?;
                if rest.is_empty() { Ok(()) } else { transaction.insert(sink, sequence, &meta, &bytes) }
            })
        })
        .map_err(failed)?;
        for trace_id in file.undecided().map_err(failed)?.into_keys().filter(|trace_id| traces.contains(trace_id)) {
            purged.records += read_undecided(file, trace_id).map_err(failed)?.len() as u64;
            if !dry_run {
                file.write(|transaction| transaction.remove_undecided(trace_id)).map_err(failed)?;
            }
        }
    }
    Ok(purged)
}

/// Calls `take` with every batch that can be read. One that cannot is dropped, and reported, by
/// whoever delivers the others.
fn for_each_batch(
    file: &SpoolFile,
    contents: &Contents,
    mut take: impl FnMut(&str, (u64, &BatchMeta), Batch) -> Result<(), SpoolError>,
) -> Result<(), SpoolError> {
    for (sink, batches) in contents {
        for (sequence, meta) in batches {
            match file.read(*sequence) {
                Err(SpoolError::Corrupt(_)) => {}
                batch => take(sink, (*sequence, meta), batch?)?,
            }
        }
    }
    Ok(())
}

fn traces_of<'a>(batch: &'a Batch, user_id: &'a str) -> impl Iterator<Item = TraceId> + 'a {
    let records = batch.records().iter().filter(move |record| record.user_id() == Some(user_id));
    let requests = batch.requests().iter().filter(move |request| request.user_id() == Some(user_id));
    records.filter_map(crate::Record::trace_id).chain(requests.map(crate::metrics::RequestMetric::trace_id))
}

/// Returns the batch without what is of the user or of these traces.
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
    use super::*;
    use crate::Record;

    fn record(trace_id: TraceId, user_id: &str) -> Record {
        let json = format!(
            r#"{{"id":"{}","timestamp":"2026-11-22T08:20:11.000000Z","level":"INFO","logger":"t","event":"started",
                "stage":"parse","trace_id":"{trace_id}","user_id":"{user_id}","instance":"{}"}}"#,
            TraceId::new(),
            TraceId::new(),
        );
        Record::from_json(&json).expect("it is whole")
    }

    #[test]
    fn what_a_sampler_has_not_decided_of_a_person_goes_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let (of_alice, of_bob) = (TraceId::new(), TraceId::new());
        let mut slot = Slot::claim(folder.path()).expect("nobody has it");
        let (file, _) = slot.open().expect("a new file");
        for (row, trace_id, user_id) in [(1, of_alice, "alice"), (2, of_alice, "alice"), (3, of_bob, "bob")] {
            let batch = Batch::new(TraceId::new().as_uuid(), vec![record(trace_id, user_id)]);
            file.write(|transaction| transaction.insert_undecided(trace_id, row, &codec::encode(&batch)))
                .expect("it is written");
        }
        drop((file, slot));
        let counted = purge(folder.path(), "alice", true).expect("the folder is ours");
        let purged = purge(folder.path(), "alice", false).expect("the folder is ours");
        assert_eq!((counted.records, counted), (2, purged));
        let (file, _) = Slot::claim(folder.path()).expect("nobody has it").open().expect("it is whole");
        assert_eq!(file.undecided().expect("it is whole").into_keys().collect::<Vec<_>>(), [of_bob]);
    }
}
