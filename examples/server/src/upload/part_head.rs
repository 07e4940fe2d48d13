//! Limits the heads of a form's parts.
//!
//! A form parser collects a part's head, and everything before the first part, until it is
//! complete, and searches for its end from the start with each chunk. So while a head is read, a
//! body yields at most [`PART_HEAD`] bytes, in chunks small enough that no part of a file is
//! collected with it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::{FromRequest, Request};
use futures_util::{Stream, StreamExt};

/// The longest head of a part, in bytes. A browser's has a few hundred.
pub(crate) const PART_HEAD: usize = 16 << 10;
/// The largest chunk, in bytes.
const CHUNK: usize = 16 << 10;
/// The limit while no head is being read.
const NO_BOUND: usize = usize::MAX;

/// The parts of a form.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(super) parts: Multipart,
    pub(super) head: Head,
}

impl<S: Send + Sync> FromRequest<S> for Parts {
    type Rejection = MultipartRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, MultipartRejection> {
        let head = Head::default();
        let bounded = |body: Body| Bounded {
            rest: body.into_data_stream(),
            chunk: Bytes::new(),
            head: head.clone(),
            is_turn: true,
        };
        let request = request.map(|body| Body::from_stream(bounded(body)));
        Ok(Self { parts: Multipart::from_request(request, state).await?, head })
    }
}

/// The number of bytes that may still come of a head. Clones share the count.
#[derive(Debug, Clone, Default)]
pub(super) struct Head(Arc<AtomicUsize>);

impl Head {
    /// Marks that a head follows.
    pub(super) fn begin(&self) {
        self.0.store(PART_HEAD, Ordering::Relaxed);
    }

    /// Marks that the head is complete, and its part follows.
    pub(super) fn end(&self) {
        self.0.store(NO_BOUND, Ordering::Relaxed);
    }

    /// Returns `true` if a head is too long.
    pub(super) fn is_too_long(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    /// Counts bytes that were yielded.
    fn take(&self, bytes: usize) {
        let left = self.0.load(Ordering::Relaxed);
        if left != NO_BOUND {
            self.0.store(left.saturating_sub(bytes), Ordering::Relaxed);
        }
    }
}

struct Bounded {
    rest: BodyDataStream,
    /// Bytes that have arrived and were not yielded yet.
    chunk: Bytes,
    head: Head,
    /// The parser reads chunks for as long as there are any before it examines them. So a pause
    /// follows each chunk.
    is_turn: bool,
}

impl Stream for Bounded {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !std::mem::replace(&mut self.is_turn, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.head.is_too_long() {
            return Poll::Ready(Some(Err(axum::Error::new("the head of a part is too long"))));
        }
        if self.chunk.is_empty() {
            match std::task::ready!(self.rest.poll_next_unpin(cx)) {
                Some(Ok(chunk)) => self.chunk = chunk,
                end => return Poll::Ready(end),
            }
        }
        let size = self.chunk.len().min(CHUNK);
        let chunk = self.chunk.split_to(size);
        self.head.take(size);
        self.is_turn = false;
        Poll::Ready(Some(Ok(chunk)))
    }
}
