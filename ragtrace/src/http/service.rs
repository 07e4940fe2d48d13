//! The service, which sets a request's context and begins its run.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::exchange::Exchange;
use super::settings::Settings;
use super::{ResponseBody, ResponseFuture};

/// A service that makes each of its requests a trace, returned by
/// [`TraceLayer`](super::TraceLayer).
#[derive(Clone)]
pub struct Trace<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> Trace<S> {
    pub(super) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }

    /// Returns a reference to the inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns a mutable reference to the inner service.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the inner service, without the layer.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, B, A> Service<Request<B>> for Trace<S>
where
    S: Service<Request<B>, Response = Response<A>>,
    S::Error: Display + 'static,
    A: Body<Error: Display + 'static>,
{
    type Response = Response<ResponseBody<A>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture<S::Future> {
        let (mut parts, body) = request.into_parts();
        let exchange = Exchange::begin(&self.settings, &mut parts);
        let request = Request::from_parts(parts, body);
        match exchange {
            Some(mut exchange) => {
                let future = exchange.within(|| self.inner.call(request));
                ResponseFuture::new(future, Some(exchange))
            }
            None => ResponseFuture::new(self.inner.call(request), None),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Trace<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("inner", &self.inner).finish_non_exhaustive()
    }
}
