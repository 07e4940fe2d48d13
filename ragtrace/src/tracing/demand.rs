//! The log lines that some sink takes. They change when telemetry is installed and when it is shut
//! down.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use ragtrace_core::{Level, log};

use crate::record::{LevelFilter, Levels, RecordLimits};

/// The generation of the current demand. The lowest bit is reserved for a verdict.
static GENERATION: AtomicU32 = AtomicU32::new(FIRST);
const FIRST: u32 = 2;
static CURRENT: Mutex<Demand> = Mutex::new(Demand::None);

/// The current demand.
#[derive(Clone, Copy, Debug)]
enum Demand {
    /// Telemetry has not been installed.
    None,
    Taken(Taken),
    /// Telemetry was shut down.
    Over,
}

/// The log lines that the sinks of an installation take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) levels: LevelFilter,
    /// The limits at which records are cut.
    pub(crate) limits: RecordLimits,
}

thread_local! {
    /// The demand that this thread read last, and its generation.
    static READ: Cell<(u32, Demand)> = const { Cell::new((0, Demand::None)) };
}

/// Sets the log lines that sinks take, or `None` after a shutdown.
pub(crate) fn set(taken: Option<Taken>) {
    let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
    *current = taken.map_or(Demand::Over, Demand::Taken);
    // The generation changes before the lock is released, so that a new demand is never cached
    // under the old generation.
    let next = GENERATION.load(Ordering::Relaxed).wrapping_add(2);
    GENERATION.store(if next == 0 { FIRST } else { next }, Ordering::Release);
}

/// Returns `true` if a line with this level and target is taken. Without telemetry, the default
/// levels apply.
pub(super) fn takes(level: Level, target: &str) -> bool {
    let levels = if let Demand::Taken(taken) = current() { taken.levels } else { Levels::default().into() };
    levels.takes(level, || target)
}

/// Returns `true` if the fields of spans may be needed: if any line is taken, whatever the levels
/// of the spans around it. Before the first installation, they are kept for the lines after it.
pub(super) fn takes_span_fields() -> bool {
    match current() {
        Demand::None => true,
        Demand::Taken(taken) => log::is_enabled() && taken.levels.least().is_some(),
        Demand::Over => false,
    }
}

/// Returns the limits of records.
pub(super) fn limits() -> RecordLimits {
    if let Demand::Taken(taken) = current() { taken.limits } else { RecordLimits::default() }
}

fn current() -> Demand {
    let generation = GENERATION.load(Ordering::Acquire);
    let (read_at, mut demand) = READ.get();
    if read_at != generation {
        demand = *CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        READ.set((generation, demand));
    }
    demand
}

/// A verdict that is valid until the demand changes.
#[derive(Debug, Default)]
pub(super) struct Verdict(AtomicU32);

impl Verdict {
    /// Returns `true` if lines with this level and target are taken.
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
        let set_levels = |levels| set(Some(Taken { levels, limits: RecordLimits::default() }));
        set_levels("warn,a=debug".parse::<Levels>().expect("levels").into());
        assert!(!verdict.takes(Level::Info, "b"));
        // The cached verdict is that of a callsite, whose target never changes.
        assert!(!verdict.takes(Level::Info, "a"));
        set_levels(Level::Trace.into());
        assert!(verdict.takes(Level::Info, "b"));
        set(None);
        assert!(verdict.takes(Level::Info, "b") && !takes(Level::Debug, "b"), "as it is without any setting");
    }
}
