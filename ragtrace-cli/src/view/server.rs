//! Accepts connections and answers their requests, until the end.
//!
//! The protocol is HTTP/1.1, which browsers and proxies use without TLS.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};

use super::connections::{AnswerBody, Connections, Place};
use super::ending::Ending;
use super::router::router;
use super::viewer::Viewer;

/// The largest number of connections at once. A process may open 1,024 files by default.
const CONNECTIONS: usize = 256;
/// The longest time for a request's head, and for which a connection may be idle.
const HEAD: Duration = Duration::from_secs(10);
/// The largest head of a request, in bytes.
const HEAD_BYTES: usize = 32 << 10;
/// The longest time for answers that are under way when the end begins.
const GRACE: Duration = Duration::from_secs(5);
/// The pause after a connection could not be accepted for lack of files or memory.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves a viewer's pages until the end has begun and answers under way are finished.
pub(crate) async fn serve(listener: TcpListener, viewer: Arc<Viewer>) {
    let (router, connections) = (router(&viewer), Connections::new(CONNECTIONS));
    let mut end = pin!(viewer.ending.begun());
    loop {
        let accepted = tokio::select! {
            () = &mut end => break,
            accepted = listener.accept() => accepted,
        };
        // The client may have gone already, which says nothing about the next one.
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let place = tokio::select! {
            () = &mut end => break,
            place = connections.place() => place,
        };
        tokio::spawn(converse(stream, place, router.clone(), viewer.ending.clone()));
    }
    drop(listener);
    connections.close_idle();
    let _ = tokio::time::timeout(GRACE, connections.ended()).await;
}

/// Answers the requests of one connection.
async fn converse(stream: TcpStream, mut place: Place, router: Router, ending: Ending) {
    // Events are small, and should be seen at once.
    let _ = stream.set_nodelay(true);
    let (answers, router) = (place.answers(), TowerToHyperService::new(router));
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (answering, answer) = (answers.begin(), router.call(request));
        async move {
            let answer = answer.await?;
            Ok::<_, Infallible>(answer.map(|body: Body| AnswerBody { body, _answering: answering }))
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // A connection that breaks is the client's affair.
        _ = connection.as_mut() => return,
        () = place.closed() => return,
        () = ending.begun() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => (),
        () = place.closed() => (),
    }
}
