//! Stages of plain functions that return a future: fields are read at the call, and the run starts
//! at the first poll.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use crate::catalog::{CatalogEntry, StageDescriptor};
use crate::dispatch;
use crate::stage::future::StageFuture;
use crate::stage::span::{Ending, Span};
use crate::value::FieldBuffer;

/// A run with its fields that has not begun. It never begins if nobody was recording at the call.
#[derive(Debug)]
pub struct Deferred(Option<PendingRun>);

#[derive(Debug)]
pub(crate) struct PendingRun {
    stage: &'static StageDescriptor,
    /// The encoded fields.
    fields: Box<[u64]>,
}

/// Reads the fields of a run of `stage` that begins later.
pub fn open_deferred(stage: &'static CatalogEntry, fields: impl FnOnce(&mut FieldBuffer)) -> Deferred {
    if !dispatch::is_enabled() {
        return Deferred(None);
    }
    let mut buffer = FieldBuffer::begin();
    fields(&mut buffer);
    Deferred(Some(PendingRun { stage: stage.get(), fields: buffer.to_encoded().into() }))
}

impl Deferred {
    pub(crate) fn into_pending(self) -> Option<PendingRun> {
        self.0
    }

    /// Creates the run. It must be entered next on this thread.
    pub fn begin(self) -> Span {
        self.0.map_or_else(Span::none, PendingRun::into_span)
    }

    /// Sets the body of the run to the future that `body` returns. The call of `body` itself is not
    /// part of the run.
    pub fn future<T, F: Future<Output = T>>(self, body: impl FnOnce() -> F) -> DeferredBody<F> {
        DeferredBody { body: body(), pending: self.0 }
    }

    /// Sets the body of the run to `future`.
    pub fn block<F: Future>(self, future: F) -> DeferredBody<F> {
        DeferredBody { body: future, pending: self.0 }
    }
}

impl PendingRun {
    /// Creates the run. It must be entered next on this thread.
    pub(crate) fn into_span(self) -> Span {
        Span::idle(self.stage, FieldBuffer::from_encoded(&self.fields))
    }
}

/// A run that has not begun, with its body but still without the code that records fields from the
/// result.
#[derive(Debug)]
#[must_use = "a stage does nothing unless awaited"]
pub struct DeferredBody<F> {
    body: F,
    pending: Option<PendingRun>,
}

impl<F: Future> DeferredBody<F> {
    /// Sets the function that records fields from the result. It is called only if the run is
    /// recorded.
    pub fn end<E: FnMut(&F::Output, &mut Ending<'_>)>(self, on_end: E) -> DeferredFuture<F, E> {
        DeferredFuture { stage: StageFuture::idle(self.body, on_end), pending: self.pending }
    }
}

pin_project! {
    /// An asynchronous stage that begins at its first poll.
    #[must_use = "futures do nothing unless polled or awaited"]
    pub struct DeferredFuture<F, E> {
        #[pin]
        stage: StageFuture<F, E>,
        pending: Option<PendingRun>,
    }
}

impl<F, E> Future for DeferredFuture<F, E>
where
    F: Future,
    E: FnMut(&F::Output, &mut Ending<'_>),
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if let Some(pending) = this.pending.take() {
            this.stage.as_mut().set_run(pending.into_span());
        }
        this.stage.poll(cx)
    }
}

impl<F, E> FusedFuture for DeferredFuture<F, E>
where
    F: FusedFuture,
    E: FnMut(&F::Output, &mut Ending<'_>),
{
    fn is_terminated(&self) -> bool {
        self.stage.is_terminated()
    }
}

impl<F, E> fmt::Debug for DeferredFuture<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredFuture").field("stage", &self.stage).finish_non_exhaustive()
    }
}
