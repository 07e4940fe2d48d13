//! Synchronous stages.

use std::mem::ManuallyDrop;

use crate::guard::{Payload, contain};
use crate::stage::span::{Ending, Span};
use crate::stage::unwind::{self, LARGEST_MOVED};

impl Span {
    /// Begins the run as a synchronous call. Generated code makes the call with [`Call::run`] or,
    /// if [`is_large`] returns `true`, directly.
    #[inline]
    pub fn call(&mut self) -> Call<'_> {
        std::mem::forget(self.enter_call());
        Call(self)
    }

    /// Runs `body` as the run and returns its result, from which `on_end` records fields.
    pub(crate) fn run_call<T>(mut self, body: impl FnOnce() -> T, on_end: impl FnOnce(&T, &mut Ending<'_>)) -> T {
        let mut call = self.call();
        let output = call.run(body);
        call.end(|ending| on_end(&output, ending));
        output
    }
}

/// Returns `true` if the arguments captured by `body`, or its result, are too large to be moved
/// through a function of this crate.
#[inline]
pub const fn is_large<T, B: FnOnce() -> T>(_body: &B) -> bool {
    size_of::<B>() > LARGEST_MOVED || size_of::<T>() > LARGEST_MOVED
}

/// A run whose call is in progress. If it is dropped without [`Call::end`], the call has panicked.
#[derive(Debug)]
#[must_use = "a call that is dropped counts as panicked"]
pub struct Call<'a>(&'a mut Span);

impl Call<'_> {
    /// Makes the call. If it panics, the run fails and the panic continues.
    #[inline]
    pub fn run<T>(&mut self, body: impl FnOnce() -> T) -> T {
        match contain(body) {
            Ok(output) => output,
            Err(payload) => self.go_on(payload),
        }
    }

    /// Ends the run. `on_end` records fields from the result. It is called only if the run is
    /// recorded.
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
