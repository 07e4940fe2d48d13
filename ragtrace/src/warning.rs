//! Rate-limited warnings on stderr, for problems that no sink can report, because the sinks fail.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// The shortest time between two warnings of the same kind.
const INTERVAL: Duration = Duration::from_secs(30);
/// The longest time that printing a warning blocks the caller.
const PATIENCE: Duration = Duration::from_millis(100);
/// The number of warnings that may wait while stderr is blocked; further ones are left out.
const MAX_WAITING: usize = 32;

/// A warning about one kind of problem, printed at once and then at most every 30 seconds.
#[derive(Debug, Default)]
pub(crate) struct RateLimitedWarning {
    printed_at: Option<Instant>,
    is_active: bool,
    /// The amount that has not been part of a printed warning yet.
    unreported: u64,
}

impl RateLimitedWarning {
    /// Prints a warning about `number` more occurrences and returns `true`, unless the last one is
    /// recent; then the number is added to the next warning.
    pub(crate) fn warn(&mut self, number: u64, message: impl FnOnce(u64) -> String) -> bool {
        self.unreported += number;
        let now = Instant::now();
        if self.printed_at.is_some_and(|at| now.duration_since(at) < INTERVAL) {
            return false;
        }
        self.printed_at = Some(now);
        self.is_active = true;
        print(&message(std::mem::take(&mut self.unreported)));
        true
    }

    /// Marks the problem as solved. Returns `true` if a warning was printed, so that the caller can
    /// print that it is solved.
    pub(crate) fn clear(&mut self) -> bool {
        std::mem::take(&mut self.is_active)
    }
}

/// Writes one line to stderr, without failing if stderr is closed. A separate thread writes, so
/// that a blocked stderr does not block the caller, who waits only for a moment, since the process
/// may end next.
pub(crate) fn print(text: &str) {
    static PRINTER: OnceLock<Option<SyncSender<Line>>> = OnceLock::new();
    let text = format!("ragtrace: {text}\n");
    let Some(printer) = PRINTER.get_or_init(start_printer) else { return write(&text) };
    let (done, is_done) = sync_channel(1);
    if printer.try_send(Line { text, done }).is_ok() {
        let _ = is_done.recv_timeout(PATIENCE);
    }
}

/// A line to write, with the channel of the caller that waits for it.
struct Line {
    text: String,
    done: SyncSender<()>,
}

/// Starts the thread that writes, or returns `None` if the system refuses one.
fn start_printer() -> Option<SyncSender<Line>> {
    let (printer, lines) = sync_channel::<Line>(MAX_WAITING);
    let write_all = move || {
        for Line { text, done } in lines {
            write(&text);
            // The caller may have stopped waiting.
            let _ = done.try_send(());
        }
    };
    std::thread::Builder::new().name("ragtrace-stderr".to_owned()).spawn(write_all).ok().map(|_| printer)
}

fn write(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
