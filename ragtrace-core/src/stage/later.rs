//! Stages of plain functions that return a future: fields are read at the call, the run starts at the first poll.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::gate;
use crate::stage::future::StageFuture;
use crate::stage::slots::Slots;
use crate::stage::span::{Ending, Span};
use crate::stage::{Listed, StageDescriptor};

/// A run that has its fields and has not begun. Without anybody who listens it never will.
#[derive(Debug)]
pub struct Later(Option<Waiting>);

#[derive(Debug)]
pub(crate) struct Waiting {
    stage: &'static StageDescriptor,
    /// Their words.
    fields: Box<[u64]>,
}

/// Reads the fields of a run of `stage` that begins later.
pub fn open_later(stage: &'static Listed, fields: impl FnOnce(&mut Slots)) -> Later {
    if !gate::is_open() {
        return Later(None);
    }
    let mut slots = Slots::begin();
    fields(&mut slots);
    Later(Some(Waiting { stage: stage.get(), fields: slots.to_words().into() }))
}

impl Later {
    pub(crate) fn waiting(self) -> Option<Waiting> {
        self.0
    }

    /// The run's body: the future that `body` returns. `body` itself is the caller's call, and not part of the run.
    pub fn future<T, F: Future<Output = T>>(self, body: impl FnOnce() -> F) -> LaterRunning<F> {
        LaterRunning { body: body(), waiting: self.0 }
    }

    /// The run's body: `future`, which is there already.
    pub fn block<F: Future>(self, future: F) -> LaterRunning<F> {
        LaterRunning { body: future, waiting: self.0 }
    }
}

impl Waiting {
    /// The run, which is entered next.
    pub(crate) fn begin(self) -> Span {
        Span::idle(self.stage, Slots::of(&self.fields))
    }
}

/// A run to come and its body, before it is said what to record of the result.
#[derive(Debug)]
#[must_use = "a stage does nothing unless awaited"]
pub struct LaterRunning<F> {
    body: F,
    waiting: Option<Waiting>,
}

impl<F: Future> LaterRunning<F> {
    /// Has `on_end` record what is of interest in the result. It runs only if somebody listens.
    pub fn end<E: FnMut(&F::Output, &mut Ending<'_>)>(self, on_end: E) -> LaterFuture<F, E> {
        LaterFuture { stage: StageFuture::idle(self.body, on_end), waiting: self.waiting }
    }
}

pin_project! {
    /// An asynchronous stage that begins at its first poll.
    #[must_use = "futures do nothing unless polled or awaited"]
    pub struct LaterFuture<F, E> {
        #[pin]
        stage: StageFuture<F, E>,
        waiting: Option<Waiting>,
    }
}

impl<F, E> Future for LaterFuture<F, E>
where
    F: Future,
    E: FnMut(&F::Output, &mut Ending<'_>),
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if let Some(waiting) = this.waiting.take() {
            this.stage.as_mut().begin(waiting);
        }
        this.stage.poll(cx)
    }
}

impl<F, E> fmt::Debug for LaterFuture<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaterFuture").field("stage", &self.stage).finish_non_exhaustive()
    }
}
