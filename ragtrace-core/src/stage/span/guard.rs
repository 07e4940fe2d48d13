//! The time inside one poll or call.

use std::mem::ManuallyDrop;

use super::{Ending, Span};
use crate::context::current;
use crate::stage::panic;
use crate::time::Ticks;

impl Span {
    /// Puts the run's context on the thread until the guard ends. The first time this begins the
    /// run.
    // The question whether there is a run is inlined, so that without one a poll has no call in it;
    // the rest is not, so that a stage adds little code.
    #[inline]
    pub(crate) fn enter(&mut self) -> EnteredSpan<'_> {
        if self.is_active() {
            self.enter_poll();
        }
        EnteredSpan(self)
    }

    /// Does as [`Span::enter`] without a guard: the caller catches panics, and leaves the thread in
    /// any case.
    #[inline]
    pub(crate) fn enter_unguarded(&mut self) {
        if self.is_active() {
            self.enter_poll();
        }
    }

    /// Leaves the thread after a panic, unless it was left before the result was read.
    #[cold]
    #[inline(never)]
    pub(crate) fn leave_if_entered(&mut self) {
        if self.is_active() && !self.is_aside() {
            self.leave(false);
        }
    }

    /// Begins a run that is a call, which has no polls, and puts its context on the thread until
    /// the guard ends.
    #[inline]
    pub(crate) fn enter_call(&mut self) -> EnteredSpan<'_> {
        if self.is_active() {
            self.begin_call();
        }
        EnteredSpan(self)
    }

    /// Returns the guard of a run that is entered.
    #[inline]
    pub(crate) fn entered(&mut self) -> EnteredSpan<'_> {
        EnteredSpan(self)
    }

    /// Enters the run for the drop of its body. A panic of the run that was caught is not the one
    /// that a destructor may raise.
    pub(crate) fn enter_to_drop(&mut self) -> EnteredSpan<'_> {
        if self.is_active() {
            self.enter_poll();
            panic::forget(current::span());
        }
        EnteredSpan(self)
    }

    /// Leaves the thread after a poll that returned, and returns when that was. The run, which is
    /// active, goes on.
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

/// A run whose poll or call goes on. Dropped without [`EnteredSpan::pause`] or
/// [`EnteredSpan::finish`] it means that the poll panicked, whatever else goes on in the thread:
/// the run leaves the thread, and whoever meets the panic next ends it.
pub(crate) struct EnteredSpan<'a>(&'a mut Span);

impl EnteredSpan<'_> {
    /// Leaves the thread after a poll that returned, and returns when that was. The run goes on.
    #[inline]
    pub(crate) fn pause(self) -> Option<Ticks> {
        // Out of the guard, which would take the poll for one that panicked.
        let mut entered = ManuallyDrop::new(self);
        if entered.0.is_active() { Some(entered.0.pause()) } else { None }
    }

    /// Ends the run after its last poll or its call; `on_end` records what is of interest, if
    /// anybody listens.
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
