//! Synchronous stages.

use crate::stage::span::{Ending, Span};

impl Span {
    /// Runs `body` as the run, and has `on_end` record what is of interest in the result, which this returns. `on_end` runs
    /// only if somebody listens.
    // The body has the caller's arguments, which may be large: it is handed on to nobody else.
    #[inline]
    pub fn call<T>(mut self, body: impl FnOnce() -> T, mut on_end: impl FnMut(&T, &mut Ending<'_>)) -> T {
        let entered = self.enter_call();
        let output = body();
        entered.finish(|ending| on_end(&output, ending));
        output
    }
}
