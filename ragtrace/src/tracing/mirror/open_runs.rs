//! The runs that are shown, by their ids: a run may be entered, left and ended on any thread.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ragtrace_core::SpanId;

use super::stage_sites::StageSites;
use super::tracing_span::Surrounding;
use crate::hash::{FastHash, spread};

/// A run that is shown. What is dropped of it may call into `tracing`, so it is dropped under no
/// lock.
#[derive(Clone)]
pub(super) struct OpenRun {
    pub(super) sites: &'static StageSites,
    pub(super) surrounding: Surrounding,
    /// It has been entered.
    pub(super) has_started: bool,
}

type Runs = HashMap<SpanId, OpenRun, FastHash>;

/// So many that threads seldom meet in one.
const SHARDS: usize = 64;

static RUNS: [Mutex<Runs>; SHARDS] = [const { Mutex::new(HashMap::with_hasher(FastHash::new())) }; SHARDS];

fn shard(run: SpanId) -> MutexGuard<'static, Runs> {
    let at = spread(run.as_u64()) >> (u64::BITS - SHARDS.ilog2());
    RUNS[usize::try_from(at).unwrap_or(0)].lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many there are, so that nobody takes a lock where there are none. Whoever asks for a run
/// comes after the one who inserted it.
static OPEN: AtomicUsize = AtomicUsize::new(0);

fn are_none() -> bool {
    OPEN.load(Ordering::Relaxed) == 0
}

/// Notes that a run is shown. Returns another one of its id, which tests that make ids of their own
/// may have.
pub(super) fn insert(run: SpanId, open: OpenRun) -> Option<OpenRun> {
    OPEN.fetch_add(1, Ordering::Relaxed);
    let replaced = shard(run).insert(run, open);
    if replaced.is_some() {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
    replaced
}

/// Returns a run that is entered, and notes that it was.
pub(super) fn enter(run: SpanId) -> Option<OpenRun> {
    if are_none() {
        return None;
    }
    let mut shard = shard(run);
    let open = shard.get_mut(&run)?;
    let found = open.clone();
    open.has_started = true;
    Some(found)
}

/// Returns a run.
pub(super) fn get(run: SpanId) -> Option<OpenRun> {
    if are_none() { None } else { shard(run).get(&run).cloned() }
}

/// Returns a run that has ended.
pub(super) fn remove(run: SpanId) -> Option<OpenRun> {
    if are_none() {
        return None;
    }
    let removed = shard(run).remove(&run);
    if removed.is_some() {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
    removed
}
