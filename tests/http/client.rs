//! Clients for a test's server, for both versions of HTTP, and one that writes bytes.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::Server;
use crate::server::BOUND;

/// A version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 without TLS, by prior knowledge.
    Http2,
}

impl Protocol {
    /// Both versions.
    pub const BOTH: [Self; 2] = [Self::Http1, Self::Http2];
}

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The trailers; empty if there are none.
    pub trailers: HeaderMap,
}

impl Answer {
    /// Returns the trace's id in `X-Trace-ID`.
    ///
    /// # Panics
    ///
    /// Panics if there is none.
    pub fn trace_id(&self) -> &str {
        self.headers["x-trace-id"].to_str().expect("an id")
    }
}

/// A connection, and the task that drives it.
#[derive(Debug)]
pub struct Connection<S> {
    /// Sends requests.
    pub sender: S,
    task: JoinHandle<()>,
}

impl<S> Connection<S> {
    /// Closes the connection, whatever is in transit.
    pub async fn abort(self) {
        self.task.abort();
        // When this returns, the task was dropped and its socket closed.
        let _ = self.task.await;
    }
}

impl Server {
    /// Sends `GET path` over a new connection, and returns the whole answer.
    ///
    /// # Panics
    ///
    /// Panics if there is no answer.
    pub async fn get(&self, protocol: Protocol, path: &str) -> Answer {
        self.send(protocol, self.request("GET", path)).await
    }

    /// Returns a request without a body.
    ///
    /// # Panics
    ///
    /// Panics if the method or path is invalid.
    pub fn request(&self, method: &str, path: &str) -> Request<Empty<Bytes>> {
        let uri = format!("http://{}{path}", self.address);
        Request::builder()
            .method(method)
            .uri(uri)
            .header("host", self.address.to_string())
            .body(Empty::new())
            .expect("a request")
    }

    /// Sends a request over a new connection, and returns the whole answer.
    ///
    /// # Panics
    ///
    /// Panics if there is no answer.
    pub async fn send<B>(&self, protocol: Protocol, request: Request<B>) -> Answer
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + Unpin + 'static,
    {
        self.try_send(protocol, request).await.expect("an answer")
    }

    /// Sends a request like [`Server::send`], but returns an error if the answer breaks off.
    ///
    /// # Panics
    ///
    /// Panics if the answer does not come in time.
    pub async fn try_send<B>(&self, protocol: Protocol, request: Request<B>) -> Result<Answer, hyper::Error>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + Unpin + 'static,
    {
        let exchange = async {
            match protocol {
                Protocol::Http1 => {
                    let mut connection = self.http1().await;
                    whole(connection.sender.send_request(origin_form(request)).await?).await
                }
                Protocol::Http2 => {
                    let mut connection = self.http2().await;
                    whole(connection.sender.send_request(request).await?).await
                }
            }
        };
        tokio::time::timeout(BOUND, exchange).await.expect("in time")
    }

    /// Opens a connection.
    ///
    /// # Panics
    ///
    /// Panics if that fails.
    pub async fn http1<B>(&self) -> Connection<http1::SendRequest<B>>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    {
        let (sender, connection) = http1::handshake(TokioIo::new(self.raw().await)).await.expect("a handshake");
        let task = tokio::spawn(async move {
            let _ = connection.with_upgrades().await;
        });
        Connection { sender, task }
    }

    /// Opens a connection.
    ///
    /// # Panics
    ///
    /// Panics if that fails.
    pub async fn http2<B>(&self) -> Connection<http2::SendRequest<B>>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + Unpin + 'static,
    {
        let stream = TokioIo::new(self.raw().await);
        let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.expect("a handshake");
        let task = tokio::spawn(async move {
            let _ = connection.await;
        });
        Connection { sender, task }
    }

    /// Opens a socket.
    ///
    /// # Panics
    ///
    /// Panics if that fails.
    pub async fn raw(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// Writes bytes to a new socket, and returns everything that comes back until the server closes
    /// it.
    ///
    /// # Panics
    ///
    /// Panics if the server does not close it.
    pub async fn exchange_bytes(&self, request: &[u8]) -> String {
        let mut stream = self.raw().await;
        stream.write_all(request).await.expect("it is sent");
        let mut answer = Vec::new();
        let read = tokio::time::timeout(BOUND, stream.read_to_end(&mut answer)).await;
        let _ = read.expect("the server closes the connection");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// Reads an answer to its end.
async fn whole(response: Response<Incoming>) -> Result<Answer, hyper::Error> {
    let (head, body) = response.into_parts();
    let collected = body.collect().await?;
    let trailers = collected.trailers().cloned().unwrap_or_default();
    Ok(Answer { status: head.status, headers: head.headers, body: collected.to_bytes(), trailers })
}

/// Reduces the URI to its path, as over HTTP/1 to a server that is not a proxy.
fn origin_form<B>(mut request: Request<B>) -> Request<B> {
    if let Some(path) = request.uri().path_and_query() {
        *request.uri_mut() = path.as_str().parse().expect("a path");
    }
    request
}
