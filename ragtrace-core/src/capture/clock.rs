//! A clock that tests control.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::time::{Anchor, Ticks, Timestamp};

/// A clock for tests that stands still until it is advanced. Clones share the same time.
#[derive(Clone, Debug)]
pub struct ManualClock {
    start: Timestamp,
    nanos: Arc<AtomicU64>,
}

impl ManualClock {
    /// Creates a clock that shows `start`.
    pub fn at(start: Timestamp) -> Self {
        Self { start, nanos: Arc::new(AtomicU64::new(0)) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.nanos.fetch_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Returns the time that the clock shows.
    pub fn now(&self) -> Timestamp {
        self.anchor().wall_at(self.ticks())
    }

    pub(crate) fn ticks(&self) -> Ticks {
        Ticks(self.nanos.load(Ordering::Relaxed))
    }

    /// Returns the clock's starting point as a pair of wall time and ticks.
    #[doc(hidden)]
    pub fn anchor(&self) -> Anchor {
        Anchor { wall: self.start, ticks: Ticks(0) }
    }
}
