//! When a body is complete, and what is recorded of one that is not.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Multipart;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use ragtrace::http::TraceLayer;
use ragtrace::{Event, RequestContext, traced_stage};
use ragtrace_tests_http::{Protocol, served};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tower::{Layer, ServiceExt};

fn traced(handler: axum::routing::MethodRouter) -> Router {
    Router::new().route("/", handler).layer(TraceLayer::new())
}

/// Returns a body of chunks without a declared length.
fn chunks(count: usize) -> Body {
    Body::from_stream(stream::iter((0..count).map(|_| Ok::<_, Infallible>(Bytes::from_static(b"chunk")))))
}

/// Returns a body that has one chunk and then never ends.
fn endless() -> Body {
    let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"chunk"))]);
    Body::from_stream(first.chain(stream::pending()))
}

#[test]
fn a_streamed_body_is_measured_to_its_end() {
    for protocol in Protocol::BOTH {
        let (answer, requests) =
            served(traced(get(async || chunks(3))), async |server| server.get(protocol, "/").await);
        let request = requests.one();
        assert_eq!(answer.body.len(), 15);
        assert_eq!((request.ended.event(), request.sent()), (Event::Completed, Some(15.0)));
    }
}

#[test]
fn a_stream_with_a_content_length_is_complete_once_its_bytes_have_gone() {
    for protocol in Protocol::BOTH {
        let router = traced(get(async || ([(header::CONTENT_LENGTH, "15")], chunks(3))));
        let (answer, requests) = served(router, async |server| server.get(protocol, "/").await);
        let request = requests.one();
        assert_eq!((answer.body.len(), request.ended.event(), request.sent()), (15, Event::Completed, Some(15.0)));
    }
}

#[test]
fn a_body_keeps_its_length() {
    for protocol in Protocol::BOTH {
        let (answer, _) = served(traced(get(async || "hello")), async |server| server.get(protocol, "/").await);
        assert_eq!(answer.headers[header::CONTENT_LENGTH], "5");
    }
}

#[test]
fn answers_without_a_body_are_complete_whatever_the_service_made_of_it() {
    fn with_status(headers: &HeaderMap) -> Response {
        let status: u16 = headers["x-status"].to_str().expect("a number").parse().expect("a number");
        (StatusCode::from_u16(status).expect("a status"), chunks(3)).into_response()
    }
    for protocol in Protocol::BOTH {
        for (method, status) in [("HEAD", 200_u16), ("GET", 204), ("GET", 304), ("HEAD", 304)] {
            // This is not a route of axum, which would remove the body of such an answer.
            let service = tower::ServiceBuilder::new().layer(TraceLayer::new()).service_fn(
                async |request: http::Request<hyper::body::Incoming>| {
                    Ok::<_, Infallible>(with_status(request.headers()))
                },
            );
            let ((), requests) = served(service, async |server| {
                let mut request = server.request(method, "/");
                request.headers_mut().insert("x-status", status.into());
                // Over HTTP/2, hyper sends a body that must not exist, and a client aborts because
                // of it.
                let answer = server.try_send(protocol, request).await;
                assert!(answer.is_ok() || protocol == Protocol::Http2, "{answer:?}");
            });
            let request = requests.one();
            assert_eq!(request.ended.event(), Event::Completed, "{method} {status} {protocol:?}");
            assert_eq!(request.status(), Some(status.into()));
            assert!(request.sent() == Some(0.0) || protocol == Protocol::Http2);
        }
    }
}

#[test]
fn a_head_of_axum_s_is_named_and_complete() {
    for protocol in Protocol::BOTH {
        let (answer, requests) = served(traced(get(async || "hello")), async |server| {
            server.send(protocol, server.request("HEAD", "/")).await
        });
        let request = requests.one();
        assert_eq!((request.stage(), request.ended.event()), ("HEAD /", Event::Completed));
        assert_eq!((answer.body.len(), &answer.headers[header::CONTENT_LENGTH]), (0, &"5".parse().expect("a value")));
    }
}

#[test]
fn an_empty_answer_is_complete() {
    for protocol in Protocol::BOTH {
        let (_, requests) = served(traced(get(async || ())), async |server| server.get(protocol, "/").await);
        assert_eq!((requests.one().ended.event(), requests.one().sent()), (Event::Completed, Some(0.0)));
    }
}

