//! The guard for one poll or call of a run.

use std::mem::ManuallyDrop;

use super::{Ending, Span};
use crate::context::current;
use crate::stage::panic;
use crate::time::Ticks;

impl Span {
    /// Makes the run's context current until the guard is dropped. The first call begins the run.
    // Only the check for a run is inlined, so that a poll without one contains no call. The rest is
    // not, so that each stage adds little code.
    #[inline]
    pub(crate) fn enter(&mut self) -> EnteredSpan<'_> {
        if self.is_active() {
            self.enter_poll();
        }
        EnteredSpan(self)
    }

    /// Enters the run like [`Span::enter`], but without a guard: the caller catches panics and
    /// leaves the thread in every case.
    #[inline]
    pub(crate) fn enter_unguarded(&mut self) {
        if self.is_active() {
            self.enter_poll();
        }
    }

    /// Leaves the thread after a panic, unless the run left it before its result was read.
    #[cold]
    #[inline(never)]
    pub(crate) fn leave_if_entered(&mut self) {
        if self.is_active() && !self.is_aside() {
            self.leave(false);
        }
    }

    /// Begins a run that is a synchronous call, and makes its context current until the guard is
    /// dropped.
    #[inline]
    pub(crate) fn enter_call(&mut self) -> EnteredSpan<'_> {
        if self.is_active() {
            self.begin_call();
        }
        EnteredSpan(self)
    }

    /// Returns the guard of a run that is already entered.
    #[inline]
    pub(crate) fn entered(&mut self) -> EnteredSpan<'_> {
        EnteredSpan(self)
    }

    /// Enters the run for the drop of its body. The note of an earlier, caught panic is removed, so
    /// that it is not used for a panic of a destructor.
    pub(crate) fn enter_to_drop(&mut self) -> EnteredSpan<'_> {
        if self.is_active() {
            self.enter_poll();
            panic::forget(current::span());
        }
        EnteredSpan(self)
    }

    /// Leaves the thread after a poll that has returned, and returns the time. The run must be
    /// active, and goes on.
    #[inline(never)]
    pub(crate) fn pause(&mut self) -> Ticks {
        self.leave(true)
    }

    #[cold]
    #[inline(never)]
    fn leave_unwound(&mut self) {
        self.leave(false);
    }
}

/// A run whose poll or call is in progress.
///
/// If it is dropped without [`EnteredSpan::pause`] or [`EnteredSpan::finish`], the poll has
/// panicked, even if the thread was unwinding before. The run then leaves the thread, and the code
/// that handles the panic next ends it.
pub(crate) struct EnteredSpan<'a>(&'a mut Span);

impl EnteredSpan<'_> {
    /// Leaves the thread after a poll that has returned, and returns the time. The run goes on.
    #[inline]
    pub(crate) fn pause(self) -> Option<Ticks> {
        // Avoids the guard's destructor, which treats the poll as panicked.
        let mut entered = ManuallyDrop::new(self);
        if entered.0.is_active() { Some(entered.0.pause()) } else { None }
    }

    /// Ends the run after its last poll or its call. `on_end` records fields from the result. It is
    /// called only if the run is recorded.
    #[inline]
    pub(crate) fn finish(self, on_end: impl FnOnce(&mut Ending<'_>)) {
        let mut entered = ManuallyDrop::new(self);
        if entered.0.is_active() {
            let mut ending = entered.0.finish();
            on_end(&mut ending);
            ending.record();
        }
    }
}

impl Drop for EnteredSpan<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_active() {
            self.0.leave_unwound();
        }
    }
}
