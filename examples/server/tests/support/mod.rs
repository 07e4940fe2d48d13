//! The service as its users have it: a process, and connections over loopback.

pub(crate) mod client;
pub(crate) mod events;
pub(crate) mod multipart;
pub(crate) mod server;

use std::time::{Duration, Instant};

/// Far longer than anything here takes; a test that waits for what does not come ends then.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Asks again and again until there is an answer.
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
