//! Synchronous stages.

use crate::stage::span::{Ending, Span};
use crate::stage::unwind::{self, FailsUnseen, LARGEST_MOVED};

impl Span {
    /// Runs `body` as the run, and has `on_end` record what is of interest in the result, which this returns. `on_end` runs
    /// only if somebody listens.
    // The body has the caller's arguments, which may be large: then it is handed on to nobody else.
    #[inline]
    pub fn call<T, B: FnOnce() -> T>(self, body: B, on_end: impl FnMut(&T, &mut Ending<'_>)) -> T {
        if size_of::<B>() > LARGEST_MOVED { self.call_in_place(body, on_end) } else { self.call_seen(body, on_end) }
    }

    #[inline]
    fn call_seen<T>(mut self, body: impl FnOnce() -> T, mut on_end: impl FnMut(&T, &mut Ending<'_>)) -> T {
        unwind::run(&mut self, |span| {
            let entered = span.enter_call();
            let output = body();
            entered.finish(|ending| on_end(&output, ending));
            output
        })
    }

    #[inline]
    fn call_in_place<T>(mut self, body: impl FnOnce() -> T, mut on_end: impl FnMut(&T, &mut Ending<'_>)) -> T {
        let guard = FailsUnseen(&mut self);
        let entered = guard.0.enter_call();
        let output = body();
        entered.finish(|ending| on_end(&output, ending));
        std::mem::forget(guard);
        output
    }
}
