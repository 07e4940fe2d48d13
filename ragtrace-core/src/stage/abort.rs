//! What is still said when a panic ends the process, as it does under `panic = "abort"`.
//!
//! Nothing unwinds then, so no stage sees its own end. The hook says it instead: the stages that run on the panicking
//! thread have failed, and what was recorded so far is delivered as far as that takes no longer than `PATIENCE`. What
//! runs on other threads, or waits, has no end; its process is gone.
//!
//! A thread of its own does both, and the hook waits for it, so that a lock that the panicking thread may hold stops
//! nothing for longer. The worker is not waited for where it is the one that panics.

use std::cell::Cell;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use crate::gate;
use crate::queue::Severity;
use crate::stage::entry::{self, Ended, Failure, Outcome};
use crate::stage::panic;
use crate::stage::recorder::{self, Running};
use crate::stage::slots::Slots;

/// How long the end of the process is held up at most.
const PATIENCE: Duration = Duration::from_secs(1);

/// Has what was recorded delivered, as far as it takes no longer than it is told.
type Flush = dyn Fn(Duration) + Send + Sync;

/// The worker of the installed telemetry, and how it is asked.
static WORKER: Mutex<Option<(ThreadId, Arc<Flush>)>> = Mutex::new(None);

thread_local! {
    /// Whether this thread speaks for another, whose process ends.
    static SPEAKS: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic ends the process. The profile of the application says it, for every crate.
pub const ENDS_THE_PROCESS: bool = cfg!(panic = "abort");

/// Says how the worker, which runs on `thread`, is asked to deliver.
pub fn flush_by(thread: ThreadId, flush: impl Fn(Duration) + Send + Sync + 'static) {
    *WORKER.lock().unwrap_or_else(PoisonError::into_inner) = Some((thread, Arc::new(flush)));
}

/// A thread that speaks for this one.
pub(super) struct LastWords(Option<Receiver<()>>);

/// Begins to say what there is to say of the panic that was just noted on this thread.
pub(super) fn begin() -> LastWords {
    if is_ours() {
        return LastWords(None);
    }
    let failed: Vec<_> = recorder::running().into_iter().map(|running| (running, panic::failure())).collect();
    let (done, is_done) = sync_channel(1);
    // The records say on which thread it was, as its own do.
    let thread = thread::current();
    let name = thread.name().map_or_else(|| format!("{:?}", thread.id()), str::to_owned);
    let speaking = thread::Builder::new().name(name).spawn(move || {
        SPEAKS.set(true);
        for (running, failure) in failed {
            fail(running, &failure);
        }
        let worker = WORKER.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, flush)) = worker {
            flush(PATIENCE);
        }
        // The hook may have lost its patience.
        let _ = done.send(());
    });
    LastWords(speaking.is_ok().then_some(is_done))
}

impl LastWords {
    /// Waits until it is said.
    pub(super) fn wait(self) {
        if let Some(is_done) = self.0 {
            // The flush ends by itself; this is for what it does not get to.
            let _ = is_done.recv_timeout(PATIENCE + PATIENCE / 4);
        }
    }
}

/// Whether this is a thread that nobody may wait for.
fn is_ours() -> bool {
    let is_worker = || {
        let worker = WORKER.try_lock().ok()?;
        worker.as_ref().map(|(worker, _)| *worker == thread::current().id())
    };
    SPEAKS.try_with(Cell::get).unwrap_or(true) || is_worker().unwrap_or(false)
}

fn fail(running: Running, failure: &Failure) {
    let Running { request, run } = running;
    let mut fields = Slots::begin();
    fields.failure(failure);
    // How long its polls took is known to the run alone.
    let ended = Ended { at: request.now(), busy: None, outcome: Outcome::Failed };
    gate::record_if_heard(&request, Severity::Promised, entry::whole_end(&run, &ended), &fields);
}
