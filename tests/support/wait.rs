//! Waits for a condition, with a time limit.

use std::time::{Duration, Instant};

/// Waits until `condition` holds.
///
/// # Panics
///
/// Panics if it does not hold within `bound`, with `what` as the message.
pub fn until(what: &str, bound: Duration, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < bound, "waited {bound:?} for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
