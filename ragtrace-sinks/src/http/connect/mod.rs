//! Establishes connections: name resolution, TCP or a socket, the proxy, TLS.
//!
//! The result is a connection, or the complete reason why there is none, within the configured
//! time. Certificates are read with the first connection that needs them, and again after a
//! connection was refused, so a renewed or added certificate needs no restart.

mod dial;
mod proxy;
mod stream;
mod tls;
mod tunnel;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::http::Uri;
use tokio::time::timeout;
use tower_service::Service;

use super::cause::Cause;
#[cfg(unix)]
use super::endpoint::socket_path;
pub(super) use proxy::Proxies;
use proxy::Proxy;
pub(super) use stream::{Stream, WasUsed};
pub(super) use tls::Tls;

/// Establishes connections for the pool.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    timeout: Duration,
    tls: Arc<Tls>,
    proxies: Arc<Proxies>,
}

impl Connector {
    pub(super) fn new(timeout: Duration, tls: Tls, proxies: Arc<Proxies>) -> Self {
        Self { timeout, tls: Arc::new(tls), proxies }
    }

    async fn connect(&self, uri: &Uri) -> Result<Stream, Cause> {
        #[cfg(unix)]
        if let Some(path) = socket_path(uri) {
            return dial::socket(&path).await;
        }
        let is_https = uri.scheme_str() == Some("https");
        let host = uri.host().unwrap_or_default();
        let stream = match self.proxies.of(uri) {
            None => dial::host(host, port(uri)).await?,
            Some(proxy) => {
                let stream = self.connect_to_proxy(&proxy).await?;
                if !is_https {
                    return Ok(stream.proxied());
                }
                tunnel::open(stream, &proxy, host, port(uri)).await?
            }
        };
        if is_https { self.tls.wrap(stream, host, tls::Offer::Both).await } else { Ok(stream) }
    }

    async fn connect_to_proxy(&self, proxy: &Proxy) -> Result<Stream, Cause> {
        let host = proxy.uri.host().unwrap_or_default();
        let connect = async {
            let stream = dial::host(host, port(&proxy.uri)).await?;
            if proxy.uri.scheme_str() == Some("https") {
                return self.tls.wrap(stream, host, tls::Offer::Http1).await;
            }
            Ok(stream)
        };
        connect.await.map_err(|cause| Cause { message: format!("proxy {proxy}: {}", cause.message), ..cause })
    }
}

fn port(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 })
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = Cause;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Cause>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Cause>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let connected = timeout(connector.timeout, connector.connect(&uri)).await;
            connected.unwrap_or_else(|_| Err(too_late(&connector, &uri)))
        })
    }
}

fn too_late(connector: &Connector, uri: &Uri) -> Cause {
    let via = connector.proxies.of(uri).map(|proxy| format!(" through the proxy {proxy}")).unwrap_or_default();
    let to = uri.authority().map_or("", |authority| authority.as_str());
    Cause::passing(format!("no connection to {to}{via} within {:?}", connector.timeout))
}
