//! Panics that pass a run: the run fails by them, and they go on.
//!
//! What a panic says is in its payload, which only whoever catches it sees; so the body of a run is
//! called inside `catch_unwind`, and the panic goes on as it came (`resume_unwind` runs no hook).
//! Nothing is paid for that as long as nothing panics, but what the body returns is moved once
//! more. A large value is not: its run fails by what the panic hook has noted of the panic.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::guard::Payload;
use crate::stage::span::Span;

/// The largest value, in bytes, that is moved for the sake of the panic's text.
pub(crate) const LARGEST_MOVED: usize = 1_024;

/// Calls `body`, which enters the run and leaves it. A panic fails the run, if it has not ended,
/// and goes on.
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

/// Does as [`run`] without moving anything. The panic's payload is not seen.
#[inline]
pub(crate) fn run_unseen<T>(span: &mut Span, body: impl FnOnce(&mut Span) -> T) -> T {
    let guard = FailsUnseen(span);
    let output = body(guard.0);
    mem::forget(guard);
    output
}

/// Fails the run by a panic whose payload nobody sees. It is forgotten where there is none.
struct FailsUnseen<'a>(&'a mut Span);

impl Drop for FailsUnseen<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.fail_unseen();
    }
}

/// Leaves the thread, if the run is still on it, and fails the run by a panic whose payload nobody
/// sees. It is forgotten where there is none.
pub(crate) struct LeavesUnseen<'a>(pub(crate) &'a mut Span);

impl Drop for LeavesUnseen<'_> {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        self.0.leave_if_entered();
        self.0.fail_unseen();
    }
}

/// Does as [`go_on`] for a run that may still be on the thread, which it leaves first.
#[cold]
#[inline(never)]
pub(crate) fn leave_and_go_on(span: &mut Span, payload: Box<Payload>) -> ! {
    span.leave_if_entered();
    go_on(span, payload)
}

/// Fails the run by the panic whose payload this is, if it has not ended, and lets the panic go on.
#[cold]
#[inline(never)]
pub(crate) fn go_on(span: &mut Span, payload: Box<Payload>) -> ! {
    span.fail_by(&*payload);
    resume_unwind(payload)
}
