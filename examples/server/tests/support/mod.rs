//! Runs the service as a process, and connects to it over loopback.

pub(crate) mod client;
pub(crate) mod events;
pub(crate) mod multipart;
pub(crate) mod server;

use std::time::{Duration, Instant};

/// A limit far longer than anything here takes, at which a test fails that waits in vain.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Asks repeatedly until there is an answer.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begin.elapsed() < PATIENCE, "no {what} in time");
        std::thread::sleep(Duration::from_millis(20));
    }
}
