//! A server on a port of its own, whose requests are captured.

use std::future::Future;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use ragtrace::{RequestContext, Scoped, testing};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tower::Service;

use crate::Requests;

/// The time limit for everything that a test waits for.
pub(crate) const BOUND: Duration = Duration::from_secs(20);

/// A listening server.
#[derive(Debug)]
pub struct Server {
    pub(crate) address: SocketAddr,
    stop: watch::Sender<bool>,
    /// Closed when no task of the server is left.
    ended: mpsc::Receiver<()>,
}

/// Serves `service` while `client` runs, and until all of its connections have ended. Returns the
/// result of `client`, and the records of the requests.
///
/// # Panics
///
/// Panics if connections do not end, or there is no runtime.
pub fn served<S, A, T>(service: S, client: impl AsyncFnOnce(&Server) -> T) -> (T, Requests)
where
    S: Service<Request<Incoming>, Response = Response<A>, Future: Send> + Clone + Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    A: Body<Data = Bytes> + Send + 'static,
    A::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let (output, captured) = runtime.expect("a runtime").block_on(testing::capture(async {
        let server = Server::start(service).await;
        let output = client(&server).await;
        server.end().await;
        output
    }));
    (output, Requests::new(captured))
}

impl Server {
    async fn start<S, A>(service: S) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<A>, Future: Send> + Clone + Send + 'static,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        A: Body<Data = Bytes> + Send + 'static,
        A::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a port");
        let (stop, mut stopped) = watch::channel(false);
        let (running, ended) = mpsc::channel(1);
        let context = RequestContext::current().expect("a capture");
        let service = TowerToHyperService::new(Captured { context, inner: service });
        tokio::spawn(async move {
            let executor = Executor { running };
            loop {
                let stream = tokio::select! {
                    accepted = listener.accept() => accepted.expect("a connection").0,
                    _ = stopped.wait_for(|stop| *stop) => break,
                };
                let (service, connections) = (service.clone(), executor.clone());
                hyper::rt::Executor::execute(&executor, async move {
                    let mut builder = auto::Builder::new(connections);
                    builder.http2().enable_connect_protocol();
                    // Many tests are about broken connections.
                    let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, stop, ended }
    }

    /// Returns the address of the server.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until every connection has ended, which is up to the clients.
    async fn end(mut self) {
        self.stop.send_replace(true);
        let ended = tokio::time::timeout(BOUND, self.ended.recv()).await;
        assert!(matches!(ended, Ok(None)), "a connection has not ended");
    }
}

/// Spawns tasks that the server keeps track of.
#[derive(Clone)]
struct Executor {
    running: mpsc::Sender<()>,
}

impl<F: Future<Output: Send> + Send + 'static> hyper::rt::Executor<F> for Executor {
    fn execute(&self, future: F) {
        let running = self.running.clone();
        tokio::spawn(async move {
            let _running = running;
            future.await;
        });
    }
}

/// Puts the capture around the calls of a service, on whichever thread they are.
#[derive(Clone)]
struct Captured<S> {
    context: RequestContext,
    inner: S,
}

impl<S, R> Service<R> for Captured<S>
where
    S: Service<R>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Scoped<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let future = self.context.sync_scope(|| self.inner.call(request));
        self.context.scope(future)
    }
}
