//! The last records of a process that a panic ends, as it does under `panic = "abort"` and where it
//! cannot unwind.
//!
//! Nothing unwinds then, so no stage sees its own end. The panic hook ends them instead: under
//! `panic = "abort"` the stages that run on the panicking thread, which an observer keeps track of,
//! have failed; where panics unwind nobody pays for such an observer, and the innermost one has.
//! What was recorded so far is delivered as far as that takes no longer than `ABORT_FLUSH_TIMEOUT`.
//! What runs on other threads, or waits, has no end; its process is gone.
//!
//! A thread of its own does both, and the hook waits for it, so that a lock that the panicking
//! thread may hold stops nothing for longer. The worker is not waited for where it is the one that
//! panics.

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

/// How long the end of the process is held up at most.
const ABORT_FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Delivers what was recorded, for at most this long.
type Flush = dyn Fn(Duration) + Send + Sync;

/// The worker of the installed telemetry, in which process it is, and how it is asked.
static WORKER: Mutex<Option<(ThreadId, Process, Arc<Flush>)>> = Mutex::new(None);

thread_local! {
    /// Whether this thread was started to record the end of another's runs.
    static ENDS_RUNS: Cell<bool> = const { Cell::new(false) };
    /// The runs on this thread, the innermost last.
    static ACTIVE: RefCell<Vec<ActiveRun>> = const { RefCell::new(Vec::new()) };
}

/// A run on a thread, and whose it is.
#[derive(Clone)]
struct ActiveRun {
    request: Arc<Request>,
    run: Run,
}

/// Keeps track of the runs on each thread. It is an observer only where a panic ends the process.
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

/// Whether a panic ends the process, which the profile of the application sets for every crate.
pub const ENDS_THE_PROCESS: bool = cfg!(panic = "abort");

/// Sets how the worker, which runs on `thread`, is asked to deliver.
pub fn flush_by(thread: ThreadId, flush: impl Fn(Duration) + Send + Sync + 'static) {
    *WORKER.lock().unwrap_or_else(PoisonError::into_inner) = Some((thread, Process::current(), Arc::new(flush)));
}

/// A thread that records the end of this one's runs.
pub(super) struct LastRecords(Option<Receiver<()>>);

/// Begins to record what the panic ends that was just noted on this thread.
pub(super) fn begin() -> LastRecords {
    if is_ours() {
        return LastRecords(None);
    }
    let failed: Vec<_> = active_runs().into_iter().map(|active| (active, panic::noted_failure())).collect();
    let innermost = if ENDS_THE_PROCESS { None } else { current::request().zip(current::span()) };
    let innermost = innermost.map(|innermost| (innermost, panic::noted_failure()));
    let (done, is_done) = sync_channel(1);
    // The records say on which thread it was, as its own do.
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
        // The hook may have lost its patience.
        let _ = done.send(());
    });
    LastRecords(started.is_ok().then_some(is_done))
}

impl LastRecords {
    /// Waits until it is done.
    pub(super) fn wait(self) {
        if let Some(is_done) = self.0 {
            // The flush ends by itself; this is for what it does not get to.
            let _ = is_done.recv_timeout(ABORT_FLUSH_TIMEOUT + ABORT_FLUSH_TIMEOUT / 4);
        }
    }
}

/// Returns whether this is a thread that nobody may wait for.
fn is_ours() -> bool {
    let is_worker = || {
        let worker = WORKER.try_lock().ok()?;
        worker.as_ref().map(|(worker, ..)| *worker == thread::current().id())
    };
    ENDS_RUNS.try_with(Cell::get).unwrap_or(true) || is_worker().unwrap_or(false)
}

fn fail(active: ActiveRun, failure: &Failure) {
    let ActiveRun { request, run } = active;
    let mut fields = FieldBuffer::begin();
    fields.failure(failure);
    // How long its polls took is known to the run alone.
    let ended = RunEnd { at: request.now(), busy: None, outcome: Outcome::Failed };
    dispatch::send_if_enabled(&request, Admission::Guaranteed, entry::end_with_start(&run, &ended), &fields);
}

/// Ends a run of which nothing is known but its span.
fn fail_innermost(request: &Arc<Request>, span: SpanId, failure: &Failure) {
    let mut fields = FieldBuffer::begin();
    fields.failure(failure);
    let ended = RunEnd { at: request.now(), busy: None, outcome: Outcome::Failed };
    dispatch::send_if_enabled(request, Admission::Guaranteed, entry::end(span, &ended), &fields);
}
