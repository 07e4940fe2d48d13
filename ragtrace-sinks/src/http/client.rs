//! The HTTP client: sends a request within its time, and reads the answer.

use std::ffi::OsString;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use hyper::http;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ragtrace::sink::SinkError;
use tokio::time::{Instant, timeout_at};

use super::answer::Answer;
use super::cause::Cause;
use super::connect::{Connector, Proxies, Tls, WasUsed};
use super::endpoint::shown;
use super::request::Request;

/// The `User-Agent`.
const AGENT: &str = concat!("ragtrace/", env!("CARGO_PKG_VERSION"));
/// The idle time after which a connection is closed. Most servers and balancers close theirs after
/// a minute.
const IDLE: Duration = Duration::from_secs(50);

/// The time without traffic after which an HTTP/2 connection is pinged, and the longest wait for
/// the answer. Otherwise a dead connection would fail every request until TCP gives it up, after
/// minutes.
const PING: Duration = Duration::from_secs(10);

/// The range of timeouts. Every batch has to come back, or its sink would send no others.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_hours(1);

/// An HTTP client. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Client {
    timeout: Duration,
    proxies: Arc<Proxies>,
    pool: legacy::Client<Connector, Whole>,
    fault: Option<Arc<str>>,
}

/// The settings of a [`Client`].
#[derive(Debug)]
pub struct ClientBuilder {
    timeout: Duration,
    connect_timeout: Duration,
    ping: Duration,
    tls: Tls,
    proxies: Result<Proxies, String>,
}

impl ClientBuilder {
    /// Sets the longest time for a request until its answer is read, from a millisecond to an hour.
    /// The default is 30 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.clamp(SHORTEST, LONGEST);
        self
    }

    /// Sets the longest time for a connection, including name resolution, TCP, the proxy and TLS,
    /// from a millisecond to an hour. The default is 10 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout.clamp(SHORTEST, LONGEST);
        self
    }

    /// Sets a PEM file of certificates, whose issuers alone are trusted in place of the system's
    /// and the web's. Errors mention `name`, the setting that the path comes from.
    pub fn certificate(mut self, name: &str, path: impl Into<PathBuf>) -> Self {
        self.tls = self.tls.authorities(name, path.into());
        self
    }

    /// Sets the PEM files of the client's certificate and key, each with the name of the setting
    /// that it comes from.
    pub fn client_certificate(
        mut self,
        (certificate_name, certificate): (&str, impl Into<PathBuf>),
        (key_name, key): (&str, impl Into<PathBuf>),
    ) -> Self {
        self.tls = self.tls.identity((certificate_name, certificate.into()), (key_name, key.into()));
        self
    }

    /// Sets the time without traffic before an HTTP/2 connection is pinged, which is also the
    /// longest wait for the answer.
    #[cfg(test)]
    pub(super) fn ping(mut self, ping: Duration) -> Self {
        self.ping = ping;
        self
    }

    /// Sets the lookup, in place of the environment, for the variables of proxies and of the
    /// system's certificates.
    pub fn variables(mut self, lookup: &dyn Fn(&str) -> Option<OsString>) -> Self {
        self.proxies = Proxies::from_variables(lookup);
        self.tls = self.tls.variables(lookup);
        self
    }

    /// Creates the client. It connects, and reads files, only with the first request.
    ///
    /// An invalid proxy variable makes every request fail. [`fault`](Client::fault) reports it at
    /// once.
    pub fn build(self) -> Client {
        let fault = self.proxies.as_ref().err().map(|fault| fault.as_str().into());
        let proxies = Arc::new(self.proxies.unwrap_or_default());
        let connector = Connector::new(self.connect_timeout, self.tls, Arc::clone(&proxies));
        let pool = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .http2_adaptive_window(true)
            .http2_keep_alive_interval(self.ping)
            .http2_keep_alive_timeout(self.ping)
            .http2_keep_alive_while_idle(true)
            .build(connector);
        Client { timeout: self.timeout, proxies, pool, fault }
    }
}

impl Client {
    /// Returns the default settings: the proxies that the environment names (`HTTPS_PROXY`,
    /// `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, in lower case too), and the issuers of the web's
    /// certificates and of the system's (`SSL_CERT_FILE`, `SSL_CERT_DIR`).
    pub fn builder() -> ClientBuilder {
        let builder = ClientBuilder {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            ping: PING,
            tls: Tls::default(),
            proxies: Ok(Proxies::default()),
        };
        builder.variables(&|name| std::env::var_os(name))
    }

