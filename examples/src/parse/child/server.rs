//! The process that reads one document.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, process, thread};

use super::{ARGUMENT, Request, frame};
use crate::document::Document;
use crate::parse::reading::{Progress, Task};
use crate::parse::{ParseError, read_file};

/// The shortest time between two reports of progress.
const BETWEEN_REPORTS: Duration = Duration::from_millis(50);

/// The stack of the thread that waits for the parent's end, which does nothing else.
const WATCHER_STACK: usize = 64 << 10;

/// Set once [`serve`] has found that this process is the program itself.
static CAN_BE_CHILD: AtomicBool = AtomicBool::new(false);

/// Reads a document and exits, if this process was started to do so; otherwise returns at once.
///
/// It must be the first call of a program that reads documents, since a process that only reads
/// one must not do anything else.
pub fn serve() {
    if env::args_os().nth(1).is_some_and(|first| first == ARGUMENT) {
        // Without the parent there is nobody to tell.
        process::exit(i32::from(read_one().is_err()));
    }
    CAN_BE_CHILD.store(true, Ordering::Relaxed);
}

/// Returns the path of the running program if it calls [`serve`].
pub(in super::super) fn this_program() -> Option<PathBuf> {
    if !CAN_BE_CHILD.load(Ordering::Relaxed) {
        return None;
    }
    // On Linux, this path leads to the running program even if its file was replaced or removed.
    let running = PathBuf::from("/proc/self/exe");
    if cfg!(target_os = "linux") && running.exists() { Some(running) } else { env::current_exe().ok() }
}

fn read_one() -> io::Result<()> {
    let (_, request) = frame::read(&mut io::stdin().lock())?;
    let Request { source, reading, limits } = serde_json::from_slice(&request)?;
    watch_parent()?;
    let max_text = limits.max_text;
    let reported = std::cell::Cell::new(None::<Instant>);
    let on_progress = |progress: Progress| {
        let is_due = reported.get().is_none_or(|last| last.elapsed() >= BETWEEN_REPORTS);
        if is_due || progress.done == progress.pages {
            reported.set(Some(Instant::now()));
            // The watcher ends this process if nobody listens.
            let _ = send(&mut io::stdout().lock(), frame::PROGRESS, &progress);
        }
    };
    let task = Task { reading: &reading, on_progress: &on_progress, max_text };
    let outcome = limits.apply().map_err(ParseError::NotStarted).and_then(|()| read_file(&source, &task));
    answer(&mut io::stdout().lock(), outcome)
}

/// Ends this process when the parent has ended, or has closed the pipe.
fn watch_parent() -> io::Result<()> {
    let wait = || {
        // The parent sends nothing more, so this returns at the end.
        let _ = io::stdin().read(&mut [0]);
        process::exit(1)
    };
    thread::Builder::new().stack_size(WATCHER_STACK).spawn(wait).map(drop)
}

fn answer(out: &mut impl Write, outcome: Result<Document, ParseError>) -> io::Result<()> {
    match outcome {
        Ok(mut document) => {
            frame::write(out, frame::TEXT, std::mem::take(&mut document.text).as_bytes())?;
            send(out, frame::DOCUMENT, &document)
        }
        Err(error) => send(out, frame::ERROR, &error),
    }
}

fn send(out: &mut impl Write, kind: u8, content: &impl serde::Serialize) -> io::Result<()> {
    frame::write(out, kind, &serde_json::to_vec(content)?)
}
