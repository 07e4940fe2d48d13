//! The HTTP client: sends a request within its time.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};

use super::ApiKey;
use crate::embed::EmbedError;

/// The idle time after which a connection is closed. Most servers close theirs after a minute.
const IDLE: Duration = Duration::from_secs(50);

/// The longest time for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// An answer of a server, whatever its status.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

pub(super) struct Client {
    client: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

impl Client {
    pub(super) fn new(timeout: Duration) -> Result<Self, EmbedError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_nodelay(true);
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls()?).https_or_http().enable_http1().wrap_connector(tcp);
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Ok(Self { client, timeout })
    }

    /// Sends JSON and reads at most `longest` bytes of the answer. Without an answer, the error may
    /// pass.
    pub(super) async fn post(
        &self,
        uri: &Uri,
        key: Option<&ApiKey>,
        body: Vec<u8>,
        longest: usize,
    ) -> Result<Answer, EmbedError> {
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("ragtrace-examples/", env!("CARGO_PKG_VERSION"))));
        if let Some(key) = key {
            headers.insert(AUTHORIZATION, key.header()?);
        }
        let exchange = tokio::time::timeout(self.timeout, self.exchange(request, longest));
        exchange.await.unwrap_or_else(|_| {
            let message = format!("{} did not answer within {:?}", shown(uri), self.timeout);
            Err(EmbedError::new(message).retryable(None))
        })
    }

    async fn exchange(&self, request: Request<Full<Bytes>>, longest: usize) -> Result<Answer, EmbedError> {
        let place = shown(request.uri());
        let response = self.client.request(request).await.map_err(|error| {
            EmbedError::new(format!("{place} cannot be reached; check --embedder-url and the network"))
                .because(error)
                .retryable(None)
        })?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, longest).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                return EmbedError::new(format!(
                    "{place} sent more than {longest} bytes; check that --embedder-url is an embedding service"
                ));
            }
            EmbedError::new(format!("{place} ended its answer too early")).because(error).retryable(None)
        })?;
        Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
    }
}

/// Returns TLS as the system and the web trust it.
fn tls() -> Result<ClientConfig, EmbedError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| EmbedError::new("TLS is not available").because(error))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Returns the address of the interface at `url`.
pub(super) fn address(url: &str) -> Result<Uri, EmbedError> {
    // The address itself is not shown, since it may contain a secret.
    let wrong = || {
        EmbedError::new(
            "--embedder-url is no address of a service; give one such as http://localhost:8080/v1, with no query",
        )
    };
    let trimmed = url.trim().trim_end_matches('/');
    let whole = if trimmed.ends_with("/embeddings") { trimmed.to_owned() } else { format!("{trimmed}/embeddings") };
    let uri: Uri = whole.parse().map_err(|_| wrong())?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    if !is_web || uri.host().is_none_or(str::is_empty) || uri.query().is_some() || url.contains('#') {
        return Err(wrong());
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(EmbedError::new(
            "--embedder-url contains a password; leave it out, and set the variable of the key",
        ));
    }
    Ok(uri)
}

/// Returns the scheme, host and path of an address.
fn shown(uri: &Uri) -> String {
    format!("{}://{}{}", uri.scheme_str().unwrap_or("http"), uri.authority().map_or("", |it| it.as_str()), uri.path())
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn an_address_is_that_of_the_interface() {
        for url in ["http://localhost:8080/v1", "http://localhost:8080/v1/", "http://localhost:8080/v1/embeddings"] {
            assert_eq!(address(url).expect("an address"), "http://localhost:8080/v1/embeddings");
        }
    }

    #[test]
    fn another_address_is_refused_without_showing_it() {
        for url in
            ["localhost", "ftp://a/v1", "http://user:hunter2@a/v1", "http://a/v1?key=hunter2", "http://a#hunter2", ""]
        {
            let error = address(url).expect_err("no address");
            assert!(!error.to_string().contains("hunter2") && error.source().is_none(), "{error}");
        }
    }
}
