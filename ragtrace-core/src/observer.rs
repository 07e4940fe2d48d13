//! A port for whoever else follows runs, on the threads that they run on: what keeps track of them
//! for the end of the process, a layer that shows them to others.
//!
//! While an observer is active it hears of each run that begins, of the run's every arrival on a
//! thread and departure from it, and of its end, there and then; of these also when no observer is
//! active any more. One that is idle hears of the runs that are followed anyway: for another
//! observer, or since their bodies record fields. Either may hear of a run of which it did not hear
//! the beginning. Where none is active, a run asks at its beginning and at its end alone.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::context::Request;
use crate::entry::{Run, RunEnd};
use crate::id::SpanId;
use crate::value::FieldBuffer;

/// Follows runs. Its methods are called inside the application's functions: they neither block nor
/// panic.
pub trait Observer: Send + Sync {
    /// A run begins; `fields` are those of its start.
    fn began(&self, request: &Arc<Request>, run: &Run, fields: &FieldBuffer) {
        let _ = (request, run, fields);
    }

    /// A run is on this thread from here on: for one poll, or for the length of a call.
    fn entered(&self, request: &Arc<Request>, run: &Run) {
        let _ = (request, run);
    }

    /// A run leaves this thread: the one that entered it last.
    fn left(&self, span: SpanId) {
        let _ = span;
    }

    /// The body of a run has recorded fields with `record!`.
    fn recorded(&self, run: &Run, fields: &FieldBuffer) {
        let _ = (run, fields);
    }

    /// A run has ended; `fields` are those of its end.
    fn ended(&self, request: &Arc<Request>, run: &Run, end: &RunEnd, fields: &FieldBuffer) {
        let _ = (request, run, end, fields);
    }
}

/// The most observers of a process.
const MAX_OBSERVERS: usize = 4;

static OBSERVERS: [OnceLock<&'static dyn Observer>; MAX_OBSERVERS] = [const { OnceLock::new() }; MAX_OBSERVERS];
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// How many observers are active.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);

/// Adds an observer, for the rest of the process, which is active from then on. Returns whether
/// there was room for it.
pub fn add(observer: &'static dyn Observer) -> bool {
    let added = add_idle(observer);
    if added {
        activate();
    }
    added
}

/// Adds an observer, for the rest of the process, which is active once it calls [`activate`].
/// Returns whether there was room for it.
pub fn add_idle(observer: &'static dyn Observer) -> bool {
    static ADDING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = ADDING.lock().unwrap_or_else(PoisonError::into_inner);
    let count = COUNT.load(Ordering::Relaxed);
    let added = OBSERVERS.get(count).is_some_and(|free| free.set(observer).is_ok());
    if added {
        COUNT.store(count + 1, Ordering::Release);
    }
    added
}

/// Counts one active observer more. It may be called under any lock, since it does nothing else.
pub fn activate() {
    ACTIVE.fetch_add(1, Ordering::Relaxed);
}

/// Counts one active observer fewer, as [`activate`].
pub fn deactivate() {
    ACTIVE.fetch_sub(1, Ordering::Relaxed);
}

/// Returns whether an observer is active.
#[inline]
pub(crate) fn any() -> bool {
    ACTIVE.load(Ordering::Relaxed) != 0
}

/// Calls `call` with each observer.
#[cold]
pub(crate) fn each(mut call: impl FnMut(&dyn Observer)) {
    OBSERVERS.iter().map_while(OnceLock::get).for_each(|observer| call(*observer));
}
