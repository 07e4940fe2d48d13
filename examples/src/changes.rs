//! Tells which documents have changed since they were stored.
//!
//! The content of a file decides, not its time: its size first, then a hash of its bytes (SHA-256).
//! A document that was stored with other settings has changed as well.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use futures_util::future::join_all;
use sha2::{Digest, Sha256};

use crate::blocking;
use crate::document::path_text;
use crate::source::Source;
use crate::store::Known;

/// The size of a read in bytes. Larger ones are not faster.
const READ: usize = 256 << 10;

/// The outcome of a comparison.
#[derive(Debug, Default)]
pub struct Compared {
    /// The documents to ingest, in their order.
    pub changed: Vec<Source>,
    /// The documents that are stored as they are.
    pub unchanged: Vec<(Source, Known)>,
    /// The number of bytes that were read for it.
    pub bytes: u64,
}

/// Compares `sources` with the documents that are `known` to the store, by their paths. Those of
/// other settings than `fingerprint` have changed.
pub async fn compare(sources: Vec<Source>, known: BTreeMap<String, Known>, fingerprint: String) -> Compared {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let work = Arc::new(Work { sources, known, fingerprint, next: AtomicUsize::new(0), bytes: AtomicU64::new(0) });
    let unchanged: Vec<Option<Known>> = {
        let _stop = Stop(Arc::clone(&work));
        let workers = (0..threads).map(|_| {
            let work = Arc::clone(&work);
            blocking::run(move || work.run())
        });
        let mut unchanged = vec![None; work.sources.len()];
        for (at, known) in join_all(workers).await.into_iter().flatten() {
            unchanged[at] = Some(known);
        }
        unchanged
    };
    let mut compared = Compared { bytes: work.bytes.load(Ordering::Relaxed), ..Compared::default() };
    for (source, known) in work.sources.iter().cloned().zip(unchanged) {
        match known {
            Some(known) => compared.unchanged.push((source, known)),
            None => compared.changed.push(source),
        }
    }
    compared
}

/// A comparison that several threads share.
#[derive(Debug)]
struct Work {
    sources: Vec<Source>,
    known: BTreeMap<String, Known>,
    fingerprint: String,
    /// The index of the next source to compare.
    next: AtomicUsize,
    bytes: AtomicU64,
}

impl Work {
    /// Returns the unchanged documents among those that this thread has compared, by their indices.
    fn run(&self) -> Vec<(usize, Known)> {
        let mut buffer = vec![0; READ];
        let mut unchanged = Vec::new();
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(source) = self.sources.get(at) else { return unchanged };
            unchanged.extend(self.unchanged(source, &mut buffer).map(|known| (at, known.clone())));
        }
    }

    fn unchanged(&self, source: &Source, buffer: &mut [u8]) -> Option<&Known> {
        let known = self.known.get(path_text(&source.known_path()?).as_ref())?;
        let version = known.version.as_ref().filter(|version| version.fingerprint == self.fingerprint)?;
        // A file that cannot be read counts as changed, so that reading it reports the error.
        let hash = hash_of(&source.path, known.bytes..=known.bytes, buffer).ok()??;
        self.bytes.fetch_add(known.bytes, Ordering::Relaxed);
        (hash == version.content_hash).then_some(known)
    }
}

/// Ends the work when the comparison is dropped.
struct Stop(Arc<Work>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.next.store(self.0.sources.len(), Ordering::Relaxed);
    }
}

/// Returns the hash of the bytes of the file at `path`, or `None` if it is larger than `limit`
/// bytes or no file.
pub(crate) async fn content_hash(path: &Path, limit: u64) -> Option<[u8; 32]> {
    let path = path.to_owned();
    blocking::run(move || hash_of(&path, 0..=limit, &mut vec![0; READ]).ok().flatten()).await
}

/// Returns the hash of the bytes of the file at `path`, or `None` if its size is none of `sizes` or
/// it is no file. Reading a pipe might never end.
fn hash_of(path: &Path, sizes: std::ops::RangeInclusive<u64>, buffer: &mut [u8]) -> io::Result<Option<[u8; 32]>> {
    // Opening a pipe might never end either.
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() || !sizes.contains(&metadata.len()) {
        return Ok(None);
    }
    let mut file = File::open(path)?.take(sizes.end().saturating_add(1));
    let mut hasher = Sha256::new();
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(Some(hasher.finalize().into())),
            Ok(read) => hasher.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    }
}
