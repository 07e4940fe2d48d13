//! Panics that pass through a run: the run fails, and the panic continues.
//!
//! A panic's text is in its payload, which is available only to the code that catches the panic.
//! The body of a run is therefore called inside `catch_unwind`, and the panic continues with
//! `resume_unwind`, which runs no hook. Without a panic this costs only one more move of the body's
//! result. A large result is not moved: in that case the run fails with the text that the panic
//! hook has noted.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::guard::Payload;
use crate::stage::span::Span;

/// The size of the largest value, in bytes, that is moved to obtain the text of a possible panic.
pub(crate) const LARGEST_MOVED: usize = 1_024;

/// Calls `body`, which enters and leaves the run. If it panics, the run fails, unless it has
/// already ended, and the panic continues.
#[inline]
pub(crate) fn run<T>(span: &mut Span, body: impl FnOnce(&mut Span) -> T) -> T {
    if const { size_of::<T>() > LARGEST_MOVED } { run_unseen(span, body) } else { run_seen(span, body) }
}

#[inline]
fn run_seen<T>(span: &mut Span, body: impl FnOnce(&mut Span) -> T) -> T {
    match catch_unwind(AssertUnwindSafe(|| body(span))) {
        Ok(output) => output,
        Err(payload) => go_on(span, payload),
    }
}

/// Calls `body` as [`run`] does, but without moving its result and without access to a panic's
/// payload.
#[inline]
pub(crate) fn run_unseen<T>(span: &mut Span, body: impl FnOnce(&mut Span) -> T) -> T {
    let guard = FailsUnseen(span);
    let output = body(guard.0);
    mem::forget(guard);
    output
}

/// A guard that fails the run when it is dropped by a panic. Without a panic it is forgotten.
struct FailsUnseen<'a>(&'a mut Span);

impl Drop for FailsUnseen<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.fail_unseen();
    }
}

/// A guard that leaves the thread, if the run is still on it, and fails the run when it is dropped
/// by a panic. Without a panic it is forgotten.
pub(crate) struct LeavesUnseen<'a>(pub(crate) &'a mut Span);

impl Drop for LeavesUnseen<'_> {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        self.0.leave_if_entered();
        self.0.fail_unseen();
    }
}

/// Leaves the thread, if the run is still on it, and then continues the panic with [`go_on`].
#[cold]
#[inline(never)]
pub(crate) fn leave_and_go_on(span: &mut Span, payload: Box<Payload>) -> ! {
    span.leave_if_entered();
    go_on(span, payload)
}

/// Fails the run, unless it has ended, by a panic with the given payload, and resumes the panic.
#[cold]
#[inline(never)]
pub(crate) fn go_on(span: &mut Span, payload: Box<Payload>) -> ! {
    span.fail_by(&*payload);
    resume_unwind(payload)
}
