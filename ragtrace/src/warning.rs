//! Warnings for an operator who must know although the sink that would report it is the one that
//! fails: lines on stderr, few of them.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// A warning of one sort is printed at most this often.
const INTERVAL: Duration = Duration::from_secs(30);
/// How long a warning may hold up whoever gives it.
const PATIENCE: Duration = Duration::from_millis(100);
/// Warnings that wait for a stderr that takes none; more are left out.
const MAX_WAITING: usize = 32;

/// A warning of one sort of trouble, printed at once and then at most every half minute.
#[derive(Debug, Default)]
pub(crate) struct RateLimitedWarning {
    printed_at: Option<Instant>,
    is_active: bool,
    /// How much has happened since that was in no warning.
    unreported: u64,
}

impl RateLimitedWarning {
    /// Warns of `number` more on stderr, unless that was done lately; then they are part of the
    /// next warning. Returns whether it was printed.
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

    /// Notes that the trouble is over. Returns whether there was a warning of it, so that its end
    /// should be printed, too.
    pub(crate) fn clear(&mut self) -> bool {
        std::mem::take(&mut self.is_active)
    }
}

/// Writes one line to stderr. A stderr that is gone is no reason to fail, and one that nobody reads
/// is none to wait: a thread of its own writes, and whoever warns waits for a moment, since the
/// process may end next.
pub(crate) fn print(text: &str) {
    static PRINTER: OnceLock<Option<SyncSender<Line>>> = OnceLock::new();
    let text = format!("ragtrace: {text}\n");
    let Some(printer) = PRINTER.get_or_init(start_printer) else { return write(&text) };
    let (done, is_done) = sync_channel(1);
    if printer.try_send(Line { text, done }).is_ok() {
        let _ = is_done.recv_timeout(PATIENCE);
    }
}

/// A line to be written, and who waits for that.
struct Line {
    text: String,
    done: SyncSender<()>,
}

/// Starts the thread that writes, or returns `None` where there is no room for one.
fn start_printer() -> Option<SyncSender<Line>> {
    let (printer, lines) = sync_channel::<Line>(MAX_WAITING);
    let write_all = move || {
        for Line { text, done } in lines {
            write(&text);
            // Whoever waited may have gone on.
            let _ = done.try_send(());
        }
    };
    std::thread::Builder::new().name("ragtrace-stderr".to_owned()).spawn(write_all).ok().map(|_| printer)
}

fn write(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
