//! Asynchronous stages.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use crate::guard::contain;
use crate::stage::span::{Ending, Span};
use crate::stage::unwind::{self, LARGEST_MOVED, LeavesUnseen};

/// Creates the future of a run from its body and from the function that records fields from the
/// result. The function is called only if the run is recorded.
// Inlined, so that the body is built in its final place.
#[inline]
pub fn run<F, E>(span: Span, body: F, on_end: E) -> StageFuture<F, E>
where
    F: Future,
    E: FnMut(&F::Output, &mut Ending<'_>),
{
    StageFuture { body, on_end, span }
}

pin_project! {
    /// An asynchronous stage. Its context is current only during its polls, and its end is recorded
    /// when it returns, panics or is dropped.
    #[must_use = "futures do nothing unless polled or awaited"]
    pub struct StageFuture<F, E> {
        #[pin]
        body: F,
        on_end: E,
        // The last field, so that it is dropped after the body: a stage inside the body is
        // cancelled before this one.
        span: Span,
    }

    impl<F, E> PinnedDrop for StageFuture<F, E> {
        fn drop(this: Pin<&mut Self>) {
            this.project().span.before_drop();
        }
    }
}

impl<F, E> StageFuture<F, E> {
    /// Creates a stage whose run has not begun.
    pub(crate) fn idle(body: F, on_end: E) -> Self {
        Self { body, on_end, span: Span::none() }
    }

    /// Sets the run, which begins at the next poll.
    pub(crate) fn set_run(self: Pin<&mut Self>, run: Span) {
        *self.project().span = run;
    }
}

impl<F, E> Future for StageFuture<F, E>
where
    F: Future,
    E: FnMut(&F::Output, &mut Ending<'_>),
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        poll(self, cx)
    }
}

impl<F, E> FusedFuture for StageFuture<F, E>
where
    F: FusedFuture,
    E: FnMut(&F::Output, &mut Ending<'_>),
{
    fn is_terminated(&self) -> bool {
        self.body.is_terminated()
    }
}

// A function with a short name: each stage has an instance, and programs keep the symbol names.
#[inline(never)]
fn poll<F, E>(stage: Pin<&mut StageFuture<F, E>>, cx: &mut Context<'_>) -> Poll<F::Output>
where
    F: Future,
    E: FnMut(&F::Output, &mut Ending<'_>),
{
    let this = stage.project();
    let (span, body, on_end) = (this.span, this.body, this.on_end);
    // A constant, so that the compiler generates only one of the two branches for each stage.
    if const { size_of::<F::Output>() > LARGEST_MOVED } {
        // Keeps the number of functions between the body and the consumer of its result low.
        let guard = LeavesUnseen(span);
        let polled = poll_body(guard.0, body, cx, on_end);
        mem::forget(guard);
        return polled;
    }
    match contain(|| poll_body(span, body, cx, on_end)) {
        Ok(polled) => polled,
        Err(payload) => unwind::leave_and_go_on(span, payload),
    }
}

/// Polls the body in the run's context. After a panic the context is still on the thread, and the
/// caller removes it.
#[inline]
fn poll_body<F, E>(span: &mut Span, body: Pin<&mut F>, cx: &mut Context<'_>, on_end: &mut E) -> Poll<F::Output>
where
    F: Future,
    E: FnMut(&F::Output, &mut Ending<'_>),
{
    span.enter_unguarded();
    let polled = body.poll(cx);
    if span.is_active() {
        match &polled {
            Poll::Pending => {
                span.pause();
            }
            Poll::Ready(output) => {
                let mut ending = span.finish();
                on_end(output, &mut ending);
                ending.record();
            }
        }
    }
    polled
}

impl<F, E> fmt::Debug for StageFuture<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StageFuture").field("span", &self.span).finish_non_exhaustive()
    }
}
