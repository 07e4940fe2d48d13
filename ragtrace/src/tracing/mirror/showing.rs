//! The calls of this crate into `tracing` on this thread, and the callsites that they show.
//!
//! A layer that is called in this way may run any code: events that it logs are its own, and a
//! stage that begins in it is not shown, because showing it would never end.

use std::cell::Cell;

use ragtrace_core::guard::{contain, dispose};

/// Stands for a call without a callsite.
const NO_SITE: usize = 1;

thread_local! {
    /// The address of the callsite being shown, [`NO_SITE`], or 0 outside of such calls.
    static SHOWING: Cell<usize> = const { Cell::new(0) };
}

/// Returns `true` if this thread is inside of such a call.
#[inline]
pub(super) fn is_showing() -> bool {
    SHOWING.get() != 0
}

/// Returns `true` if the callsite at this address is being shown.
#[inline]
pub(super) fn is_showing_site(address: usize) -> bool {
    SHOWING.get() == address
}

/// Runs `call`, which shows the callsite at this address. A panic of a layer loses only this call.
pub(super) fn site<T>(address: usize, call: impl FnOnce() -> T) -> Option<T> {
    let before = SHOWING.replace(address);
    let done = contain(call).map_err(dispose).ok();
    SHOWING.set(before);
    done
}

/// Runs `call`, which enters, leaves, closes or extends a span, as [`site`] does.
pub(super) fn span<T>(call: impl FnOnce() -> T) -> Option<T> {
    site(NO_SITE, call)
}