#[test]
fn trailers_are_the_end() {
    fn with_trailers() -> Body {
        let trailers: HeaderMap = [(header::ETAG, "x".parse().expect("a value"))].into_iter().collect();
        let frames = [Frame::data(Bytes::from_static(b"chunk")), Frame::trailers(trailers)];
        Body::new(StreamBody::new(stream::iter(frames.map(Ok::<_, Infallible>))))
    }
    let (answer, requests) =
        served(traced(get(async || with_trailers())), async |server| server.get(Protocol::Http2, "/").await);
    assert_eq!(answer.trailers[header::ETAG], "x");
    assert_eq!((requests.one().ended.event(), requests.one().sent()), (Event::Completed, Some(5.0)));
}

#[test]
fn a_body_that_breaks_fails_the_request_beside_its_status() {
    fn breaking() -> Body {
        let broken = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "the model hung up");
        let frames = stream::iter([Ok(Bytes::from_static(b"chunk")), Err(broken)]);
        // The awaits in between let the head and the first chunk be sent first.
        Body::from_stream(frames.then(async |frame| {
            tokio::task::yield_now().await;
            frame
        }))
    }
    for protocol in Protocol::BOTH {
        let (answer, requests) = served(traced(get(async || breaking())), async |server| {
            server.try_send(protocol, server.request("GET", "/")).await
        });
        let request = requests.one();
        assert!(answer.is_err());
        assert_eq!((request.ended.event(), &*request.message()), (Event::Failed, "http_request_failed"));
        assert_eq!((request.status(), request.sent()), (Some(200), Some(5.0)));
        let error = request.ended.error().expect("an error");
        assert!(error.message().contains("the model hung up"), "{error:?}");
    }
}

#[test]
fn a_body_that_breaks_at_once_fails_the_request() {
    fn breaking() -> Body {
        Body::from_stream(stream::iter([Err::<Bytes, _>(std::io::Error::other("no model"))]))
    }
    for protocol in Protocol::BOTH {
        let (_, requests) = served(traced(get(async || breaking())), async |server| {
            server.try_send(protocol, server.request("GET", "/")).await
        });
        assert_eq!((requests.one().ended.event(), &*requests.one().message()), (Event::Failed, "http_request_failed"));
    }
}

#[test]
fn who_leaves_in_the_middle_of_a_body_cancels_the_request() {
    for protocol in Protocol::BOTH {
        let ((), requests) = served(traced(get(async || endless())), async |server| match protocol {
            Protocol::Http1 => {
                let mut connection = server.http1().await;
                let request = server.request("GET", "/");
                let mut response = connection.sender.send_request(request).await.expect("a head");
                response.body_mut().frame().await.expect("a frame").expect("a chunk");
                connection.abort().await;
            }
            Protocol::Http2 => {
                let mut connection = server.http2().await;
                let request = server.request("GET", "/");
                let mut response = connection.sender.send_request(request).await.expect("a head");
                response.body_mut().frame().await.expect("a frame").expect("a chunk");
                // This resets the stream, and the connection continues.
                drop(response);
                let again = connection.sender.send_request(server.request("OPTIONS", "/nowhere")).await;
                assert_eq!(again.expect("an answer").status(), 404);
            }
        });
        let left = requests.all()[0];
        assert_eq!((left.ended.event(), &*left.message()), (Event::Cancelled, "http_request_cancelled"));
        assert_eq!((left.status(), left.sent()), (Some(200), Some(5.0)));
        assert!(left.ended.error().is_none());
    }
}

#[test]
fn a_failed_answer_stays_one_however_much_of_it_is_read() {
    let router = traced(get(async || (StatusCode::INTERNAL_SERVER_ERROR, endless())));
    let ((), requests) = served(router, async |server| {
        let mut connection = server.http1().await;
        let mut response = connection.sender.send_request(server.request("GET", "/")).await.expect("a head");
        response.body_mut().frame().await.expect("a frame").expect("a chunk");
        connection.abort().await;
    });
    let request = requests.one();
    assert_eq!((request.ended.event(), request.error_type()), (Event::Failed, Some("500")));
    assert_eq!(request.message(), "http_request_failed", "not all of it was sent");
}

