//! Waiting for a condition, with a bound.

use std::time::{Duration, Instant};

/// Waits until `condition` holds.
///
/// # Panics
///
/// If it does not within `bound`, naming what was waited for.
pub fn until(what: &str, bound: Duration, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < bound, "waited {bound:?} for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
