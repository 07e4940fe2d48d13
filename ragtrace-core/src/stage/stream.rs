//! Stages that are streams. The stage ends when the stream ends.
//!
//! An item that is an `Err` fails the stage immediately. If its consumer goes on, the stream
//! continues in the stage's context, but further items are not counted.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::{FusedStream, Stream};
use pin_project_lite::pin_project;

use crate::context::RequestContext;
use crate::context::entered::Entered;
use crate::event::Failure;
use crate::stage::deferred::{Deferred, PendingRun};
use crate::stage::span::{Ending, Span};
use crate::stage::unwind;
use crate::time::Ticks;

/// A stream and its run, still without the function that handles items.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct StreamBody<S> {
    body: S,
    span: Span,
    pending: Option<PendingRun>,
}

impl Deferred {
    /// Sets the body of the run to the stream that `body` returns. The run begins at the stream's
    /// first poll.
    pub fn stream<T, S: Stream<Item = T>>(self, body: impl FnOnce() -> S) -> StreamBody<S> {
        StreamBody { body: body(), span: Span::none(), pending: self.into_pending() }
    }
}

impl Span {
    /// Calls `body` as part of the run, which continues with the returned stream.
    pub fn call_stream<T, S: Stream<Item = T>>(mut self, body: impl FnOnce() -> S) -> StreamBody<S> {
        let body = unwind::run(&mut self, |span| {
            let entered = span.enter();
            let body = body();
            entered.pause();
            body
        });
        StreamBody { body, span: self, pending: None }
    }

    /// Calls `body` as part of the run, which continues with the returned stream. If `body` returns
    /// an error the run fails, and `on_error` records the failure.
    pub fn try_call_stream<T, S: Stream<Item = T>, E>(
        mut self,
        body: impl FnOnce() -> Result<S, E>,
        on_error: impl FnOnce(&E, &mut OpenStream<'_>),
    ) -> Result<StreamBody<S>, E> {
        let result = unwind::run(&mut self, |span| {
            let entered = span.enter();
            let result = body();
            entered.pause();
            result
        });
        self.go_on(result, on_error)
    }

    /// Awaits `body` as part of the run, which continues with the resulting stream.
    pub async fn await_stream<T, S: Stream<Item = T>>(self, body: impl Future<Output = S>) -> StreamBody<S> {
        let (span, body) = Awaiting { body, span: Some(self) }.await;
        StreamBody { body, span, pending: None }
    }

    /// Awaits `body` as part of the run, which continues with the resulting stream. If `body`
    /// returns an error the run fails, and `on_error` records the failure.
    pub async fn try_await_stream<T, S: Stream<Item = T>, E>(
        self,
        body: impl Future<Output = Result<S, E>>,
        on_error: impl FnOnce(&E, &mut OpenStream<'_>),
    ) -> Result<StreamBody<S>, E> {
        let (span, result) = Awaiting { body, span: Some(self) }.await;
        span.go_on(result, on_error)
    }

    /// Continues the run with the stream in `result`, or fails it with the error.
    fn go_on<S, E>(
        mut self,
        result: Result<S, E>,
        on_error: impl FnOnce(&E, &mut OpenStream<'_>),
    ) -> Result<StreamBody<S>, E> {
        match result {
            Ok(body) => Ok(StreamBody { body, span: self, pending: None }),
            Err(error) => {
                let mut after_failure = None;
                let (at, items) = (self.now(), ItemCounts::default());
                on_error(&error, &mut OpenStream { span: &mut self, after_failure: &mut after_failure, at, items });
                Err(error)
            }
        }
    }
}

impl<S: Stream> StreamBody<S> {
    /// Sets the function that is called with each item and fails the run if the item is an error.
    pub fn items<I: FnMut(&S::Item, &mut OpenStream<'_>)>(self, on_item: I) -> StageStream<S, I> {
        let Self { body, span, pending } = self;
        StageStream { body: Some(body), on_item, span, pending, items: ItemCounts::default(), after_failure: None }
    }
}

/// The items of a stream so far: their number, and the time until the first.
#[derive(Clone, Copy, Debug, Default)]
struct ItemCounts {
    count: u64,
    first: Option<Duration>,
}

/// A run that can be failed while its stream continues.
#[derive(Debug)]
pub struct OpenStream<'a> {
    span: &'a mut Span,
    /// Receives the context if the run fails and the stream goes on.
    after_failure: &'a mut Option<RequestContext>,
    at: Ticks,
    items: ItemCounts,
}

impl OpenStream<'_> {
    /// Ends the run as failed. Further fields can be recorded until the returned value is dropped.
    /// If the run has already ended, they are ignored.
    pub fn fail(&mut self, failure: Box<Failure>) -> Ending<'_> {
        if self.span.is_active() {
            *self.after_failure = self.span.context();
        }
        let mut ending = self.span.end_at(self.at);
        ending.fail(failure);
        self.items.record(&mut ending);
        ending
    }
}

