//! The user and tenant of a request: which of its headers are trusted, and what the application
//! sets.

use axum::Router;
use axum::http::{HeaderMap, HeaderValue};
use axum::routing::get;
use ragtrace::http::TraceLayer;
use ragtrace::{RequestContext, traced_stage};
use ragtrace_tests_http::{Answer, Protocol, Requests, served};

const TRACE: &str = "0af76519-16cd-43dd-8448-eb211c80319c";
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[traced_stage("answering")]
async fn answer() -> String {
    RequestContext::current().expect("a context").to_json()
}

fn ask(layer: TraceLayer, headers: &[(&'static str, &'static str)]) -> (Answer, Requests) {
    let router = Router::new().route("/", get(answer)).route("/admin", get(answer)).layer(layer);
    served(router, async |server| {
        let mut request = server.request("GET", "/");
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_static(value));
        }
        server.send(Protocol::Http1, request).await
    })
}

#[test]
fn a_caller_s_trace_is_continued() {
    let (answer, requests) = ask(TraceLayer::new(), &[("traceparent", TRACEPARENT)]);
    let request = requests.one();
    assert_eq!(request.ended.trace_id().expect("a trace").to_string(), TRACE);
    assert_eq!(request.ended.parent_span_id().expect("a parent").to_string(), "b7ad6b7169203331");
    assert!(request.ended.is_local_root());
    assert_eq!(answer.trace_id(), TRACE);
    let timing = answer.headers["server-timing"].to_str().expect("a text");
    let span = request.ended.span_id().expect("a span");
    assert!(timing.contains(&format!("00-0af7651916cd43dd8448eb211c80319c-{span}-01")), "{timing}");
}

#[test]
fn a_caller_that_names_no_trace_gets_one() {
    for headers in
        [&[][..], &[("traceparent", "nonsense")], &[("traceparent", TRACEPARENT), ("traceparent", TRACEPARENT)]]
    {
        let (answer, requests) = ask(TraceLayer::new(), headers);
        let request = requests.one();
        assert_eq!(answer.status, 200);
        assert_ne!(answer.trace_id(), TRACE);
        assert!(request.ended.parent_span_id().is_none());
        assert!(request.ended.request_id().expect("an id").starts_with("req-"));
    }
}

#[test]
fn nobody_is_anonymous_and_nobody_is_who_a_header_says() {
    let headers = [("x-user-id", "mallory"), ("x-tenant-id", "acme")];
    let (answer, requests) = ask(TraceLayer::new(), &headers);
    let request = requests.one();
    assert_eq!((request.ended.user_id(), request.ended.tenant_id(), request.ended.request_type()), (None, None, None));
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(!body.contains("anonymous") && !body.contains("mallory"), "{body}");
    let json = request.ended.to_json();
    assert!(!json.contains("anonymous") && !json.contains("mallory"), "{json}");
}

#[test]
fn a_user_s_header_is_believed_where_the_application_says_so() {
    let of = |values: &[&'static str]| {
        let headers: Vec<_> = values.iter().map(|value| ("x-user-id", *value)).collect();
        let (_, requests) = ask(TraceLayer::new().trust_user_header(), &headers);
        requests.one().ended.user_id().map(str::to_owned)
    };
    assert_eq!(of(&["alice"]).as_deref(), Some("alice"));
    assert_eq!(of(&[]), None);
    assert_eq!(of(&["alice", "mallory"]), None);
    assert_eq!(of(&["a\tb"]), None);
    assert_eq!(of(&["x".repeat(257).leak()]), None);
}

#[test]
fn the_application_says_who_asks() {
    let layer = TraceLayer::new().trust_user_header().request_type("query").identify(|parts, context| {
        let Some("Bearer good") = parts.headers.get("authorization").and_then(|token| token.to_str().ok()) else {
            return context;
        };
        context.with_user_id("alice").with_tenant_id("acme").with_session_id("chat-1")
    });
    let (_, requests) = ask(layer.clone(), &[("authorization", "Bearer good"), ("x-user-id", "mallory")]);
    for record in requests.captured().records() {
        assert_eq!((record.user_id(), record.tenant_id()), (Some("alice"), Some("acme")), "{}", record.to_json());
        assert_eq!((record.session_id(), record.request_type()), (Some("chat-1"), Some("query")));
    }
    let (_, requests) = ask(layer, &[("authorization", "Bearer bad")]);
    assert_eq!((requests.one().ended.user_id(), requests.one().ended.request_type()), (None, Some("query")));
}

