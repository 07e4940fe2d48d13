//! Synchronous stages.

use crate::stage::span::{Ending, Span};

impl Span {
    /// The run's body, if it is a call.
    #[inline]
    pub fn call<T, B: FnOnce() -> T>(self, body: B) -> Calling<B> {
        Calling { body, span: self }
    }
}

/// A run and its body, before it is said what to record of the result.
#[derive(Debug)]
#[must_use = "a stage does nothing unless it is run"]
pub struct Calling<B> {
    body: B,
    span: Span,
}

impl<T, B: FnOnce() -> T> Calling<B> {
    /// Runs the body, and has `on_end` record what is of interest in the result, which this returns. `on_end` runs
    /// only if somebody listens.
    #[inline]
    pub fn end(mut self, mut on_end: impl FnMut(&T, &mut Ending<'_>)) -> T {
        let inside = self.span.enter_call();
        let output = (self.body)();
        inside.finish(|ending| on_end(&output, ending));
        output
    }
}
