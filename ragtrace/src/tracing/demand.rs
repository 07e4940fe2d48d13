//! Which log lines somebody takes. It changes when telemetry is installed and when it is shut down.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use ragtrace_core::Level;

use crate::record::{LevelFilter, Levels};

/// Tells the demand of one time from those before. The lowest bit is left for a verdict.
static GENERATION: AtomicU32 = AtomicU32::new(FIRST);
const FIRST: u32 = 2;
static TAKEN: Mutex<Option<LevelFilter>> = Mutex::new(None);

thread_local! {
    /// What this thread has read, and when.
    static READ: Cell<(u32, Option<LevelFilter>)> = const { Cell::new((0, None)) };
}

/// Sets the levels of lines that a sink takes; `None` when there is no telemetry any more.
pub(crate) fn set(taken: Option<LevelFilter>) {
    let mut current = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    *current = taken;
    // Before the lock is given back, so that what is read afterwards is not kept for the generation before.
    let next = GENERATION.load(Ordering::Relaxed).wrapping_add(2);
    GENERATION.store(if next == 0 { FIRST } else { next }, Ordering::Release);
}

/// Returns whether a line of this level and target is taken. Where there is no telemetry the default levels count: a span that
/// is made before it is installed keeps its fields by them.
pub(super) fn takes(level: Level, target: &str) -> bool {
    let generation = GENERATION.load(Ordering::Acquire);
    let (read_at, mut taken) = READ.get();
    if read_at != generation {
        taken = *TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        READ.set((generation, taken));
    }
    let taken = taken.unwrap_or_else(|| Levels::default().into());
    taken.takes(level, || target)
}

/// A verdict that is kept until the demand changes.
#[derive(Debug, Default)]
pub(super) struct Verdict(AtomicU32);

impl Verdict {
    /// Returns whether lines of this level and target are taken.
    #[inline]
    pub(super) fn takes(&self, level: Level, target: &str) -> bool {
        let generation = GENERATION.load(Ordering::Acquire);
        let kept = self.0.load(Ordering::Relaxed);
        if kept & !1 == generation { kept & 1 != 0 } else { self.judge(generation, level, target) }
    }

    #[cold]
    #[inline(never)]
    fn judge(&self, generation: u32, level: Level, target: &str) -> bool {
        let is_taken = takes(level, target);
        self.0.store(generation | u32::from(is_taken), Ordering::Relaxed);
        is_taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_kept_until_the_demand_changes() {
        let verdict = Verdict::default();
        set(Some("warn,a=debug".parse::<Levels>().expect("levels").into()));
        assert!(!verdict.takes(Level::Info, "b"));
        // It is that of the callsite, whose target is always the same.
        assert!(!verdict.takes(Level::Info, "a"));
        set(Some(Level::Trace.into()));
        assert!(verdict.takes(Level::Info, "b"));
        set(None);
        assert!(verdict.takes(Level::Info, "b") && !takes(Level::Debug, "b"), "as it is without any setting");
    }
}
