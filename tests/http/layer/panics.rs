//! Panics of handlers, of bodies, and of layers in between.

use std::any::Any;
use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use ragtrace::http::TraceLayer;
use ragtrace::{Event, RequestContext, traced_stage};
use ragtrace_tests_http::{Protocol, served};
use tower::{Service, ServiceBuilder, ServiceExt};

fn panicking() -> Router {
    async fn panic() -> &'static str {
        tokio::task::yield_now().await;
        panic!("the handler gave up")
    }
    Router::new().route("/", get(panic))
}

/// Answers a panic with 500, as tower-http's `CatchPanic` does.
fn caught<S>(
    inner: S,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone
where
    S: Service<Request<Incoming>, Response: IntoResponse, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    tower::service_fn(move |request| {
        let inner = inner.clone();
        async move {
            let answer: Result<_, Box<dyn Any + Send>> = AssertUnwindSafe(inner.oneshot(request)).catch_unwind().await;
            Ok(match answer {
                Ok(Ok(response)) => response.into_response(),
                Ok(Err(error)) => match error {},
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            })
        }
    })
}

#[test]
fn a_handler_that_panics_fails_the_request() {
    for protocol in Protocol::BOTH {
        let router = panicking().layer(TraceLayer::new());
        let (answer, requests) =
            served(router, async |server| server.try_send(protocol, server.request("GET", "/")).await);
        assert!(answer.is_err());
        let request = requests.one();
        assert_eq!((request.ended.event(), &*request.message()), (Event::Failed, "http_request_failed"));
        let error = request.ended.error().expect("an error");
        assert_eq!(error.type_name(), "panic");
        assert!(error.message().starts_with("the handler gave up (at "), "{error:?}");
        assert_eq!(request.status(), None);
    }
}

#[test]
fn a_panic_that_is_caught_outside_of_the_layer_fails_the_request() {
    let service = caught(panicking().layer(TraceLayer::new()));
    let (answer, requests) = served(service, async |server| server.get(Protocol::Http1, "/").await);
    assert_eq!(answer.status, 500);
    assert_eq!((requests.one().ended.event(), requests.one().error_type()), (Event::Failed, Some("panic")));
}

#[test]
fn a_panic_that_is_caught_inside_of_the_layer_is_an_answer() {
    let service = ServiceBuilder::new().layer(TraceLayer::new()).service(caught(panicking()));
    let (answer, requests) = served(service, async |server| server.get(Protocol::Http1, "/").await);
    let request = requests.one();
    assert_eq!((answer.status.as_u16(), request.ended.event(), request.status()), (500, Event::Failed, Some(500)));
    assert_eq!((&*request.message(), request.error_type()), ("http_response_sent", Some("500")));
}

#[test]
fn a_service_that_panics_in_its_call_fails_the_request() {
    #[derive(Clone)]
    struct Panicking;
    impl Service<Request<Incoming>> for Panicking {
        type Response = Response<Body>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response<Body>, Infallible>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<Incoming>) -> Self::Future {
            assert!(RequestContext::current().is_none(), "the call is inside of the request");
            std::future::ready(Ok(Response::new(Body::empty())))
        }
    }
    let service = caught(ServiceBuilder::new().layer(TraceLayer::new()).service(Panicking));
    let (answer, requests) = served(service, async |server| server.get(Protocol::Http1, "/").await);
    assert_eq!((answer.status.as_u16(), requests.one().ended.event()), (500, Event::Failed));
    assert_eq!(requests.one().error_type(), Some("panic"));
}

#[test]
fn a_body_that_panics_fails_the_request_beside_its_status() {
    fn body() -> Body {
        let chunks = stream::iter(0..2).then(async |chunk| {
            tokio::task::yield_now().await;
            assert_eq!(chunk, 0, "the body gave up");
            Ok::<_, Infallible>(Bytes::from_static(b"chunk"))
        });
        Body::from_stream(chunks)
    }
    for protocol in Protocol::BOTH {
        let router = Router::new().route("/", get(async || body())).layer(TraceLayer::new());
        let (_, requests) = served(router, async |server| server.try_send(protocol, server.request("GET", "/")).await);
        let request = requests.one();
        assert_eq!((request.ended.event(), request.error_type()), (Event::Failed, Some("panic")));
        assert_eq!((request.status(), request.sent()), (Some(200), Some(5.0)));
        assert_eq!(request.message(), "http_request_failed");
    }
}

#[test]
fn a_panic_of_a_stage_inside_says_the_same_of_the_request() {
    #[traced_stage("parsing")]
    async fn parse() -> usize {
        panic!("no such page")
    }
    let router = Router::new().route("/", get(async || parse().await.to_string())).layer(TraceLayer::new());
    let (_, requests) =
        served(router, async |server| server.try_send(Protocol::Http1, server.request("GET", "/")).await);
    let message = requests.one().ended.error().expect("an error").message().to_owned();
    assert!(message.starts_with("no such page (at "), "{message}");
    assert_eq!(requests.captured().stage("parsing").failed().one().error().expect("an error").message(), message);
}

#[test]
fn nothing_is_left_on_the_thread_behind_a_panic() {
    let ((), captured) = ragtrace::testing::capture_sync(|| {
        let around = RequestContext::current().map(|context| context.trace_id());
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let service = panicking().layer(TraceLayer::new());
            let call: std::pin::Pin<Box<dyn Future<Output = _>>> =
                Box::pin(service.oneshot(Request::<Body>::default()));
            assert!(AssertUnwindSafe(call).catch_unwind().await.is_err());
            assert_eq!(RequestContext::current().map(|context| context.trace_id()), around);
        });
    });
    captured.stage("GET /").failed().one();
}
