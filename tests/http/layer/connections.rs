//! Connections with several requests, and those that end early.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use ragtrace::http::TraceLayer;
use ragtrace::{Event, traced_stage};
use ragtrace_tests_http::{Protocol, served};
use tokio::sync::Notify;
use tower::timeout::TimeoutLayer;

#[test]
fn pipelined_requests_have_a_trace_each() {
    let router = Router::new().route("/", get(async || "hello")).layer(TraceLayer::new());
    let (answer, requests) = served(router, async |server| {
        let first = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
        let last = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        server.exchange_bytes([first, first, last].concat().as_bytes()).await
    });
    assert_eq!(answer.matches("hello").count(), 3);
    let traces: Vec<_> = requests.all().iter().map(|request| request.ended.trace_id()).collect();
    assert!(traces.len() == 3 && traces[0] != traces[1] && traces[1] != traces[2]);
}

#[test]
fn nothing_is_left_on_a_thread_behind_a_request() {
    // A connection is one task, and so are its requests over HTTP/1.
    #[traced_stage("inside")]
    fn inside() {}
    let router = Router::new().route("/", get(async || inside())).layer(TraceLayer::new());
    let ((), requests) = served(router, async |server| {
        let mut connection = server.http1().await;
        for _ in 0..2 {
            let response = connection.sender.send_request(server.request("GET", "/")).await.expect("an answer");
            http_body_util::BodyExt::collect(response.into_body()).await.expect("a body");
        }
    });
    let all = requests.all();
    assert_ne!(all[0].ended.trace_id(), all[1].ended.trace_id());
    assert!(all.iter().all(|request| request.ended.parent_span_id().is_none()));
}

#[test]
fn a_timeout_outside_of_the_layer_cancels_the_request() {
    let service = tower::ServiceBuilder::new()
        .layer(TimeoutLayer::new(Duration::from_millis(10)))
        .layer(TraceLayer::new())
        .service_fn(async |_: http::Request<hyper::body::Incoming>| {
            std::future::pending::<()>().await;
            Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
        });
    let (answer, requests) =
        served(service, async |server| server.try_send(Protocol::Http1, server.request("GET", "/")).await);
    assert!(answer.is_err(), "hyper closes the connection of a service that errs");
    assert_eq!((requests.one().ended.event(), requests.one().status()), (Event::Cancelled, None));
}

#[test]
fn a_timeout_inside_of_the_layer_fails_the_request() {
    let service = tower::ServiceBuilder::new()
        .layer(TraceLayer::new())
        .layer(TimeoutLayer::new(Duration::from_millis(10)))
        .service_fn(async |_: http::Request<hyper::body::Incoming>| {
            std::future::pending::<()>().await;
            Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
        });
    let (_, requests) =
        served(service, async |server| server.try_send(Protocol::Http1, server.request("GET", "/")).await);
    let request = requests.one();
    assert_eq!((request.ended.event(), &*request.message()), (Event::Failed, "http_request_failed"));
    assert_eq!(request.ended.error().expect("an error").message(), "request timed out");
}

#[test]
fn a_server_that_ends_cancels_what_it_answers() {
    let started = Arc::new(Notify::new());
    let router = Router::new()
        .route(
            "/",
            get({
                let started = Arc::clone(&started);
                async move || {
                    started.notify_one();
                    std::future::pending::<()>().await;
                }
            }),
        )
        .layer(TraceLayer::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let ((), captured) = ragtrace::testing::capture_sync(|| {
        runtime.block_on(async {
            let call = tower::ServiceExt::<http::Request<axum::body::Body>>::oneshot(router, http::Request::default());
            let mut call = Box::pin(call);
            tokio::select! {
                _ = &mut call => panic!("it never answers"),
                () = started.notified() => {}
            }
            tokio::spawn(call);
        });
        drop(runtime);
    });
    assert_eq!(captured.stage("GET /").cancelled().one().message(), "http_request_cancelled");
}