#[test]
fn leaving_a_stream_of_events_is_its_end() {
    use axum::response::sse::{Event as Sent, Sse};
    fn events() -> impl IntoResponse {
        let first = stream::iter([Ok::<_, Infallible>(Sent::default().data("tick"))]);
        Sse::new(first.chain(stream::pending()))
    }
    for protocol in Protocol::BOTH {
        let ((), requests) = served(traced(get(async || events())), async |server| match protocol {
            Protocol::Http1 => {
                let mut connection = server.http1().await;
                let mut response = connection.sender.send_request(server.request("GET", "/")).await.expect("a head");
                response.body_mut().frame().await.expect("a frame").expect("an event");
                connection.abort().await;
            }
            Protocol::Http2 => {
                let mut connection = server.http2().await;
                let mut response = connection.sender.send_request(server.request("GET", "/")).await.expect("a head");
                response.body_mut().frame().await.expect("a frame").expect("an event");
                drop(response);
                connection.abort().await;
            }
        });
        let request = requests.one();
        assert_eq!((request.ended.event(), &*request.message()), (Event::Completed, "http_response_sent"));
    }
}

#[test]
fn a_body_and_what_it_drops_run_in_the_request_s_context() {
    #[traced_stage("streaming")]
    fn in_stream() -> Bytes {
        Bytes::from_static(b"chunk")
    }
    #[traced_stage("dropping")]
    fn in_drop() {}
    struct Dropped;
    impl Drop for Dropped {
        fn drop(&mut self) {
            in_drop();
        }
    }
    fn streaming() -> Body {
        let held = Dropped;
        Body::from_stream(stream::iter(0..2).map(move |_| {
            let _held = &held;
            Ok::<_, Infallible>(in_stream())
        }))
    }
    for protocol in Protocol::BOTH {
        let (_, requests) = served(traced(get(async || streaming())), async |server| server.get(protocol, "/").await);
        let request = requests.one();
        for stage in ["streaming", "dropping"] {
            for record in requests.captured().stage(stage).iter() {
                assert_eq!(record.parent_span_id(), request.ended.span_id(), "{stage}");
                assert_eq!(record.trace_id(), request.ended.trace_id(), "{stage}");
            }
        }
        assert_eq!(requests.captured().stage("streaming").completed().len(), 2);
        assert_eq!(requests.captured().stage("dropping").completed().len(), 1);
    }
}

#[test]
fn a_body_that_is_replaced_by_another_layer_ends_the_request_once() {
    let router = Router::new()
        .route("/whole", get(async || "hello"))
        .route("/streamed", get(async || chunks(3)))
        .layer(TraceLayer::new())
        .layer(axum::middleware::map_response(async |response: Response| response.map(|_| Body::from("another"))));
    let ((), requests) = served(router, async |server| {
        for path in ["/whole", "/streamed"] {
            assert_eq!(&*server.get(Protocol::Http1, path).await.body, b"another");
        }
    });
    let events: Vec<_> = requests.all().iter().map(|request| request.ended.event()).collect();
    assert_eq!(events, [Event::Cancelled, Event::Cancelled], "neither body has gone anywhere");
}

#[test]
fn a_request_body_that_is_cut_off_is_what_the_handler_makes_of_it() {
    async fn upload(mut form: Multipart) -> Response {
        while let Some(field) = form.next_field().await.transpose() {
            let text = match field {
                Ok(field) => field.bytes().await.map(|_| ()),
                Err(error) => Err(error),
            };
            if let Err(error) = text {
                return error.into_response();
            }
        }
        ().into_response()
    }
    let ((), requests) = served(traced(post(upload)), async |server| {
        let mut stream = server.raw().await;
        let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 1000\r\n\r\n";
        let part = "--b\r\ncontent-disposition: form-data; name=\"files\"; filename=\"a.txt\"\r\n\r\nhalf";
        stream.write_all(format!("{head}{part}").as_bytes()).await.expect("it is sent");
        stream.shutdown().await.expect("it is shut");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
    });
    let request = requests.one();
    assert!(request.ended.event().is_end() && request.status().is_some(), "{:?}", request.ended);
    assert_eq!(request.message(), "http_response_sent");
    assert_eq!(request.ended.metric("http.request.body.size"), Some(1_000.0));
}

