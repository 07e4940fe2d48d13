//! Where a test's records go: a listener that keeps the entries of the requests that carry it.

mod clock;
mod entries;

pub use clock::ManualClock;
pub use entries::CapturedEntries;
