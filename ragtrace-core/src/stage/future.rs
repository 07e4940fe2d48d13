//! Asynchronous stages.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use crate::stage::span::{Ending, Span};
use crate::stage::unwind::{self, FailsUnseen, LARGEST_MOVED};

impl Span {
    /// Sets the body of the run to a future.
    // Inlined, so that the body is built in its final place.
    #[inline]
    pub fn run<F: Future>(self, body: F) -> FutureBody<F> {
        FutureBody { body, span: self }
    }
}

/// A run with its body, still without the code that records fields from the result.
#[derive(Debug)]
#[must_use = "a stage does nothing unless awaited"]
pub struct FutureBody<F> {
    body: F,
    span: Span,
}

impl<F: Future> FutureBody<F> {
    /// Sets the function that records fields from the result. It is called only if the run is
    /// recorded.
    #[inline]
    pub fn end<E: FnMut(&F::Output, &mut Ending<'_>)>(self, on_end: E) -> StageFuture<F, E> {
        StageFuture { body: self.body, on_end, span: self.span }
    }
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
    if size_of::<F::Output>() > LARGEST_MOVED {
        // Keeps the number of functions between the body and the consumer of its result low.
        let guard = FailsUnseen(this.span);
        let polled = poll_body(guard.0, this.body, cx, this.on_end);
        mem::forget(guard);
        return polled;
    }
    unwind::run(this.span, |span| poll_body(span, this.body, cx, this.on_end))
}

#[inline]
fn poll_body<F, E>(span: &mut Span, body: Pin<&mut F>, cx: &mut Context<'_>, on_end: &mut E) -> Poll<F::Output>
where
    F: Future,
    E: FnMut(&F::Output, &mut Ending<'_>),
{
    let entered = span.enter();
    let polled = body.poll(cx);
    match &polled {
        Poll::Pending => {
            entered.pause();
        }
        Poll::Ready(output) => entered.finish(|ending| on_end(output, ending)),
    }
    polled
}

impl<F, E> fmt::Debug for StageFuture<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StageFuture").field("span", &self.span).finish_non_exhaustive()
    }
}
