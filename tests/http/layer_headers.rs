//! Headers through the layer: those of a request that the service sees, and those that its answer
//! gets.

mod values;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use proptest::prelude::*;
use ragtrace::http::TraceLayer;
use ragtrace::testing::{Captured, capture};
use ragtrace::{RequestContext, SpanId, TraceId};
use tower::{Layer, ServiceExt, service_fn};
use values::values;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const LANGSMITH: &str = "20261126T101500000000Z0199a5b2-6f1e-7c3a-8a4b-0123456789ab";

/// A request and its answer, seen from all sides.
struct Exchange {
    /// The context in the service.
    inside: RequestContext,
    answer: Response<()>,
    captured: Captured,
}

impl Exchange {
    fn header(&self, name: &str) -> Option<&str> {
        self.answer.headers().get(name).map(|value| value.to_str().expect("a text"))
    }

    fn lines(&self, name: &str) -> Vec<&str> {
        self.answer.headers().get_all(name).iter().map(|value| value.to_str().expect("a text")).collect()
    }

    /// Returns the span of the request's stage.
    fn span(&self) -> SpanId {
        let records = self.captured.records();
        let root = records.iter().find(|record| record.is_local_root()).expect("the request's");
        root.span_id().expect("a stage's")
    }
}

/// Sends a request with these headers through a layer, to a service that answers with the given
/// headers.
fn exchange(layer: &TraceLayer, request: HeaderMap, answer: HeaderMap) -> Exchange {
    let seen = Arc::new(Mutex::new(None));
    let inside = Arc::clone(&seen);
    let service = layer.layer(service_fn(move |_: Request<Full<Bytes>>| {
        *inside.lock().expect("no panic") = RequestContext::current();
        let mut response = Response::new(Full::new(Bytes::from_static(b"fine")));
        *response.headers_mut() = answer.clone();
        async move { Ok::<_, Infallible>(response) }
    }));
    let mut sent = Request::new(Full::new(Bytes::new()));
    *sent.headers_mut() = request;
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (answer, captured) = runtime.block_on(capture(async move {
        let Ok(response) = service.oneshot(sent).await;
        let (parts, body) = response.into_parts();
        body.collect().await.unwrap_or_else(|error| match error {});
        Response::from_parts(parts, ())
    }));
    let inside = seen.lock().expect("no panic").take().expect("the service ran");
    Exchange { inside, answer, captured }
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, value.parse().expect("a header's value"));
    }
    headers
}

