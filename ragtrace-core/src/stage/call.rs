//! Synchronous stages.

use std::mem::ManuallyDrop;

use crate::guard::{Payload, contain};
use crate::stage::span::{Ending, Span};
use crate::stage::unwind::{self, LARGEST_MOVED};

impl Span {
    /// Begins the run, which is a call that the caller makes with [`Call::run`], or itself where
    /// that [`is_large`].
    #[inline]
    pub fn call(&mut self) -> Call<'_> {
        std::mem::forget(self.enter_call());
        Call(self)
    }

    /// Runs `body` as the run, and has `on_end` record what is of interest in the result, which
    /// this returns.
    pub(crate) fn run_call<T>(mut self, body: impl FnOnce() -> T, on_end: impl FnOnce(&T, &mut Ending<'_>)) -> T {
        let mut call = self.call();
        let output = call.run(body);
        call.end(|ending| on_end(&output, ending));
        output
    }
}

/// Returns whether the arguments that `body` has, or what it returns, are too large to go through a
/// function of ours.
#[inline]
pub const fn is_large<T, B: FnOnce() -> T>(_body: &B) -> bool {
    size_of::<B>() > LARGEST_MOVED || size_of::<T>() > LARGEST_MOVED
}

/// A run whose call goes on. Dropped without [`Call::end`] it means that the call panicked.
#[derive(Debug)]
#[must_use = "a stage that is dropped has panicked"]
pub struct Call<'a>(&'a mut Span);

impl Call<'_> {
    /// Makes the call. If it panics, the run fails by that panic, which goes on.
    #[inline]
    pub fn run<T>(&mut self, body: impl FnOnce() -> T) -> T {
        match contain(body) {
            Ok(output) => output,
            Err(payload) => self.go_on(payload),
        }
    }

    /// Ends the run. `on_end` records what is of interest in the result, if anybody listens.
    #[inline]
    pub fn end(self, on_end: impl FnOnce(&mut Ending<'_>)) {
        let mut call = ManuallyDrop::new(self);
        unwind::run(call.0, |span| span.entered().finish(on_end));
    }

    #[cold]
    #[inline(never)]
    fn go_on(&mut self, payload: Box<Payload>) -> ! {
        drop(self.0.entered());
        unwind::go_on(self.0, payload)
    }
}

impl Drop for Call<'_> {
    #[inline]
    fn drop(&mut self) {
        drop(self.0.entered());
        self.0.fail_unseen();
    }
}