#[test]
fn a_closure_that_panics_takes_no_request_down() {
    let layer = TraceLayer::new()
        .identify(|_, _| panic!("on purpose"))
        .public_endpoint_if(|_| panic!("on purpose"))
        .skip(|_| panic!("on purpose"))
        .client_address(|_| panic!("on purpose"))
        .route(|_| panic!("on purpose"));
    let router = Router::new().layer(layer);
    let (answer, requests) = served(router, async |server| {
        let mut request = server.request("GET", "/nowhere");
        request.headers_mut().insert("traceparent", HeaderValue::from_static(TRACEPARENT));
        server.send(Protocol::Http1, request).await
    });
    assert_eq!((answer.status.as_u16(), requests.one().stage()), (404, "GET"));
    assert_ne!(answer.trace_id(), TRACE, "whoever cannot be told is a stranger");
}

#[test]
fn a_public_endpoint_starts_a_trace_and_keeps_the_caller_s_as_a_link() {
    let (answer, requests) = ask(TraceLayer::new().public_endpoint(), &[("traceparent", TRACEPARENT)]);
    let request = requests.one();
    assert_ne!(answer.trace_id(), TRACE);
    assert!(request.ended.parent_span_id().is_none() && request.ended.is_local_root());
    for record in [request.received, request.ended] {
        assert_eq!(record.links().len(), 1);
        assert_eq!(record.links()[0].trace_id.to_string(), TRACE);
        assert_eq!(record.links()[0].span_id.to_string(), "b7ad6b7169203331");
    }
    let (answer, _) = ask(TraceLayer::new().public_endpoint(), &[("x-trace-id", TRACE)]);
    assert_ne!(answer.trace_id(), TRACE, "ids from a stranger's headers are not trusted");
}

#[test]
fn a_route_may_be_public_and_another_one_not() {
    let layer = TraceLayer::new().public_endpoint_if(|parts| !parts.uri.path().starts_with("/admin"));
    let router = Router::new().route("/", get(answer)).route("/admin", get(answer)).layer(layer);
    let ((), requests) = served(router, async |server| {
        for (path, is_continued) in [("/", false), ("/admin", true)] {
            let mut request = server.request("GET", path);
            request.headers_mut().insert("traceparent", HeaderValue::from_static(TRACEPARENT));
            assert_eq!(server.send(Protocol::Http1, request).await.trace_id() == TRACE, is_continued, "{path}");
        }
    });
    assert_eq!(requests.all().len(), 2);
}

#[test]
fn the_context_is_there_after_an_error() {
    #[traced_stage("failing")]
    async fn fail() -> Result<String, std::io::Error> {
        Err(std::io::Error::other("no model"))
    }
    #[traced_stage("recovering")]
    async fn recover() {}
    async fn handler() -> Result<String, (axum::http::StatusCode, HeaderMap)> {
        let failed = fail().await;
        recover().await;
        failed.map_err(|_| (axum::http::StatusCode::BAD_GATEWAY, HeaderMap::new()))
    }
    let router = Router::new().route("/", get(handler)).layer(TraceLayer::new());
    let (answer, requests) = served(router, async |server| server.get(Protocol::Http1, "/").await);
    assert_eq!(answer.status, 502, "an error is not answered with 200");
    let request = requests.one();
    let captured = requests.captured();
    for view in [captured.stage("failing").failed(), captured.stage("recovering").completed()] {
        assert_eq!(view.one().trace_id(), request.ended.trace_id());
        assert_eq!(view.one().parent_span_id(), request.ended.span_id());
    }
}

#[test]
fn an_application_that_starts_a_trace_of_its_own_makes_the_request_its_root() {
    let layer = TraceLayer::new().identify(|_, context| context.with_trace_id(ragtrace::TraceId::new()));
    let headers = [
        ("traceparent", TRACEPARENT),
        ("langsmith-trace", "20261126T101500000000Z0199a5b2-6f1e-7c3a-8a4b-0123456789ab"),
    ];
    let (answer, requests) = ask(layer, &headers);
    assert_ne!(answer.trace_id(), TRACE);
    for record in [requests.one().received, requests.one().ended] {
        assert!(record.is_local_root() && record.parent_span_id().is_none(), "{}", record.to_json());
        assert_eq!(record.langsmith_parent(), None);
    }
}

#[test]
fn whether_the_caller_is_a_stranger_is_asked_once() {
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&asked);
    let layer = TraceLayer::new().identify(|_, _| panic!("on purpose")).public_endpoint_if(move |_| {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        true
    });
    let (answer, _) = ask(layer, &[("traceparent", TRACEPARENT)]);
    assert_ne!(answer.trace_id(), TRACE);
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 1);
}
