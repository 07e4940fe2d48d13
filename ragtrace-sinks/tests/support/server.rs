//! A server on loopback, on a thread of its own.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::HeaderValue;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::answer::Answer;
use crate::certificates::Certificate;
use crate::received::{Received, decompressed};
use crate::wire::{self, After, Io};

/// A server that answers as told and keeps what it received. It ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    seen: Arc<Seen>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Seen {
    requests: Mutex<Vec<Received>>,
    connections: AtomicUsize,
}

type Handler = dyn Fn(&Received) -> Answer + Send + Sync;

/// The settings of a [`Server`].
#[derive(Clone, Debug, Default)]
pub struct ServerBuilder {
    certificate: Option<Certificate>,
    is_http2: bool,
    address: Option<SocketAddr>,
}

impl ServerBuilder {
    /// Uses TLS with this certificate.
    pub fn tls(mut self, certificate: Certificate) -> Self {
        self.certificate = Some(certificate);
        self
    }

    /// Uses only HTTP/2, as negotiated by ALPN.
    pub fn http2(mut self) -> Self {
        self.is_http2 = true;
        self
    }

    /// Listens on this address, as a server that comes back does.
    pub fn at(mut self, address: SocketAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// Starts the server. `handler` returns the answer to each request.
    ///
    /// # Panics
    ///
    /// Panics if the port is taken.
    pub fn start(self, handler: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Server {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let address = self.address.unwrap_or((Ipv4Addr::LOCALHOST, 0).into());
        let listener = runtime.block_on(TcpListener::bind(address)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = watch::channel(false);
        let seen = Arc::new(Seen::default());
        let tls = self.certificate.map(|certificate| TlsAcceptor::from(Arc::new(certificate.server(self.is_http2))));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let listening = Listening { tls, is_http2: self.is_http2, handler: Arc::new(handler), seen: Arc::clone(&seen) };
        let mut until = stopped.clone();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = listening.accept(listener) => {}
                    _ = until.wait_for(|&is| is) => {}
                }
            });
        });
        Server { address, scheme, seen, stop, thread: Some(thread) }
    }
}

impl Server {
    /// Starts a server without TLS. `handler` returns the answer to each request.
    pub fn start(handler: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        Self::builder().start(handler)
    }

    /// Returns the settings of a server.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// Returns the URL, without a slash at its end: `http://127.0.0.1:1234`, or
    /// `https://localhost:1234`.
    pub fn url(&self) -> String {
        match self.scheme {
            "https" => self.url_of("localhost"),
            _ => self.url_of("127.0.0.1"),
        }
    }

    /// Returns the URL with this host.
    pub fn url_of(&self, host: &str) -> String {
        format!("{}://{host}:{}", self.scheme, self.address.port())
    }

    /// Returns the address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the requests that have come so far.
    pub fn requests(&self) -> Vec<Received> {
        self.seen.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets the requests that have come so far, and returns them.
    pub fn take_requests(&self) -> Vec<Received> {
        std::mem::take(&mut *self.seen.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the number of connections so far.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Returns the URL of a port on which nothing listens.
///
/// # Panics
///
/// Panics if there is none.
pub fn closed_port() -> String {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

/// The state that the tasks of a server share.
#[derive(Clone)]
struct Listening {
    tls: Option<TlsAcceptor>,
    is_http2: bool,
    handler: Arc<Handler>,
    seen: Arc<Seen>,
}

impl Listening {
    async fn accept(self, listener: TcpListener) {
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                let number = self.seen.connections.fetch_add(1, Ordering::SeqCst);
                let listening = self.clone();
                tokio::spawn(async move { listening.serve(stream, number).await });
            }
        }
    }

    async fn serve(self, stream: TcpStream, number: usize) {
        // Closing a socket with `SO_LINGER` of zero resets the connection, and drops what is in
        // transit.
        let Ok(raw) = stream.into_std() else { return };
        let Ok(twin) = raw.try_clone() else { return };
        let Ok(stream) = TcpStream::from_std(raw) else { return };
        let io: Box<dyn Io> = match &self.tls {
            None => Box::new(stream),
            Some(tls) => match tls.accept(stream).await {
                Ok(stream) => Box::new(stream),
                Err(_) => return,
            },
        };
        if self.is_http2 {
            drop(twin);
            return self.serve_http2(io, number).await;
        }
        let mut io = BufReader::new(io);
        while let Ok(Some(request)) = wire::read(&mut io, number).await {
            match wire::write(&mut io, &self.answer(request)).await {
                Ok(After::Keep) => {}
                Ok(After::Hang) => std::future::pending().await,
                Ok(After::Reset) => {
                    let _ = socket2::SockRef::from(&twin).set_linger(Some(std::time::Duration::ZERO));
                    return;
                }
                Ok(After::Close) | Err(_) => return,
            }
        }
    }

    fn answer(&self, request: Received) -> Answer {
        let answer = (self.handler)(&request);
        self.seen.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        answer
    }

    async fn serve_http2(self, io: Box<dyn Io>, number: usize) {
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let listening = self.clone();
            async move { Ok::<_, Infallible>(listening.answer_http2(request, number).await) }
        });
        let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        // Errors do not matter here, since the client is what is tested.
        let _ = builder.serve_connection(TokioIo::new(io), service).await;
    }

    async fn answer_http2(&self, request: hyper::Request<Incoming>, connection: usize) -> hyper::Response<Once> {
        let (head, body) = request.into_parts();
        let raw_body = collect(body).await;
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers: Vec<_> = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let encoding = head.headers.get("content-encoding").and_then(|value| value.to_str().ok());
        let body = decompressed(&raw_body, encoding);
        let target = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let method = head.method.to_string();
        let answer = self.answer(Received { method, target, headers, body, raw_body, connection, is_http2: true });
        let mut response = hyper::Response::builder().status(answer.status);
        for (name, value) in &answer.headers {
            response = response.header(name, value);
        }
        response.body(Once(Some(answer.body.into()))).expect("an answer")
    }
}

async fn collect(mut body: Incoming) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
    }
    bytes
}

/// A body of one piece.
struct Once(Option<Bytes>);

impl Body for Once {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}