#[test]
fn who_leaves_before_the_head_cancels_the_request() {
    #[traced_stage("waiting")]
    async fn wait(started: Arc<Notify>) {
        started.notify_one();
        std::future::pending::<()>().await;
    }
    for protocol in Protocol::BOTH {
        let started = Arc::new(Notify::new());
        let router = traced(any({
            let started = Arc::clone(&started);
            move || wait(Arc::clone(&started))
        }));
        let ((), requests) = served(router, async |server| match protocol {
            Protocol::Http1 => {
                let mut connection = server.http1().await;
                let answer = connection.sender.send_request(server.request("GET", "/"));
                let answer = tokio::spawn(answer);
                started.notified().await;
                connection.abort().await;
                assert!(answer.await.expect("no panic").is_err());
            }
            Protocol::Http2 => {
                let mut connection = server.http2().await;
                let mut answer = Box::pin(connection.sender.send_request(server.request("GET", "/")));
                tokio::select! {
                    _ = &mut answer => panic!("it never answers"),
                    () = started.notified() => {}
                }
                drop(answer);
                drop(connection);
            }
        });
        let request = requests.one();
        assert_eq!((request.ended.event(), &*request.message()), (Event::Cancelled, "http_request_cancelled"));
        assert_eq!((request.status(), request.sent(), request.ended.metric("head_ms")), (None, None, None));
        let inner = requests.captured().stage("waiting").cancelled();
        assert_eq!(inner.one().parent_span_id(), request.ended.span_id());
    }
}

#[test]
fn who_leaves_a_body_that_is_not_read_is_not_noticed() {
    let release = Arc::new(Notify::new());
    let router = traced(post({
        let release = Arc::clone(&release);
        async move || {
            release.notified().await;
            assert!(RequestContext::current().is_some());
        }
    }));
    let ((), requests) = served(router, async |server| {
        let mut stream = server.raw().await;
        stream
            .write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 20000000\r\n\r\nsome")
            .await
            .expect("it is sent");
        drop(stream);
        // The server may have seen it or not: nothing is read, so it cannot tell.
        tokio::time::sleep(Duration::from_millis(1)).await;
        release.notify_one();
    });
    assert!(requests.one().ended.event().is_end());
}

/// A body with one chunk whose end is not yet known when the chunk is sent.
struct LateEnd {
    chunk: Option<Bytes>,
    is_ended: Arc<AtomicBool>,
}

impl http_body::Body for LateEnd {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.chunk.take() {
            Some(chunk) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
            None => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_ended.load(Ordering::Relaxed)
    }
}

#[test]
fn a_body_that_knows_at_its_drop_that_it_is_at_its_end_was_sent() {
    for (is_ended_at_last, is_read, event) in [
        (true, true, Event::Completed),
        (true, false, Event::Completed),
        (false, true, Event::Cancelled),
        (false, false, Event::Cancelled),
    ] {
        let is_ended = Arc::new(AtomicBool::new(false));
        let late = Arc::clone(&is_ended);
        let service = TraceLayer::new().layer(tower::service_fn(move |_: http::Request<()>| {
            let body = LateEnd { chunk: Some(Bytes::from_static(b"chunk")), is_ended: Arc::clone(&late) };
            async move { Ok::<_, Infallible>(http::Response::new(body)) }
        }));
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let ((), captured) = runtime.block_on(ragtrace::testing::capture(async move {
            let mut body = Box::pin(service.oneshot(http::Request::new(())).await.expect("it cannot fail").into_body());
            if is_read {
                assert!(body.frame().await.is_some());
            }
            is_ended.store(is_ended_at_last, Ordering::Relaxed);
        }));
        let last = captured.records().last().expect("an end");
        assert_eq!(last.event(), event, "{is_ended_at_last} {is_read}");
    }
}

#[test]
fn a_body_that_ends_short_of_its_length_fails_the_request() {
    for protocol in Protocol::BOTH {
        for status in [StatusCode::OK, StatusCode::BAD_GATEWAY] {
            let router = traced(get(async move || (status, [(header::CONTENT_LENGTH, "15")], chunks(2))));
            let (answer, requests) =
                served(router, async |server| server.try_send(protocol, server.request("GET", "/")).await);
            assert!(answer.is_err(), "{protocol:?}");
            let request = requests.one();
            assert_eq!((request.ended.event(), &*request.message()), (Event::Failed, "http_request_failed"));
            assert_eq!((request.status(), request.sent()), (Some(status.as_u16().into()), Some(10.0)));
            let error = request.ended.error().expect("an error");
            let expected = match status {
                StatusCode::OK => ("IncompleteBody", "the body ended after 10 of 15 bytes"),
                _ => ("502", "Bad Gateway"),
            };
            assert_eq!((error.type_name(), error.message()), expected, "{protocol:?}");
        }
    }
}
