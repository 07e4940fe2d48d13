//! The future of a response, until its head.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::ResponseBody;
use super::exchange::{BodyHint, Exchange};

pin_project! {
    /// The future that [`Trace`](super::Trace) returns.
    ///
    /// If it is dropped before the response, the request is cancelled.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled or awaited"]
    pub struct ResponseFuture<F> {
        // `None` once the inner future has ended. It is dropped in the request's context.
        #[pin]
        inner: Option<F>,
        // `None` for a request without a run, and once the response's body has taken it over.
        exchange: Option<Exchange>,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(exchange) = this.exchange {
                exchange.within(|| this.inner.set(None));
                exchange.end_by_drop(false);
            }
        }
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, exchange: Option<Exchange>) -> Self {
        Self { inner: Some(inner), exchange }
    }
}

impl<F, A, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<A>, E>>,
    A: Body,
    E: Display + 'static,
{
    type Output = Result<Response<ResponseBody<A>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(exchange) = this.exchange else {
            let Some(inner) = this.inner.as_pin_mut() else { return Poll::Pending };
            let response = ready!(inner.poll(cx))?;
            return Poll::Ready(Ok(response.map(|body| ResponseBody::new(body, None))));
        };
        let output = ready!(exchange.within(|| {
            let output = this.inner.as_mut().as_pin_mut().map_or(Poll::Pending, |inner| inner.poll(cx));
            if output.is_ready() {
                this.inner.set(None);
            }
            output.map_ok(|response| {
                let (head, body) = response.into_parts();
                let hint = BodyHint { exact: body.size_hint().exact(), is_empty: body.is_end_stream() };
                (head, body, hint)
            })
        }));
        match output {
            Ok((mut head, body, hint)) => {
                exchange.answer(head.status, &mut head.headers, &hint);
                let exchange = this.exchange.take();
                Poll::Ready(Ok(Response::from_parts(head, ResponseBody::new(body, exchange))))
            }
            Err(error) => {
                exchange.end_by_error(&error);
                *this.exchange = None;
                Poll::Ready(Err(error))
            }
        }
    }
}
