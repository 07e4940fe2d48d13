//! Accepts connections, with limits on their number and on the time for the head of a request.
//!
//! The protocol is HTTP/1.1, which browsers and proxies use without TLS.

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

/// The largest number of connections at once. Further ones wait until one has ended, since a
/// process may open 1,024 files by default.
const CONNECTIONS: usize = 512;
/// The longest time for a request's head, and for which a connection may be idle.
const HEAD: Duration = Duration::from_secs(30);
/// The pause after a connection could not be accepted for lack of files or memory.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until `end`, and then the requests in progress.
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
        // The client may have gone already, which says nothing about the next one.
        let Ok((stream, _peer)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // Events are small, and should be seen at once.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A broken connection is visible in the trace of its request.
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
