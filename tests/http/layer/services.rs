//! Services without axum: hyper alone, tower's stacks, errors of services, and properties that a
//! layer must not change.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use ragtrace::http::{ResponseBody, ResponseFuture, Trace, TraceLayer};
use ragtrace::{Event, RequestContext, testing};
use ragtrace_tests_http::{Protocol, served};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime")
}

#[test]
fn a_service_of_hyper_s_is_traced() {
    for protocol in Protocol::BOTH {
        let service = ServiceBuilder::new().layer(TraceLayer::new()).service_fn(async |request: Request<Incoming>| {
            let body = request.into_body().collect().await?.to_bytes();
            Ok::<_, hyper::Error>(Response::new(Full::new(body)))
        });
        let (answer, requests) = served(service, async |server| {
            let uri = format!("http://{}/", server.address());
            let body = Full::new(Bytes::from_static(b"hello"));
            server.send(protocol, Request::post(uri).header("host", "x").body(body).expect("a request")).await
        });
        let request = requests.one();
        assert_eq!((request.stage(), request.status(), request.sent()), ("POST", Some(200), Some(5.0)));
        assert_eq!(&*answer.body, b"hello");
    }
}

/// Calls a service that always returns `error`, and returns the chain of the request's error.
fn failed_by<E: fmt::Display + Clone + 'static>(error: E) -> Vec<String> {
    let service = TraceLayer::new().layer(tower::service_fn(move |_: Request<()>| {
        let error = error.clone();
        async move { Err::<Response<String>, _>(error) }
    }));
    chain_of(service)
}

fn chain_of<S, E>(service: S) -> Vec<String>
where
    S: Service<Request<()>, Response = Response<ResponseBody<String>>, Error = E>,
{
    let (result, captured) = runtime().block_on(testing::capture(service.oneshot(Request::new(()))));
    assert!(result.is_err());
    let failed = captured.stage("GET").failed();
    let record = failed.one();
    assert_eq!(record.message(), "http_request_failed");
    let error = record.error().expect("an error");
    [error.type_name(), error.message()].into_iter().map(str::to_owned).chain(error.chain().iter().cloned()).collect()
}

#[test]
fn a_service_that_errs_fails_the_request_by_its_error() {
    #[derive(Clone, Debug)]
    struct NoModel;
    impl fmt::Display for NoModel {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("no model")
        }
    }
    assert_eq!(failed_by(NoModel), ["NoModel", "no model"]);
    assert_eq!(failed_by("a text"), ["&str", "a text"]);
}

#[test]
fn a_boxed_error_gives_its_chain() {
    let service = TraceLayer::new().layer(tower::service_fn(async |_: Request<()>| {
        let error: Box<dyn Error + Send + Sync> = Box::new(Sending::refused());
        Err::<Response<String>, _>(error)
    }));
    assert_eq!(chain_of(service)[1..], ["error sending request", "connection refused"]);
}

#[test]
fn an_error_whose_display_panics_fails_the_request_and_nothing_else() {
    #[derive(Clone)]
    struct Bad;
    impl fmt::Display for Bad {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("on purpose")
        }
    }
    let chain = failed_by(Bad);
    assert!(chain[1].contains("panicked: on purpose"), "{chain:?}");
}

#[test]
fn a_layer_may_be_named_cloned_and_taken_off() {
    #[derive(Clone)]
    struct Inner;
    fn assert_send<T: Send + 'static>() {}
    assert_send::<TraceLayer>();
    assert_send::<ResponseBody<Full<Bytes>>>();
    assert_send::<ResponseFuture<std::future::Ready<()>>>();
    let mut service: Trace<Inner> = TraceLayer::default().layer(Inner);
    let _: &Inner = service.get_ref();
    let _: &mut Inner = service.get_mut();
    assert!(format!("{:?}", TraceLayer::new()).contains("TraceLayer"));
    let _: Inner = service.clone().into_inner();
    let empty = ResponseBody::<Full<Bytes>>::default();
    assert!(empty.is_end_stream() && empty.size_hint().exact() == Some(0));
}

