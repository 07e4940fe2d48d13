//! Synchronous stages.

use crate::stage::span::{Ending, Span};

impl Span {
    /// The run's body, if it is a call.
    pub fn call<T>(mut self, body: impl FnOnce() -> T) -> Returned<T> {
        self.is_call();
        let inside = self.enter();
        let output = body();
        let ending = inside.finish();
        Returned { output, ending }
    }
}

/// What a run's body returned, before it is said what to record of it.
#[derive(Debug)]
#[must_use = "the value belongs to the caller"]
pub struct Returned<T> {
    output: T,
    ending: Ending,
}

impl<T> Returned<T> {
    /// Has `on_end` record what is of interest in the result, which this returns. It runs only if somebody listens.
    pub fn end(mut self, on_end: impl FnOnce(&T, &mut Ending)) -> T {
        if self.ending.is_heard() {
            on_end(&self.output, &mut self.ending);
        }
        self.output
    }
}
