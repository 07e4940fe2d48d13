//! Connections: how many there are, and how long a client may take over the head of a request.
//!
//! HTTP/1.1 is spoken, as browsers and proxies do where there is no TLS.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// How many connections there are at once. More wait until one has ended; a process has 1,024 files
/// by default.
const CONNECTIONS: usize = 512;
/// How long a head may take, and how long a connection may be idle.
const HEAD: Duration = Duration::from_secs(30);
/// How long nothing is accepted where that failed for want of files or memory.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves the connections that come until `end`, and then the requests under way.
pub(crate) async fn accept(listener: TcpListener, router: Router, end: impl Future<Output = ()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let (places, graceful) = (Arc::new(Semaphore::new(CONNECTIONS)), GracefulShutdown::new());
    let mut end = pin!(end);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = &mut end => break,
            next = next => next,
        };
        // A client that has gone already says nothing about the next one; neither does this.
        let Ok((stream, _peer)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // Events are small, and to be seen at once.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A connection that breaks is told by the trace of its request.
            let _ = connection.await;
            drop(place);
        });
    }
    drop((listener, router));
    graceful.shutdown().await;
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn a_connection_whose_head_does_not_come_is_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
        let address = listener.local_addr().expect("an address");
        let serving = tokio::spawn(accept(listener, Router::new(), std::future::pending()));
        let mut connection = TcpStream::connect(address).await.expect("a connection");
        connection.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX: ").await.expect("it takes it");
        tokio::time::pause();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(HEAD * 2, connection.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "it is closed");
        serving.abort();
    }
}
