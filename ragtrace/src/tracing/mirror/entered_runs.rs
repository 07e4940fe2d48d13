//! The runs that are entered on this thread.

use std::cell::RefCell;

use ragtrace_core::{SpanId, TraceId};

use super::tracing_span::Surrounding;

thread_local! {
    /// The innermost run is the last.
    static ENTERED: RefCell<Vec<EnteredRun>> = const { RefCell::new(Vec::new()) };
}

/// A run that is entered on this thread.
#[derive(Clone)]
pub(super) struct EnteredRun {
    pub(super) run: SpanId,
    pub(super) trace: TraceId,
    pub(super) surrounding: Surrounding,
}

/// Notes that a run is entered. Returns `false` in a thread that is ending, which keeps no notes
/// any more.
pub(super) fn push(entered: EnteredRun) -> bool {
    ENTERED.try_with(|all| all.borrow_mut().push(entered)).is_ok()
}

/// Undoes the last [`push`] of this run.
pub(super) fn take(run: SpanId) -> Option<EnteredRun> {
    // The caller drops the result, after the borrow has ended.
    let take = |all: &RefCell<Vec<EnteredRun>>| {
        let mut all = all.borrow_mut();
        let at = all.iter().rposition(|entered| entered.run == run)?;
        Some(all.remove(at))
    };
    ENTERED.try_with(take).ok().flatten()
}

/// Returns the innermost run that is entered.
pub(super) fn innermost() -> Option<EnteredRun> {
    ENTERED.try_with(|all| all.borrow().last().cloned()).ok().flatten()
}

/// Returns `true` if the thread is ending and keeps no notes any more.
pub(super) fn is_over() -> bool {
    ENTERED.try_with(|_| ()).is_err()
}