fn asked(lines: &[(&'static str, &str)]) -> Exchange {
    exchange(&TraceLayer::new(), headers(lines), HeaderMap::new())
}

fn answered(lines: &[(&'static str, &str)]) -> Exchange {
    exchange(&TraceLayer::new(), HeaderMap::new(), headers(lines))
}

#[test]
fn a_caller_is_the_parent_of_the_requests_stage_and_all_that_it_sent_goes_on() {
    let baggage = (0..100).map(|n| format!("k{n:03}=v")).collect::<Vec<_>>().join(",");
    let exchange = asked(&[
        ("traceparent", TRACEPARENT),
        ("tracestate", "rojo=1"),
        ("baggage", &baggage),
        ("langsmith-trace", LANGSMITH),
        ("x-request-id", "order-7"),
    ]);
    for record in exchange.captured.records() {
        assert_eq!(record.trace_id().map(TraceId::to_hex).as_deref(), Some(TRACE));
        assert_eq!(record.parent_span_id().map(|id| id.to_string()).as_deref(), Some(SPAN));
        assert_eq!((record.request_id(), record.langsmith_parent()), (Some("order-7"), Some(LANGSMITH)));
        assert!(record.is_local_root() && record.links().is_empty());
    }
    let inside = &exchange.inside;
    assert_eq!(inside.traceparent(), format!("00-{TRACE}-{}-01", exchange.span()));
    assert_eq!((inside.tracestate(), inside.baggage_items().count()), (Some("rojo=1"), 64));
}

#[test]
fn a_public_endpoint_starts_a_trace_and_is_linked_to_the_callers() {
    let layer = TraceLayer::new().public_endpoint();
    let families: [&[(&str, &str)]; 3] = [
        &[("traceparent", TRACEPARENT), ("tracestate", "rojo=1")],
        &[
            ("x-datadog-trace-id", "9532127138774266268"),
            ("x-datadog-parent-id", "13235353014750950193"),
            ("x-datadog-tags", "_dd.p.tid=0af7651916cd43dd"),
        ],
        &[("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0")],
    ];
    for family in families {
        let lines = [
            family,
            &[("langsmith-trace", LANGSMITH), ("baggage", "langsmith-project=theirs,a=b"), ("x-trace-id", TRACE)],
        ]
        .concat();
        let exchange = exchange(&layer, headers(&lines), HeaderMap::new());
        let inside = &exchange.inside;
        assert_ne!(inside.trace_id().to_hex(), TRACE);
        assert_eq!(inside.trace_id().as_uuid().get_version_num(), 7);
        assert!(inside.traceparent().ends_with("-03"), "{family:?}");
        assert_eq!((inside.tracestate(), inside.langsmith_parent()), (None, None));
        assert_eq!(inside.baggage_items().count(), 0, "a stranger's");
        for record in exchange.captured.records() {
            assert_eq!((record.trace_id(), record.parent_span_id()), (Some(inside.trace_id()), None));
            let links: Vec<_> =
                record.links().iter().map(|link| (link.trace_id.to_hex(), link.span_id.to_string())).collect();
            assert_eq!(links, [(TRACE.to_owned(), SPAN.to_owned())], "{family:?}");
        }
    }
    let stranger = exchange(&layer, headers(&[("x-trace-id", TRACE), ("b3", "0")]), HeaderMap::new());
    assert!(stranger.inside.traceparent().ends_with("-03"));
    assert!(stranger.captured.records().iter().all(|record| record.links().is_empty()));
    assert_ne!(stranger.inside.trace_id().to_hex(), TRACE);
}

#[test]
fn an_answer_names_its_trace_and_the_requests_span() {
    let exchange = asked(&[("traceparent", TRACEPARENT)]);
    assert_eq!(exchange.header("x-trace-id"), Some("0af76519-16cd-43dd-8448-eb211c80319c"));
    let traceparent = format!("00-{TRACE}-{}-01", exchange.span());
    let metrics = format!("trace;desc={traceparent}, traceparent;desc=\"{traceparent}\"");
    assert_eq!(exchange.lines("server-timing"), [&*metrics]);
    assert_eq!(exchange.answer.headers().len(), 2, "{:?}", exchange.answer);

    let fresh = asked(&[("x-trace-id", "<script>"), ("traceparent", "00-x")]);
    assert_eq!(fresh.header("x-trace-id"), Some(&*fresh.inside.trace_id().to_string()));
}

#[test]
fn an_answers_own_headers_stay_beside_ours() {
    let exchange =
        answered(&[("server-timing", "db;dur=53"), ("x-trace-id", "of another service"), ("vary", "origin")]);
    let lines = exchange.lines("server-timing");
    assert_eq!((lines.len(), lines[0]), (2, "db;dur=53"));
    assert_eq!(exchange.lines("x-trace-id"), [&*exchange.inside.trace_id().to_string()]);
    assert_eq!(exchange.header("vary"), Some("origin"));
    assert_eq!(exchange.header("access-control-expose-headers"), None);
    assert_eq!(exchange.header("timing-allow-origin"), None);
}

#[test]
fn pages_of_other_origins_may_read_the_headers_where_the_application_answers_them() {
    let cors = ("access-control-allow-origin", "https://app.test");
    let exchange = answered(&[cors]);
    assert_eq!(exchange.lines("access-control-expose-headers"), ["X-Trace-ID, Server-Timing"]);
    assert_eq!(exchange.lines("timing-allow-origin"), ["https://app.test"]);
    assert_eq!(exchange.lines("access-control-allow-origin"), ["https://app.test"]);

    let own =
        [cors, ("access-control-expose-headers", "ETag, x-trace-id"), ("timing-allow-origin", "https://rum.test")];
    let exchange = answered(&own);
    assert_eq!(exchange.lines("access-control-expose-headers"), ["ETag, x-trace-id", "Server-Timing"]);
    assert_eq!(exchange.lines("timing-allow-origin"), ["https://rum.test"]);

    // With credentials a star is the name of a header, so names are needed beside it.
    let star = answered(&[("access-control-allow-origin", "*"), ("access-control-expose-headers", "*")]);
    assert_eq!(star.lines("access-control-expose-headers"), ["*", "X-Trace-ID, Server-Timing"]);
    // A star allows requests without cookies. Times would be exposed for any request.
    assert_eq!(star.header("timing-allow-origin"), None);
}

#[test]
fn server_timing_may_be_left_out() {
    let layer = TraceLayer::new().server_timing(false);
    let exchange = exchange(&layer, HeaderMap::new(), headers(&[("access-control-allow-origin", "*")]));
    assert_eq!((exchange.header("server-timing"), exchange.header("timing-allow-origin")), (None, None));
    assert_eq!(exchange.lines("access-control-expose-headers"), ["X-Trace-ID"]);
    assert_eq!(exchange.header("x-trace-id"), Some(&*exchange.inside.trace_id().to_string()));
}

#[test]
fn a_tracer_further_in_goes_on_with_the_requests_trace_where_its_headers_are_set_anew() {
    let layer = TraceLayer::new().public_endpoint();
    let seen = Arc::new(Mutex::new(HeaderMap::new()));
    let inside = Arc::clone(&seen);
    let tracer = service_fn(move |request: Request<Full<Bytes>>| {
        inside.lock().expect("no panic").clone_from(request.headers());
        async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))) }
    });
    let service = layer.layer(tower::util::MapRequest::new(tracer, |mut request: Request<Full<Bytes>>| {
        ragtrace::http::inject(request.headers_mut());
        request
    }));
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.headers_mut() = headers(&[
        ("traceparent", TRACEPARENT),
        ("tracestate", "rojo=1"),
        ("baggage", "langsmith-replicas=%5B%5D"),
        ("langsmith-trace", LANGSMITH),
        ("x-datadog-trace-id", "123"),
        ("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"),
    ]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let ((), captured) = runtime.block_on(capture(async move { drop(service.oneshot(request).await) }));
    let root = &captured.records()[0];
    let (trace, span) = (root.trace_id().expect("a stage's"), root.span_id().expect("a stage's"));
    let seen = seen.lock().expect("no panic");
    assert_eq!(seen["traceparent"], format!("00-{}-{span}-03", trace.to_hex()));
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[test]
fn what_no_header_can_have_is_in_no_header_whatever_the_application_makes_of_a_context() {
    for byte in ["\r\n", "\n", "\r", "\0", "\u{7f}"] {
        let odd = format!("a{byte}x-evil: 1");
        let layer = TraceLayer::new().identify(move |_, context| {
            context
                .with_tracestate(&*odd)
                .with_request_id(&*odd)
                .with_user_id(&*odd)
                .with_baggage(&*odd, "1")
                .with_baggage("k", &*odd)
        });
        let exchange = exchange(&layer, headers(&[("traceparent", TRACEPARENT)]), HeaderMap::new());
        assert_eq!(exchange.answer.headers().len(), 2, "{:?}", exchange.answer);
        assert_eq!(exchange.header("x-trace-id"), Some(&*exchange.inside.trace_id().to_string()));
        assert!(exchange.header("server-timing").is_some_and(|timing| timing.contains(TRACE)));
        let mut sent = HeaderMap::new();
        exchange.inside.sync_scope(|| ragtrace::http::inject(&mut sent));
        let names: Vec<_> = sent.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["traceparent", "baggage"]);
        for value in sent.values() {
            assert!(value.as_bytes().iter().all(u8::is_ascii_graphic), "{value:?}");
        }
    }
}

const NAMES: [&str; 16] = [
    "traceparent",
    "tracestate",
    "baggage",
    "x-datadog-trace-id",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "x-datadog-tags",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-sampled",
    "x-b3-flags",
    "langsmith-trace",
    "x-trace-id",
    "x-request-id",
    "x-user-id",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_in_headers_are_answered_as_the_service_answers(
        lines in proptest::collection::vec((proptest::sample::select(&NAMES[..]), values()), 0..20),
        is_public: bool,
    ) {
        let mut given = HeaderMap::new();
        for (name, value) in &lines {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                given.append(HeaderName::from_static(name), value);
            }
        }
        let layer = TraceLayer::new().public_endpoint_if(move |_| is_public);
        let exchange = exchange(&layer, given, HeaderMap::new());
        prop_assert!(exchange.answer.status().is_success());
        prop_assert_eq!(exchange.header("x-trace-id"), Some(&*exchange.inside.trace_id().to_string()));
        let messages: Vec<_> = exchange.captured.records().iter().map(|record| record.message().into_owned()).collect();
        prop_assert_eq!(messages, ["http_request_received", "http_response_sent"]);
        for record in exchange.captured.records() {
            let json = record.to_json();
            prop_assert!(json.bytes().all(|byte| byte >= b' '), "{}", json);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
        }
    }
}
