//! Counts who listens to stages. They are shown at all while some subscriber wants them and one of
//! their callsites is heard.
//!
//! The layer that wants stages for the others hears every callsite itself, so it counts as
//! something that listens even where there is no other. //! Both are counted when they change,
//! which is seldom and may be under locks of `tracing`'s; stages ask for the outcome alone.

use std::sync::atomic::{AtomicU64, Ordering};

use ragtrace_core::observer;

/// How many subscribers want stages, in the upper half, and how many callsites of stages are heard,
/// in the lower one. Together in one word, so that whoever makes
/// the difference by a change knows it.
static COUNTS: AtomicU64 = AtomicU64::new(0);

const ONE_SITE: u64 = 1;
const ONE_SUBSCRIBER: u64 = 1 << 32;

/// Returns whether stages are shown.
#[inline]
pub(super) fn are_there() -> bool {
    are_in(COUNTS.load(Ordering::Relaxed))
}

/// Counts a callsite that is heard from now on.
pub(super) fn add_site() {
    moved(COUNTS.fetch_add(ONE_SITE, Ordering::Relaxed), u64::wrapping_add, ONE_SITE);
}

/// Takes back an [`add_site`].
pub(super) fn remove_site() {
    moved(COUNTS.fetch_sub(ONE_SITE, Ordering::Relaxed), u64::wrapping_sub, ONE_SITE);
}

/// Counts as a subscriber that wants stages for as long as it lives.
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

/// Has stages tell their observers, or stop, where a change of the counts from `before`
/// makes the difference.
fn moved(before: u64, change: impl Fn(u64, u64) -> u64, by: u64) {
    match (are_in(before), are_in(change(before, by))) {
        (false, true) => observer::activate(),
        (true, false) => observer::deactivate(),
        _ => {}
    }
}