    /// Returns a message if the settings are invalid.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Sends a request and reads the answer, whatever its status.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no answer in time, a 2xx answer is not complete in time, or a
    /// key cannot be read.
    pub async fn send(&self, request: &Request) -> Result<Answer, SinkError> {
        let deadline = Instant::now() + self.timeout;
        let sent = format!("{} {}", request.method, shown(request.endpoint.uri()));
        if let Some(fault) = &self.fault {
            return Err(SinkError::park(fault.to_string()));
        }
        let (mut headers, mut secrets) = match timeout_at(deadline, request.headers()).await {
            Ok(Ok(headers)) => headers,
            Ok(Err(fault)) => return Err(SinkError::park(format!("{sent}: {fault}"))),
            Err(_) => return Err(SinkError::retry(format!("{sent}: no key {}", self.within()))),
        };
        if let Some(authorization) = self.proxies.authorization_of_request(request.endpoint.uri()) {
            secrets.add(&String::from_utf8_lossy(authorization.as_bytes()));
            headers.insert(PROXY_AUTHORIZATION, authorization);
        }
        match self.exchange(request, headers, deadline).await {
            Ok((head, body)) => Ok(Answer { status: head.status, headers: head.headers, body, sent, secrets }),
            Err((doing, cause)) => {
                let message = format!("{sent}: {doing}: {}", secrets.mask(cause.message.as_str()));
                Err(cause.into_sink_error(message))
            }
        }
    }

    fn within(&self) -> String {
        format!("within {:?}", self.timeout)
    }

    async fn exchange(
        &self,
        request: &Request,
        headers: HeaderMap,
        deadline: Instant,
    ) -> Result<(http::response::Parts, Bytes), (&'static str, Cause)> {
        let too_late = |what: &str| Cause::passing(format!("{what} {}", self.within()));
        let mut attempt = self.attempt(request, headers.clone(), deadline).await;
        if let Ok(Err(error)) = &attempt
            && was_kept(error)
        {
            // The server closed an idle connection at the moment when it was used again.
            attempt = self.attempt(request, headers, deadline).await;
        }
        let response = attempt
            .map_err(|_| too_late("no answer"))
            .and_then(|result| result.map_err(|error| Cause::of_client(&error)))
            .map_err(|cause| ("error sending request", cause))?;
        note_use(&response);
        let (head, body) = response.into_parts();
        let mut kept = Vec::new();
        let end = timeout_at(deadline, read(body, &mut kept)).await;
        let end = end.unwrap_or_else(|_| Err(too_late("it did not end")));
        match end {
            // A refusal is certain even if its body is incomplete; an acceptance is not.
            Err(cause) if head.status.is_success() => Err(("error reading the answer", cause)),
            _ => Ok((head, kept.into())),
        }
    }

    /// Sends the request once, and waits for the head of the answer.
    async fn attempt(
        &self,
        request: &Request,
        headers: HeaderMap,
        deadline: Instant,
    ) -> Result<Result<http::Response<Incoming>, legacy::Error>, tokio::time::error::Elapsed> {
        let mut message = http::Request::new(Whole(Some(request.body.clone())));
        *message.method_mut() = request.method.clone();
        *message.uri_mut() = request.endpoint.uri().clone();
        *message.headers_mut() = headers;
        let sent = message.headers_mut();
        sent.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
        if request.endpoint.socket_path().is_some() {
            sent.insert(HeaderName::from_static("host"), HeaderValue::from_static("localhost"));
        }
        timeout_at(deadline, self.pool.request(message)).await
    }
}

/// Returns `true` if a request failed without an answer on a connection that had given one before.
fn was_kept(error: &legacy::Error) -> bool {
    let mut extensions = http::Extensions::new();
    if let Some(connected) = error.connect_info() {
        connected.get_extras(&mut extensions);
    }
    extensions.get::<WasUsed>().is_some_and(|used| used.0.load(Ordering::Relaxed))
}

fn note_use(response: &http::Response<Incoming>) {
    if let Some(WasUsed(used)) = response.extensions().get() {
        AtomicBool::store(used, true, Ordering::Relaxed);
    }
}

/// Reads the beginning of an answer. The rest is not awaited, and the connection is closed.
async fn read(mut body: Incoming, kept: &mut Vec<u8>) -> Result<(), Cause> {
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|error| Cause::of(&error))?;
        if let Some(data) = frame.data_ref() {
            let room = Answer::LONGEST - kept.len();
            if data.len() >= room {
                kept.extend_from_slice(&data[..room]);
                break;
            }
            kept.extend_from_slice(data);
        }
    }
    Ok(())
}

/// A body that is complete from the start.
#[derive(Debug)]
struct Whole(Option<Bytes>);

impl HttpBody for Whole {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.take().filter(|bytes| !bytes.is_empty()).map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