impl ItemCounts {
    fn record(&self, ending: &mut Ending<'_>) {
        ending.count(Some(self.count));
        ending.first_item(self.first);
    }
}

pin_project! {
    /// A stage that is a stream.
    #[must_use = "streams do nothing unless polled"]
    pub struct StageStream<S, I> {
        #[pin]
        body: Option<S>,
        on_item: I,
        span: Span,
        pending: Option<PendingRun>,
        items: ItemCounts,
        after_failure: Option<RequestContext>,
    }

    impl<S, I> PinnedDrop for StageStream<S, I> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.span.is_active() {
                let (body, items) = (&mut this.body, &*this.items);
                unwind::run_unseen(this.span, |span| {
                    let entered = span.enter_to_drop();
                    body.set(None);
                    entered.finish(|ending| {
                        ending.cancel();
                        items.record(ending);
                    });
                });
            } else if this.after_failure.is_some() {
                let _entered = Entered::new(this.after_failure);
                this.body.set(None);
            }
        }
    }
}

impl<S, I> Stream for StageStream<S, I>
where
    S: Stream,
    I: FnMut(&S::Item, &mut OpenStream<'_>),
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.project();
        if let Some(pending) = this.pending.take() {
            *this.span = pending.into_span();
        }
        // The body is removed only by the destructor.
        let Some(body) = this.body.as_pin_mut() else { return Poll::Ready(None) };
        let context = this.after_failure.is_some().then(|| Entered::new(this.after_failure));
        let items = &*this.items;
        let polled = unwind::run(this.span, |span| {
            let entered = span.enter();
            match body.poll_next(cx) {
                Poll::Pending => {
                    entered.pause();
                    Poll::Pending
                }
                Poll::Ready(None) => {
                    entered.finish(|ending| items.record(ending));
                    Poll::Ready(None)
                }
                Poll::Ready(Some(item)) => Poll::Ready(Some((item, entered.pause()))),
            }
        });
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some((item, at))) => {
                drop(context);
                if let Some(at) = at {
                    this.items.count += 1;
                    this.items.first.get_or_insert_with(|| this.span.since_start(at));
                    (this.on_item)(
                        &item,
                        &mut OpenStream { span: this.span, after_failure: this.after_failure, at, items: *this.items },
                    );
                }
                Poll::Ready(Some(item))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.body.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

impl<S, I> FusedStream for StageStream<S, I>
where
    S: FusedStream,
    I: FnMut(&S::Item, &mut OpenStream<'_>),
{
    fn is_terminated(&self) -> bool {
        self.body.as_ref().is_none_or(FusedStream::is_terminated)
    }
}

impl<S, I> fmt::Debug for StageStream<S, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StageStream").field("span", &self.span).field("items", &self.items).finish_non_exhaustive()
    }
}

pin_project! {
    /// The part of a run before its stream.
    struct Awaiting<F> {
        #[pin]
        body: F,
        span: Option<Span>,
    }

    impl<F> PinnedDrop for Awaiting<F> {
        fn drop(this: Pin<&mut Self>) {
            if let Some(span) = this.project().span {
                span.cancel();
            }
        }
    }
}

impl<F: Future> Future for Awaiting<F> {
    type Output = (Span, F::Output);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(span) = this.span else { return Poll::Pending };
        let body = this.body;
        let polled = unwind::run(span, |span| {
            let entered = span.enter();
            let polled = body.poll(cx);
            entered.pause();
            polled
        });
        match (polled, this.span.take()) {
            (Poll::Ready(output), Some(span)) => Poll::Ready((span, output)),
            (_, span) => {
                *this.span = span;
                Poll::Pending
            }
        }
    }
}
