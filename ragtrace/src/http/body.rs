//! The body of an answer: up to the end of the request.

use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::exchange::Exchange;

pin_project! {
    /// The body of a [`Trace`](super::Trace)'s answer. The request ends when it does.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        // `None` once it is dropped.
        #[pin]
        inner: Option<B>,
        // `None` for a request without a run.
        exchange: Option<Exchange>,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(exchange) = this.exchange {
                exchange.within(|| this.inner.set(None));
                exchange.end_by_drop(false);
            }
        }
    }
}
