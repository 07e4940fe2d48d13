//! The body of a response, until the end of the request.

use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use ragtrace_core::guard;

use super::exchange::Exchange;

pin_project! {
    /// The body of a response of [`Trace`](super::Trace).
    ///
    /// The request's run ends when the body does, or when the body is dropped.
    #[derive(Debug)]
    pub struct ResponseBody<B: Body> {
        // `None` once the inner body is dropped, which happens in the request's context.
        #[pin]
        inner: Option<B>,
        // `None` for a request without a run.
        exchange: Option<Exchange>,
    }

    impl<B: Body> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(exchange) = this.exchange {
                let is_at_end = exchange.is_open() && exchange.within(|| is_at_end(this.inner.as_ref().as_pin_ref()));
                exchange.within(|| this.inner.set(None));
                exchange.end_by_drop(is_at_end);
            }
        }
    }
}

/// Returns `true` if a body that is being dropped has no more data. It may have learned so after
/// its last frame, and the server asks it then. A panic of the inner body is ignored, because it is
/// being dropped anyway.
fn is_at_end<B: Body>(body: Option<Pin<&B>>) -> bool {
    guard::contain(|| body.is_some_and(|body| body.is_end_stream())).unwrap_or_else(|payload| {
        guard::dispose(payload);
        false
    })
}

impl<B: Body> ResponseBody<B> {
    pub(super) fn new(inner: B, exchange: Option<Exchange>) -> Self {
        Self { inner: Some(inner), exchange }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body<Error: Display + 'static>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let Some(mut inner) = this.inner.as_pin_mut() else { return Poll::Ready(None) };
        let Some(exchange) = this.exchange else { return inner.poll_frame(cx) };
        let (polled, is_at_end) = exchange.within(|| {
            let polled = inner.as_mut().poll_frame(cx);
            let is_at_end = matches!(polled, Poll::Ready(Some(Ok(_)))) && inner.is_end_stream();
            (polled, is_at_end)
        });
        match &polled {
            Poll::Pending => {}
            Poll::Ready(None) => exchange.end_by_answer(),
            Poll::Ready(Some(Err(error))) => exchange.end_by_error(error),
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    exchange.add_sent(data.remaining());
                }
                if let Some(trailers) = frame.trailers_ref() {
                    exchange.end_by_trailers(trailers);
                } else if is_at_end {
                    exchange.end_by_answer();
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B: Body + Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::new(B::default(), None)
    }
}
