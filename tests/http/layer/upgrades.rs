//! Connections that stop being HTTP: upgrades, WebSocket, `CONNECT`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{Message, WebSocket};
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper::body::Incoming;
use ragtrace::http::TraceLayer;
use ragtrace::{Event, InContext, RequestContext, traced_stage};
use ragtrace_tests_http::{Protocol, served};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tower::ServiceBuilder;

#[traced_stage("chatting")]
async fn chat(mut socket: WebSocket) {
    if socket.send(Message::text("hello")).await.is_ok() {
        let _ = socket.recv().await;
    }
}

fn upgrade(socket: WebSocketUpgrade, ended: Arc<Notify>) -> Response {
    let context = RequestContext::current().expect("a context");
    socket.on_upgrade(async move |socket| {
        context.scope(chat(socket)).await;
        ended.notify_one();
    })
}

/// Returns a route that chats, and what tells that the chat has ended.
fn chatting() -> (Router, Arc<Notify>) {
    let ended = Arc::new(Notify::new());
    let told = Arc::clone(&ended);
    let chat = any(async move |socket: WebSocketUpgrade| upgrade(socket, told));
    (Router::new().route("/chat", chat).layer(TraceLayer::new()), ended)
}

/// Waits for the end of a chat whose client has left.
async fn wait_for(ended: &Notify) {
    tokio::time::timeout(Duration::from_mins(1), ended.notified()).await.expect("the chat ends");
}

#[test]
fn an_upgrade_ends_the_request_and_what_runs_after_may_have_its_context() {
    let (router, ended) = chatting();
    let ((), requests) = served(router, async |server| {
        let mut stream = server.raw().await;
        let request = "GET /chat HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
            sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(request.as_bytes()).await.expect("it is sent");
        let mut answer = Vec::new();
        while !String::from_utf8_lossy(&answer).contains("hello") {
            let read = stream.read_buf(&mut answer).await.expect("an answer");
            assert_ne!(read, 0, "{}", String::from_utf8_lossy(&answer));
        }
        assert!(answer.starts_with(b"HTTP/1.1 101 "));
        drop(stream);
        wait_for(&ended).await;
    });
    let request = requests.one();
    assert_eq!((request.stage(), request.ended.event(), request.status()), ("GET /chat", Event::Completed, Some(101)));
    let chatting = requests.captured().stage("chatting");
    assert_eq!(chatting.started().one().parent_span_id(), request.ended.span_id());
    assert_eq!(chatting.completed().one().trace_id(), request.ended.trace_id());
}

#[test]
fn a_websocket_over_http_2_ends_the_request_at_its_head() {
    let (router, _) = chatting();
    let ((), requests) = served(router, async |server| {
        let mut connection = server.http2().await;
        // The answer comes after the settings, which allow such a `CONNECT`.
        connection.sender.send_request(server.request("OPTIONS", "/nowhere")).await.expect("an answer");
        let mut request = server.request("CONNECT", "/chat");
        request.headers_mut().insert("sec-websocket-version", "13".parse().expect("a value"));
        request.extensions_mut().insert(hyper::ext::Protocol::from_static("websocket"));
        let response = connection.sender.send_request(request).await.expect("an answer");
        assert_eq!(response.status(), 200);
        let mut stream = hyper_util::rt::TokioIo::new(hyper::upgrade::on(response).await.expect("an upgrade"));
        let mut answer = Vec::new();
        while !answer.ends_with(b"hello") {
            assert_ne!(stream.read_buf(&mut answer).await.expect("an answer"), 0);
        }
    });
    let request = requests.all()[1];
    assert_eq!((request.stage(), request.ended.event()), ("CONNECT /chat", Event::Completed));
    assert_eq!((request.status(), &*request.message()), (Some(200), "http_response_sent"));
    let chatting = requests.captured().stage("chatting").started();
    assert_eq!(chatting.one().parent_span_id(), request.ended.span_id());
}

#[test]
fn a_tunnel_ends_the_request_at_its_head() {
    #[traced_stage("tunnelling")]
    async fn tunnel(request: Request<Incoming>) {
        let upgraded = hyper::upgrade::on(request).await.expect("an upgrade");
        let mut stream = hyper_util::rt::TokioIo::new(upgraded);
        let mut bytes = [0; 4];
        stream.read_exact(&mut bytes).await.expect("bytes");
        stream.write_all(&bytes).await.expect("they are sent");
    }
    let service = ServiceBuilder::new().layer(TraceLayer::new()).service_fn(async |request: Request<Incoming>| {
        assert_eq!(request.method(), "CONNECT");
        tokio::spawn(tunnel(request).in_current_context());
        Ok::<_, Infallible>(http::Response::new(Empty::<Bytes>::new()))
    });
    let ((), requests) = served(service, async |server| {
        let mut stream = server.raw().await;
        stream
            .write_all(b"CONNECT example.org:443 HTTP/1.1\r\nhost: example.org:443\r\n\r\n")
            .await
            .expect("it is sent");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut answer).await.expect("an answer"), 0);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
        stream.write_all(b"ping").await.expect("it is sent");
        let mut echo = [0; 4];
        stream.read_exact(&mut echo).await.expect("an echo");
        assert_eq!(&echo, b"ping");
    });
    let request = requests.one();
    assert_eq!((request.stage(), request.ended.event(), request.status()), ("CONNECT", Event::Completed, Some(200)));
    assert_eq!(request.text("server.address").as_deref(), Some("example.org"));
    assert_eq!(request.text("url.path"), None);
    assert_eq!(requests.captured().stage("tunnelling").started().one().parent_span_id(), request.ended.span_id());
}

#[test]
fn a_tunnel_that_is_refused_is_an_answer() {
    let service = ServiceBuilder::new().layer(TraceLayer::new()).service_fn(async |_: Request<Incoming>| {
        let mut response = http::Response::new("no".to_owned());
        *response.status_mut() = StatusCode::FORBIDDEN;
        Ok::<_, Infallible>(response)
    });
    let (answer, requests) = served(service, async |server| {
        let request = b"CONNECT example.org:443 HTTP/1.1\r\nhost: example.org:443\r\nconnection: close\r\n\r\n";
        server.exchange_bytes(request).await
    });
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert_eq!(
        (requests.one().ended.event(), requests.one().status(), requests.one().sent()),
        (Event::Completed, Some(403), Some(2.0))
    );
}

#[test]
fn an_upgrade_that_is_refused_is_an_answer() {
    let (router, _) = chatting();
    let (answer, requests) = served(router, async |server| server.get(Protocol::Http1, "/chat").await);
    assert!(answer.status.is_client_error());
    assert_eq!((requests.one().ended.event(), requests.one().error_type()), (Event::Completed, None));
}
