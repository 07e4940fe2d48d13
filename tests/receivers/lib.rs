//! Support for the tests against real receivers: programs that send something, readers of what
//! arrived, and the comparison of the two.
//!
//! A test runs a program in a folder of its own, with two sinks: OTLP to a receiver, and SQLite.
//! The spans that arrived are read back through the receiver's own interface, and compared one by
//! one with the store, which knows nothing of OTLP.

mod arrived;
mod compare;
pub mod dialects;
mod http;
mod program;
pub mod readers;

pub use arrived::{Arrived, Status};
pub use compare::{Dialect, Documents, Sent, assert_arrived_whole};
pub use program::{Folder, Outcome, Program, address};

use std::time::{Duration, Instant};

/// A limit far longer than anything here takes, at which a test fails that waits in vain.
const PATIENCE: Duration = Duration::from_mins(1);

/// Asks repeatedly until there is an answer, for at most a minute.
///
/// # Panics
///
/// Panics if there is none by then.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begin.elapsed() < PATIENCE, "no {what} in time");
        std::thread::sleep(Duration::from_millis(100));
    }
}
