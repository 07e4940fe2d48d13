//! An interface for code that follows runs on their own threads: the tracking of running stages for
//! the end of the process, and a layer that shows stages to other `tracing` layers.
//!
//! While an observer is active, it is called when a run begins, each time the run arrives on a
//! thread or leaves it, and when the run ends. Calls for such a run continue after the last
//! observer has become inactive. An inactive observer is called for runs that are followed for
//! another reason: another observer is active, or their bodies record fields. Any observer may
//! therefore be called for a run whose beginning it did not see. If no observer is active, a run
//! makes only one check at its beginning and one at its end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::context::Request;
use crate::entry::{Run, RunEnd};
use crate::id::SpanId;
use crate::value::FieldBuffer;

/// Follows runs of stages.
///
/// The methods are called inside the application's functions, and must neither block nor panic.
pub trait Observer: Send + Sync {
    /// Called when a run begins, with the fields of its start.
    fn began(&self, request: &Arc<Request>, run: &Run, fields: &FieldBuffer) {
        let _ = (request, run, fields);
    }

    /// Called when a run arrives on this thread, for the length of one poll or call.
    fn entered(&self, request: &Arc<Request>, run: &Run) {
        let _ = (request, run);
    }

    /// Called when a run leaves this thread. It is the run that was entered last.
    fn left(&self, span: SpanId) {
        let _ = span;
    }

    /// Called when the body of a run records fields with `record!`.
    fn recorded(&self, run: &Run, fields: &FieldBuffer) {
        let _ = (run, fields);
    }

    /// Called when a run ends, with the fields of its end.
    fn ended(&self, request: &Arc<Request>, run: &Run, end: &RunEnd, fields: &FieldBuffer) {
        let _ = (request, run, end, fields);
    }
}

/// The maximum number of observers in a process.
const MAX_OBSERVERS: usize = 4;

static OBSERVERS: [OnceLock<&'static dyn Observer>; MAX_OBSERVERS] = [const { OnceLock::new() }; MAX_OBSERVERS];
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// Counts the active observers.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);

/// Adds an active observer for the rest of the process. Returns `false` if there are too many.
pub fn add(observer: &'static dyn Observer) -> bool {
    let added = add_idle(observer);
    if added {
        activate();
    }
    added
}

/// Adds an observer for the rest of the process, which is inactive until it calls [`activate`].
/// Returns `false` if there are too many.
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

/// Counts one more active observer. This only increments a counter, so it may be called while
/// holding any lock.
pub fn activate() {
    ACTIVE.fetch_add(1, Ordering::Relaxed);
}

/// Counts one fewer active observer. This may be called while holding any lock.
pub fn deactivate() {
    ACTIVE.fetch_sub(1, Ordering::Relaxed);
}

/// Returns `true` if any observer is active.
#[inline]
pub(crate) fn any() -> bool {
    ACTIVE.load(Ordering::Relaxed) != 0
}

/// Calls `call` with each observer, active or not.
#[cold]
pub(crate) fn each(mut call: impl FnMut(&dyn Observer)) {
    OBSERVERS.iter().map_while(OnceLock::get).for_each(|observer| call(*observer));
}
