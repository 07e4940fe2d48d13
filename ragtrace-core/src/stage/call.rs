//! Synchronous stages.

use crate::stage::span::{Ending, Span};
use crate::stage::unwind;

impl Span {
    /// Gives the run a call as its body.
    #[inline]
    pub fn call<T, B: FnOnce() -> T>(self, body: B) -> CallBody<B> {
        CallBody { body, span: self }
    }
}

/// A run and its body, which still needs what to record of the result.
#[derive(Debug)]
#[must_use = "a stage does nothing unless it is run"]
pub struct CallBody<B> {
    body: B,
    span: Span,
}

impl<T, B: FnOnce() -> T> CallBody<B> {
    /// Runs the body, and has `on_end` record what is of interest in the result, which this returns. `on_end` runs
    /// only if somebody listens.
    #[inline]
    pub fn end(mut self, mut on_end: impl FnMut(&T, &mut Ending<'_>)) -> T {
        if size_of::<B>() > unwind::LARGEST_MOVED {
            return self.end_in_place(on_end);
        }
        let body = self.body;
        unwind::run(&mut self.span, |span| {
            let entered = span.enter_call();
            let output = body();
            entered.finish(|ending| on_end(&output, ending));
            output
        })
    }

    /// Does as [`CallBody::end`] without moving the body, which may fill a good part of the stack.
    #[inline]
    fn end_in_place(mut self, mut on_end: impl FnMut(&T, &mut Ending<'_>)) -> T {
        unwind::run_unseen(&mut self.span, |span| {
            let entered = span.enter_call();
            let output = (self.body)();
            entered.finish(|ending| on_end(&output, ending));
            output
        })
    }
}
