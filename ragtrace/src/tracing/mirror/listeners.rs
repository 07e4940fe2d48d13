//! Counts the listeners of stages. Stages are shown while some subscriber wants them and one of
//! their callsites is enabled.
//!
//! The layer that wants stages for the others sees every callsite itself, so it counts as a
//! listener even without other layers. Both numbers are updated when they change, which is rare and
//! may happen under locks of `tracing`; stages only read the result.

use std::sync::atomic::{AtomicU64, Ordering};

use ragtrace_core::observer;

/// The number of subscribers that want stages in the upper half, and the number of enabled
/// callsites of stages in the lower half. They share one word, so that the thread whose change
/// makes the difference knows it.
static COUNTS: AtomicU64 = AtomicU64::new(0);

const ONE_SITE: u64 = 1;
const ONE_SUBSCRIBER: u64 = 1 << 32;

/// Returns `true` if stages are shown.
#[inline]
pub(super) fn are_there() -> bool {
    are_in(COUNTS.load(Ordering::Relaxed))
}

/// Counts a callsite that has been enabled.
pub(super) fn add_site() {
    moved(COUNTS.fetch_add(ONE_SITE, Ordering::Relaxed), u64::wrapping_add, ONE_SITE);
}

/// Undoes an [`add_site`].
pub(super) fn remove_site() {
    moved(COUNTS.fetch_sub(ONE_SITE, Ordering::Relaxed), u64::wrapping_sub, ONE_SITE);
}

/// Counts as a subscriber that wants stages until it is dropped.
#[derive(Debug)]
pub(super) struct WantsStages(());

impl WantsStages {
    pub(super) fn begin() -> Self {
        moved(COUNTS.fetch_add(ONE_SUBSCRIBER, Ordering::Relaxed), u64::wrapping_add, ONE_SUBSCRIBER);
        Self(())
    }
}

impl Drop for WantsStages {
    fn drop(&mut self) {
        moved(COUNTS.fetch_sub(ONE_SUBSCRIBER, Ordering::Relaxed), u64::wrapping_sub, ONE_SUBSCRIBER);
    }
}

fn are_in(counts: u64) -> bool {
    counts >= ONE_SUBSCRIBER && counts & (ONE_SUBSCRIBER - 1) != 0
}

/// Activates or deactivates the observer if a change of the counts from `before` makes the
/// difference.
fn moved(before: u64, change: impl Fn(u64, u64) -> u64, by: u64) {
    match (are_in(before), are_in(change(before, by))) {
        (false, true) => observer::activate(),
        (true, false) => observer::deactivate(),
        _ => {}
    }
}
