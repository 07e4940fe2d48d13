//! A listener that collects the entries of a test's requests, instead of the queue.

mod clock;
mod entries;

pub use clock::ManualClock;
pub use entries::CapturedEntries;
