//! Requests that the layer ignores, and headers that it adds to answers.

use axum::Router;
use axum::http::HeaderValue;
use axum::routing::get;
use ragtrace::http::TraceLayer;
use ragtrace::{RequestContext, traced_stage};
use ragtrace_tests_http::{Protocol, served};

#[traced_stage("checking")]
async fn check() -> String {
    format!("{:?}", RequestContext::current().expect("inside a stage").user_id())
}

#[test]
fn requests_that_are_left_out_record_nothing_and_get_no_headers() {
    let layer = TraceLayer::new().skip(|parts| parts.uri.path() == "/healthz");
    let router = Router::new().route("/healthz", get(check)).route("/", get(check)).layer(layer);
    let ((healthy, traced), requests) = served(router, async |server| {
        (server.get(Protocol::Http1, "/healthz").await, server.get(Protocol::Http1, "/").await)
    });
    assert_eq!(requests.one().stage(), "GET /");
    assert!(!healthy.headers.contains_key("x-trace-id") && !healthy.headers.contains_key("server-timing"));
    assert!(traced.headers.contains_key("x-trace-id") && traced.headers.contains_key("server-timing"));
    assert_eq!(requests.captured().stage("checking").completed().len(), 2);
}

#[test]
fn server_timing_may_be_left_out_and_the_trace_s_id_stays() {
    let router = Router::new().route("/", get(check)).layer(TraceLayer::new().server_timing(false));
    let (answer, _) = served(router, async |server| server.get(Protocol::Http1, "/").await);
    assert!(answer.headers.contains_key("x-trace-id") && !answer.headers.contains_key("server-timing"));
}

#[test]
fn an_application_s_own_server_timing_stays() {
    let router =
        Router::new().route("/", get(async || ([("server-timing", "db;dur=53")], "hello"))).layer(TraceLayer::new());
    let (answer, _) = served(router, async |server| server.get(Protocol::Http1, "/").await);
    let all: Vec<_> = answer.headers.get_all("server-timing").iter().collect();
    assert!(all.len() > 1 && all[0] == "db;dur=53", "{all:?}");
}

#[test]
fn headers_are_exposed_to_other_origins_only_where_the_application_does_so() {
    for (origin, is_exposed) in [(None, false), (Some("https://example.org"), true)] {
        let router = Router::new()
            .route(
                "/",
                get(async move || {
                    let origin =
                        origin.map(|origin| [("access-control-allow-origin", HeaderValue::from_static(origin))]);
                    let headers: axum::http::HeaderMap = origin
                        .into_iter()
                        .flatten()
                        .map(|(name, value)| (name.parse().expect("a name"), value))
                        .collect();
                    (headers, "hello")
                }),
            )
            .layer(TraceLayer::new());
        let (answer, _) = served(router, async |server| server.get(Protocol::Http1, "/").await);
        let exposed = answer.headers.get("access-control-expose-headers").map(|value| value.to_str().expect("a text"));
        assert_eq!(exposed.is_some_and(|names| names.contains("X-Trace-ID")), is_exposed, "{exposed:?}");
    }
}

#[test]
fn without_telemetry_ids_are_read_and_answered_and_the_context_is_there() {
    // No capture surrounds this service, and nothing is installed in this process.
    let router = Router::new()
        .route("/", get(async || RequestContext::current().expect("a context").to_json()))
        .layer(TraceLayer::new().identify(|_, context| context.with_user_id("alice")));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (head, body) = runtime.block_on(async {
        let request = http::Request::get("/")
            .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            .body(axum::body::Body::empty())
            .expect("a request");
        let response = tower::ServiceExt::oneshot(router, request).await.expect("it cannot fail");
        let (head, body) = response.into_parts();
        (head, http_body_util::BodyExt::collect(body).await.expect("a body").to_bytes())
    });
    assert_eq!(head.headers["x-trace-id"], "0af76519-16cd-43dd-8448-eb211c80319c");
    let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(
        (&body["user_id"], &body["trace_id"]),
        (&"alice".into(), &"0af76519-16cd-43dd-8448-eb211c80319c".into())
    );
    assert!(RequestContext::current().is_none());
}
