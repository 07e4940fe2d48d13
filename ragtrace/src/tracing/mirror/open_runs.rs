//! The runs that are shown, by their ids, because a run may be entered, left and ended on any
//! thread.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ragtrace_core::SpanId;

use super::stage_sites::StageSites;
use super::tracing_span::Surrounding;
use crate::hash::{FastHash, spread};

/// A run that is shown. Dropping it may call into `tracing`, so it is dropped without holding a
/// lock.
#[derive(Clone)]
pub(super) struct OpenRun {
    pub(super) sites: &'static StageSites,
    pub(super) surrounding: Surrounding,
    /// Set once the run has been entered.
    pub(super) has_started: bool,
}

type Runs = HashMap<SpanId, OpenRun, FastHash>;

/// The number of shards, chosen so that threads rarely wait for the same one.
const SHARDS: usize = 64;

static RUNS: [Mutex<Runs>; SHARDS] = [const { Mutex::new(HashMap::with_hasher(FastHash::new())) }; SHARDS];

fn shard(run: SpanId) -> MutexGuard<'static, Runs> {
    let at = spread(run.as_u64()) >> (u64::BITS - SHARDS.ilog2());
    RUNS[usize::try_from(at).unwrap_or(0)].lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of runs, which saves the lock if there are none. The caller that looks for a run
/// always comes after the one that inserted it.
static OPEN: AtomicUsize = AtomicUsize::new(0);

fn are_none() -> bool {
    OPEN.load(Ordering::Relaxed) == 0
}

/// Adds a run that is shown. Returns another one with the same id, which only tests with ids of
/// their own can have.
pub(super) fn insert(run: SpanId, open: OpenRun) -> Option<OpenRun> {
    OPEN.fetch_add(1, Ordering::Relaxed);
    let replaced = shard(run).insert(run, open);
    if replaced.is_some() {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
    replaced
}

/// Returns a run that is being entered, and marks it as started.
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

/// Removes and returns a run that has ended.
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
