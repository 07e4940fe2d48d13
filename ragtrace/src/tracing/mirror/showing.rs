//! Our calls into `tracing` on this thread, and what they show.
//!
//! A layer that is called so may call anything: what it logs is its own, and a stage that begins in
//! it is not shown, or showing it would have no end.

use std::cell::Cell;

use ragtrace_core::guard::{contain, dispose};

/// Stands for a call that is of no site.
const NO_SITE: usize = 1;

thread_local! {
    /// The address of the site that is shown, [`NO_SITE`], or 0 outside of our calls.
    static SHOWING: Cell<usize> = const { Cell::new(0) };
}

/// Returns whether this thread is inside a call of ours.
#[inline]
pub(super) fn is_showing() -> bool {
    SHOWING.get() != 0
}

/// Returns whether it is the site of this address that is being shown.
#[inline]
pub(super) fn is_showing_site(address: usize) -> bool {
    SHOWING.get() == address
}

/// Does `call`, which shows the site of this address. A layer that panics in it costs what it was
/// called for, and no more.
pub(super) fn site<T>(address: usize, call: impl FnOnce() -> T) -> Option<T> {
    let before = SHOWING.replace(address);
    let done = contain(call).map_err(dispose).ok();
    SHOWING.set(before);
    done
}

/// Does `call`, which enters, leaves or closes a span, or adds to it, as [`site`].
pub(super) fn span<T>(call: impl FnOnce() -> T) -> Option<T> {
    site(NO_SITE, call)
}
