//! Synchronous stages.

use crate::stage::span::{Ending, EnteredSpan, Span};

impl Span {
    /// Begins the run, which is a call that the caller makes itself: its arguments and its result may be large, and go through
    /// no function of ours.
    #[inline]
    pub fn call(&mut self) -> Call<'_> {
        Call(self.enter_call())
    }

    /// Runs `body` as the run, and has `on_end` record what is of interest in the result, which this returns.
    pub(crate) fn run_call<T>(mut self, body: impl FnOnce() -> T, on_end: impl FnOnce(&T, &mut Ending<'_>)) -> T {
        let call = self.call();
        let output = body();
        call.end(|ending| on_end(&output, ending));
        output
    }
}

/// A run whose call goes on. Dropped without [`Call::end`] it means that the call panicked.
#[must_use = "a stage that is dropped has panicked"]
pub struct Call<'a>(EnteredSpan<'a>);

impl Call<'_> {
    /// Ends the run. `on_end` records what is of interest in the result, if anybody listens.
    #[inline]
    pub fn end(self, on_end: impl FnOnce(&mut Ending<'_>)) {
        self.0.finish(on_end);
    }
}
