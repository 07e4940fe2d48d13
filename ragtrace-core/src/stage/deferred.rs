//! Stages of plain functions that return a future: fields are read at the call, the run starts at
//! the first poll.

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

/// A run that has its fields and has not begun. Without anybody who listens it never will.
#[derive(Debug)]
pub struct Deferred(Option<PendingRun>);

#[derive(Debug)]
pub(crate) struct PendingRun {
    stage: &'static StageDescriptor,
    /// Encoded.
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

    /// Makes the run, which is entered next.
    pub fn begin(self) -> Span {
        self.0.map_or_else(Span::none, PendingRun::into_span)
    }

    /// Gives the run the future that `body` returns as its body. `body` itself is the caller's
    /// call, and not part of the run.
    pub fn future<T, F: Future<Output = T>>(self, body: impl FnOnce() -> F) -> DeferredBody<F> {
        DeferredBody { body: body(), pending: self.0 }
    }

    /// Gives the run `future` as its body.
    pub fn block<F: Future>(self, future: F) -> DeferredBody<F> {
        DeferredBody { body: future, pending: self.0 }
    }
}

impl PendingRun {
    /// Makes the run, which is entered next.
    pub(crate) fn into_span(self) -> Span {
        Span::idle(self.stage, FieldBuffer::from_encoded(&self.fields))
    }
}

/// A run to come and its body, which still needs what to record of the result.
#[derive(Debug)]
#[must_use = "a stage does nothing unless awaited"]
pub struct DeferredBody<F> {
    body: F,
    pending: Option<PendingRun>,
}

impl<F: Future> DeferredBody<F> {
    /// Has `on_end` record what is of interest in the result. It runs only if somebody listens.
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
