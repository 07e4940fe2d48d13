//! The last records of a process that a panic aborts, either under `panic = "abort"` or because the
//! panic cannot unwind.
//!
//! Stages do not see such a panic, because nothing unwinds, so the panic hook ends them. Under
//! `panic = "abort"`, an observer tracks all stages that run on each thread, and those on the
//! panicking thread are recorded as failed. Where panics unwind there is no such observer, to save
//! its cost, and only the innermost stage is recorded as failed. Records made so far are then
//! delivered, within `ABORT_FLUSH_TIMEOUT`. Stages that run on other threads or are suspended get
//! no end record; they are lost with the process.
//!
//! Both steps run on a new thread, and the hook waits for that thread only for a limited time, in
//! case the panicking thread holds a lock that they need. The hook does not wait if the worker
//! itself panics.

use std::cell::{Cell, RefCell};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use crate::context::{Request, current};
use crate::dispatch;
use crate::entry::{self, Outcome, Run, RunEnd};
use crate::event::Failure;
use crate::fork::Process;
use crate::id::SpanId;
use crate::observer::Observer;
use crate::queue::Admission;
use crate::stage::panic;
use crate::value::FieldBuffer;

/// The time for which the flush may delay the end of the process.
const ABORT_FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Delivers recorded entries within the given time.
type Flush = dyn Fn(Duration) + Send + Sync;

/// The installed telemetry's worker: its thread, its process, and the function that asks it to
/// flush.
static WORKER: Mutex<Option<(ThreadId, Process, Arc<Flush>)>> = Mutex::new(None);

thread_local! {
    /// True on a thread that was started to record the ends of another thread's runs.
    static ENDS_RUNS: Cell<bool> = const { Cell::new(false) };
    /// The runs on this thread, the innermost last.
    static ACTIVE: RefCell<Vec<ActiveRun>> = const { RefCell::new(Vec::new()) };
}

/// A run on a thread, with its request.
#[derive(Clone)]
struct ActiveRun {
    request: Arc<Request>,
    run: Run,
}

/// Tracks the runs on each thread. Installed as an observer only if panics abort the process.
#[derive(Debug)]
pub(super) struct ActiveRuns;

impl Observer for ActiveRuns {
    fn entered(&self, request: &Arc<Request>, run: &Run) {
        let active = ActiveRun { request: Arc::clone(request), run: *run };
        let _ = ACTIVE.try_with(|all| all.borrow_mut().push(active));
    }

    fn left(&self, _: SpanId) {
        // The request is dropped after the borrow has ended.
        let _last = ACTIVE.try_with(|all| all.borrow_mut().pop());
    }
}

/// Returns the runs on this thread, the innermost first.
fn active_runs() -> Vec<ActiveRun> {
    let copy = |all: &RefCell<Vec<ActiveRun>>| Some(all.try_borrow().ok()?.iter().rev().cloned().collect());
    ACTIVE.try_with(copy).ok().flatten().unwrap_or_default()
}

/// True if panics abort the process, which the application's profile determines for all crates.
pub const ENDS_THE_PROCESS: bool = cfg!(panic = "abort");

/// Sets the function that asks the worker, which runs on `thread`, to flush.
pub fn flush_by(thread: ThreadId, flush: impl Fn(Duration) + Send + Sync + 'static) {
    *WORKER.lock().unwrap_or_else(PoisonError::into_inner) = Some((thread, Process::current(), Arc::new(flush)));
}

/// A handle to the thread that records the ends of another thread's runs.
pub(super) struct LastRecords(Option<Receiver<()>>);

/// Starts recording the ends of the runs that the latest panic on this thread aborts.
pub(super) fn begin() -> LastRecords {
    if is_ours() {
        return LastRecords(None);
    }
    let failed: Vec<_> = active_runs().into_iter().map(|active| (active, panic::noted_failure())).collect();
    let innermost = if ENDS_THE_PROCESS { None } else { current::request().zip(current::span()) };
    let innermost = innermost.map(|innermost| (innermost, panic::noted_failure()));
    let (done, is_done) = sync_channel(1);
    // The new thread gets the panicking thread's name, which the records contain.
    let thread = thread::current();
    let name = thread.name().map_or_else(|| format!("{:?}", thread.id()), str::to_owned);
    let started = thread::Builder::new().name(name).spawn(move || {
        ENDS_RUNS.set(true);
        for (active, failure) in failed {
            fail(active, &failure);
        }
        if let Some(((request, span), failure)) = innermost {
            fail_innermost(&request, span, &failure);
        }
        let worker = WORKER.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, process, flush)) = worker
            && !process.is_another()
        {
            flush(ABORT_FLUSH_TIMEOUT);
        }
        // The hook may have stopped waiting.
        let _ = done.send(());
    });
    LastRecords(started.is_ok().then_some(is_done))
}

impl LastRecords {
    /// Waits until the thread has finished, or for a limited time.
    pub(super) fn wait(self) {
        if let Some(is_done) = self.0 {
            // The flush has its own timeout; this one also covers the time before the flush.
            let _ = is_done.recv_timeout(ABORT_FLUSH_TIMEOUT + ABORT_FLUSH_TIMEOUT / 4);
        }
    }
}

/// Returns `true` on the worker's thread and on threads started by this module, which nobody may
/// wait for.
fn is_ours() -> bool {
    let is_worker = || {
        let worker = WORKER.try_lock().ok()?;
        worker.as_ref().map(|(worker, ..)| *worker == thread::current().id())
    };
    ENDS_RUNS.try_with(Cell::get).unwrap_or(true) || is_worker().unwrap_or(false)
}

/// Records the end of a tracked run as failed.
fn fail(active: ActiveRun, failure: &Failure) {
    let ActiveRun { request, run } = active;
    let mut fields = FieldBuffer::begin();
    fields.failure(failure);
    // The time spent in polls is known only to the run itself.
    let ended = RunEnd { at: request.now(), busy: None, outcome: Outcome::Failed };
    dispatch::send_if_enabled(&request, Admission::Guaranteed, entry::end_with_start(&run, &ended), &fields);
}

/// Ends a run of which only the span is known.
fn fail_innermost(request: &Arc<Request>, span: SpanId, failure: &Failure) {
    let mut fields = FieldBuffer::begin();
    fields.failure(failure);
    let ended = RunEnd { at: request.now(), busy: None, outcome: Outcome::Failed };
    dispatch::send_if_enabled(request, Admission::Guaranteed, entry::end(span, &ended), &fields);
}