#[test]
fn a_future_and_a_body_that_are_polled_again_do_no_harm() {
    use std::future::Future;
    use std::task::{Context, Poll, Waker};
    let service = TraceLayer::new()
        .layer(tower::service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new("hello".to_owned()))));
    let ((), captured) = runtime().block_on(testing::capture(async move {
        let mut call = Box::pin(service.oneshot(Request::new(())));
        let response = (&mut call).await.expect("it cannot fail");
        let mut body = Box::pin(response.into_body());
        assert!(body.frame().await.is_some());
        assert!(body.frame().await.is_none() && body.frame().await.is_none());
        let mut answer = Box::pin(
            TraceLayer::new()
                .layer(tower::service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new("hello".to_owned()))))
                .call(Request::new(())),
        );
        let mut cx = Context::from_waker(Waker::noop());
        assert!(answer.as_mut().poll(&mut cx).is_ready());
        assert!(matches!(answer.as_mut().poll(&mut cx), Poll::Pending));
    }));
    assert_eq!((captured.stage("GET").completed().len(), captured.stage("GET").cancelled().len()), (1, 1));
}

#[test]
fn a_call_that_is_never_polled_is_cancelled() {
    let ((), captured) = testing::capture_sync(|| {
        let mut service = TraceLayer::new()
            .layer(tower::service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::new()))));
        drop(service.call(Request::new(())));
    });
    assert_eq!(captured.stage("GET").cancelled().len(), 1);
}

#[test]
fn a_service_is_called_in_the_request_s_context_which_ends_with_it() {
    let around = RequestContext::new().with_user_id("around");
    let service = TraceLayer::new().layer(tower::service_fn(|_: Request<()>| {
        let in_call = RequestContext::current().expect("a context");
        async move {
            let in_poll = RequestContext::current().expect("a context");
            assert_eq!((in_call.trace_id(), in_call.span_id()), (in_poll.trace_id(), in_poll.span_id()));
            assert_eq!(in_poll.user_id(), None, "what is around a request is not whose it is");
            Ok::<_, Infallible>(Response::new("hello".to_owned()))
        }
    }));
    let ((), captured) = runtime().block_on(testing::capture(async {
        around
            .scope(async {
                drop(service.oneshot(Request::new(())).await.expect("it cannot fail"));
                assert_eq!(RequestContext::current().expect("a context").user_id(), Some("around"));
            })
            .await;
    }));
    assert_eq!(captured.stage("GET").iter().filter(|record| record.event() == Event::Cancelled).count(), 1);
}

/// Returns the chain of the request's error for this error of the service.
fn chain_by<E: fmt::Display + 'static>(error: E) -> Vec<String> {
    let mut error = Some(error);
    chain_of(TraceLayer::new().layer(tower::service_fn(move |_: Request<()>| {
        let error = error.take().expect("one call");
        async move { Err::<Response<String>, _>(error) }
    })))
}

#[derive(Debug)]
struct Sending(std::io::Error);

impl Sending {
    fn refused() -> Self {
        Self(std::io::Error::other("connection refused"))
    }
}

impl fmt::Display for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("error sending request")
    }
}

impl Error for Sending {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn errors_of_types_that_are_known_give_their_chain() {
    let chain = ["error sending request", "connection refused"];
    assert_eq!(chain_by::<Box<dyn Error>>(Sending::refused().into())[1..], chain);
    assert_eq!(chain_by::<Box<dyn Error + Send>>(Box::new(Sending::refused()))[1..], chain);
    assert_eq!(chain_by::<Arc<dyn Error + Send + Sync>>(Arc::new(Sending::refused()))[1..], chain);
    // The error is its own first source.
    assert_eq!(chain_by(axum::Error::new(Sending::refused()))[1..], [chain[0], chain[0], chain[1]]);
    assert_eq!(
        chain_by(anyhow::Error::new(Sending::refused()).context("no answer"))[1..],
        ["no answer", chain[0], chain[1]]
    );
    let invalid = http::Error::from("\0".parse::<http::HeaderValue>().expect_err("no value"));
    assert_eq!(chain_by(invalid)[0], "Error");
}

#[test]
fn an_error_of_another_type_gives_its_text_and_in_a_box_its_chain() {
    assert_eq!(chain_by(Sending::refused()), ["Sending", "error sending request"]);
    let service = ServiceBuilder::new()
        .layer(TraceLayer::new())
        .map_err(|error: Sending| Box::<dyn Error + Send + Sync>::from(error))
        .service_fn(async |_: Request<()>| Err::<Response<String>, _>(Sending::refused()));
    assert_eq!(chain_of(service)[1..], ["error sending request", "connection refused"]);
}
