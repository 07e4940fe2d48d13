//! Many requests at once: no context is mixed up, and each has one start and one end.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::Full;
use ragtrace::http::TraceLayer;
use ragtrace::{Event, RequestContext, traced_stage};
use ragtrace_tests_http::{Protocol, served};
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

/// The longest time for a handler to begin.
const BOUND: Duration = Duration::from_secs(20);

#[traced_stage("working", fields(user))]
async fn work(user: &str) -> String {
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let context = RequestContext::current().expect("a context");
        assert_eq!(context.user_id(), Some(user));
    }
    user.to_owned()
}

fn router() -> Router {
    let identified = TraceLayer::new().trust_user_header();
    Router::new()
        .route("/users/{user}", get(async |Path(user): Path<String>| work(&user).await))
        .route("/upload", post(async |body: Bytes| body.len().to_string()))
        .route("/broken", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .layer(identified)
}

#[test]
fn two_hundred_requests_at_once_mix_no_context() {
    for protocol in Protocol::BOTH {
        let ((), requests) = served(router(), async |server| {
            let sent = (0..200).map(|number| async move {
                let user = format!("user-{number}");
                let mut request = server.request("GET", &format!("/users/{user}"));
                request.headers_mut().insert("x-user-id", user.parse().expect("a value"));
                assert_eq!(server.send(protocol, request).await.body, user);
            });
            join_all(sent).await;
        });
        let all = requests.all();
        assert_eq!(all.len(), 200);
        assert!(all.iter().all(|request| request.stage() == "GET /users/{user}"));
        let traces: HashSet<_> = all.iter().map(|request| request.ended.trace_id()).collect();
        assert_eq!(traces.len(), 200);
        for request in all {
            let working = requests.captured().stage("working").completed();
            let inner = working.iter().find(|record| record.parent_span_id() == request.ended.span_id());
            let inner = inner.expect("its stage");
            let user = inner.field("user").expect("a user").to_string();
            let ids = [request.received.user_id(), request.ended.user_id(), inner.user_id()];
            assert_eq!(ids, [Some(&*user); 3]);
            assert_eq!(inner.trace_id(), request.ended.trace_id());
        }
    }
}

#[test]
fn two_hundred_requests_on_one_connection_mix_no_context() {
    let ((), requests) = served(router(), async |server| {
        let connection = server.http2::<http_body_util::Empty<Bytes>>().await;
        let sent = (0..200).map(|number| {
            let mut sender = connection.sender.clone();
            async move {
                let user = format!("user-{number}");
                let mut request = server.request("GET", &format!("/users/{user}"));
                request.headers_mut().insert("x-user-id", user.parse().expect("a value"));
                let response = sender.send_request(request).await.expect("an answer");
                let body = http_body_util::BodyExt::collect(response.into_body()).await.expect("a body");
                assert_eq!(body.to_bytes(), user);
            }
        });
        join_all(sent).await;
    });
    assert_eq!(requests.all().len(), 200);
}

#[test]
fn of_many_requests_of_every_sort_each_has_one_start_and_one_end() {
    // Each of the aborted requests is aborted once its handler has begun.
    let begun: Arc<Vec<Notify>> = Arc::new((0..200).map(|_| Notify::new()).collect());
    let is_begun = Arc::clone(&begun);
    let cut = async move |Path(number): Path<usize>, body: Body| {
        is_begun[number].notify_one();
        axum::body::to_bytes(body, usize::MAX)
            .await
            .map_err(|_| StatusCode::BAD_REQUEST)
            .map(|body| body.len().to_string())
    };
    let router = router().merge(Router::new().route("/cut/{number}", post(cut)).layer(TraceLayer::new()));
    let ((), requests) = served(router, async |server| {
        let begun = &begun;
        let sent = (0..200_usize).map(|number| async move {
            let protocol = Protocol::BOTH[number % 2];
            match number % 5 {
                0 => drop(server.get(protocol, "/broken").await),
                1 => {
                    let uri = format!("http://{}/upload", server.address());
                    let body = Full::new(Bytes::from(vec![b'x'; 100_000]));
                    let request = http::Request::post(uri).header("host", "x").body(body).expect("a request");
                    assert_eq!(server.send(protocol, request).await.body, "100000");
                }
                2 => drop(server.send(protocol, server.request("HEAD", "/nowhere")).await),
                3 => {
                    let mut stream = server.raw().await;
                    let cut = format!("POST /cut/{number} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nhalf");
                    stream.write_all(cut.as_bytes()).await.expect("it is sent");
                    tokio::time::timeout(BOUND, begun[number].notified()).await.expect("its handler begins");
                }
                _ => drop(server.send(protocol, server.request("OPTIONS", "/upload")).await),
            }
        });
        join_all(sent).await;
    });
    assert_eq!(requests.all().len(), 200);
    for (stage, event, status) in [
        ("GET /broken", Event::Failed, 500),
        ("POST /upload", Event::Completed, 200),
        ("HEAD", Event::Completed, 404),
        ("OPTIONS /upload", Event::Completed, 405),
    ] {
        let all = requests.all();
        let of_sort: Vec<_> = all.iter().filter(|request| request.stage() == stage).collect();
        assert_eq!(of_sort.len(), 40, "{stage}");
        for request in of_sort {
            assert_eq!((request.ended.event(), request.status()), (event, Some(status)), "{stage}");
            assert_eq!(request.message(), "http_response_sent", "{stage}");
        }
    }
    // The server notices the end either by the handler's reading, and then has an answer, or by the
    // connection.
    let all = requests.all();
    let cut: Vec<_> = all.iter().filter(|request| request.stage() == "POST /cut/{number}").collect();
    assert_eq!(cut.len(), 40);
    for request in cut {
        let end = (request.ended.event(), request.status());
        assert!(
            [(Event::Completed, Some(400)), (Event::Cancelled, None), (Event::Cancelled, Some(400))].contains(&end),
            "{end:?}"
        );
    }
}
