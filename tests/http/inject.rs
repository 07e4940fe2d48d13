//! The headers of outgoing requests.

use http::{HeaderMap, HeaderValue, Request};
use ragtrace::http::{Injector, extract, inject};
use ragtrace::testing::capture_sync;
use ragtrace::{RequestContext, SpanId, TraceId, traced_stage};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const LANGSMITH: &str = "20261126T101500000000Z0199a5b2-6f1e-7c3a-8a4b-0123456789ab";

fn injected(context: &RequestContext) -> HeaderMap {
    let mut headers = HeaderMap::new();
    context.sync_scope(|| inject(&mut headers));
    headers
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().expect("a text"))
}

fn received(lines: &[(&'static str, &str)]) -> RequestContext {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, value.parse().expect("a header's value"));
    }
    extract(&headers)
}

#[traced_stage]
fn call(headers: &mut HeaderMap) {
    inject(headers);
}

#[test]
fn a_call_inside_a_stage_names_the_stages_span() {
    let mut headers = HeaderMap::new();
    let ((), captured) = capture_sync(|| call(&mut headers));
    let record = captured.stage("call").completed().one();
    let (trace, span) = (record.trace_id().expect("a stage's"), record.span_id().expect("a stage's"));
    assert_eq!(text(&headers, "traceparent"), Some(&*format!("00-{}-{span}-03", trace.to_hex())));
    assert_eq!(headers.len(), 1, "{headers:?}");
}

#[test]
fn without_a_context_headers_stay_as_they_are() {
    let mut headers = HeaderMap::new();
    headers.insert("tracestate", HeaderValue::from_static("a=1"));
    inject(&mut headers);
    assert!(!Injector::to(["*"]).inject("host", &mut headers));
    assert_eq!((headers.len(), text(&headers, "tracestate")), (1, Some("a=1")));
}

#[test]
fn what_a_caller_sent_goes_on_with_the_stages_span_in_the_place_of_its_own() {
    let context = received(&[
        ("traceparent", TRACEPARENT),
        ("tracestate", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        ("baggage", "user=Am%C3%A9lie;p=1, n=5"),
        ("langsmith-trace", LANGSMITH),
    ]);
    let mut headers = HeaderMap::new();
    let ((), captured) = capture_sync(|| context.sync_scope(|| call(&mut headers)));
    let span = captured.stage("call").completed().one().span_id().expect("a stage's");
    assert_eq!(text(&headers, "traceparent"), Some(&*format!("00-0af7651916cd43dd8448eb211c80319c-{span}-01")));
    assert_eq!(text(&headers, "tracestate"), Some("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"));
    assert_eq!(text(&headers, "baggage"), Some("n=5,user=Am%C3%A9lie;p=1"));
    assert_eq!(text(&headers, "langsmith-trace"), Some(LANGSMITH));
}

#[test]
fn headers_are_set_and_never_added() {
    let mut headers = HeaderMap::new();
    let stale = HeaderValue::from_static("a=1");
    for name in ["traceparent", "tracestate", "baggage", "x-datadog-tags", "x-datadog-trace-id"] {
        headers.append(name, stale.clone());
        headers.append(name, stale.clone());
    }
    let context = received(&[("traceparent", TRACEPARENT)]).with_baggage("k", "v");
    context.sync_scope(|| {
        for _ in 0..2 {
            assert!(Injector::to(["host"]).datadog(true).inject("host", &mut headers));
        }
    });
    for name in ["traceparent", "baggage", "x-datadog-tags", "x-datadog-trace-id"] {
        assert_eq!(headers.get_all(name).iter().count(), 1, "{name}");
    }
    assert_eq!(text(&headers, "baggage"), Some("k=v"));
    assert_eq!(text(&headers, "tracestate"), None, "it was another trace's");
}

/// All headers by which another tracer names a trace, a run or baggage.
const THEIRS: [(&str, &str); 17] = [
    ("traceparent", "00-11111111111111111111111111111111-1111111111111111-01"),
    ("tracestate", "theirs=1"),
    ("baggage", "langsmith-replicas=%5B%5D,tenant=theirs"),
    ("langsmith-trace", LANGSMITH),
    ("x-datadog-trace-id", "123"),
    ("x-datadog-parent-id", "456"),
    ("x-datadog-sampling-priority", "2"),
    ("x-datadog-tags", "_dd.p.dm=-4"),
    ("x-datadog-origin", "rum"),
    ("b3", "11111111111111111111111111111111-1111111111111111-1"),
    ("x-b3-traceid", "11111111111111111111111111111111"),
    ("x-b3-spanid", "1111111111111111"),
    ("x-b3-parentspanid", "1111111111111112"),
    ("x-b3-sampled", "1"),
    ("x-b3-flags", "1"),
    ("x-trace-id", "11111111111111111111111111111111"),
    ("accept", "*/*"),
];

#[test]
fn of_another_trace_nothing_stays_on_a_request_that_is_sent_on() {
    let context = RequestContext::new();
    let with_datadog = Injector::to(["*"]).datadog(true);
    for has_datadog in [false, true] {
        let mut headers = HeaderMap::new();
        for (name, value) in THEIRS {
            headers.append(name, HeaderValue::from_static(value));
        }
        let is_sent = context.sync_scope(|| {
            if has_datadog {
                return with_datadog.inject("host", &mut headers);
            }
            inject(&mut headers);
            true
        });
        assert!(is_sent);
        assert!(text(&headers, "traceparent").is_some_and(|sent| sent.contains(&context.trace_id().to_hex())));
        let left: Vec<_> = THEIRS.iter().filter(|(name, value)| text(&headers, name) == Some(value)).collect();
        assert_eq!(left, [&("accept", "*/*")]);
        assert_eq!(headers.len(), if has_datadog { 6 } else { 2 }, "{headers:?}");
    }
}

#[test]
fn an_x_trace_id_that_names_this_trace_stays() {
    let context = RequestContext::new();
    for id in [context.trace_id().to_string(), context.trace_id().to_hex()] {
        let mut headers = HeaderMap::new();
        headers.insert("x-trace-id", id.parse().expect("a header's value"));
        context.sync_scope(|| inject(&mut headers));
        assert_eq!(text(&headers, "x-trace-id"), Some(&*id));
    }
}

#[test]
fn own_baggage_goes_before_what_came_along() {
    let theirs = (0..64).map(|n| format!("!{n:02}=1")).collect::<Vec<_>>().join(",");
    let context = received(&[("baggage", &theirs)]).with_baggage("tenant", "acme").with_baggage("!00", "ours");
    let headers = injected(&context);
    let sent: Vec<_> = text(&headers, "baggage").expect("a header").split(',').collect();
    assert_eq!((sent.len(), &sent[..3]), (64, &["!00=ours", "tenant=acme", "!01=1"][..]));

    let long = format!("a={}", "x".repeat(8_180));
    let context = received(&[("baggage", &long)]).with_baggage("tenant", "acme");
    assert_eq!(text(&injected(&context), "baggage"), Some("tenant=acme"));
}

#[test]
fn baggage_is_encoded_and_what_no_header_can_have_is_left_out() {
    let values =
        ["a b", "a,b", "a;b", "100%", "\"q\"", "back\\slash", "ünï", "line\r\nend\0", "", "k=v", "{\"a\":[1]}"];
    let mut context =
        RequestContext::new().with_baggage("not a token", "x").with_baggage("", "x").with_baggage("naïve", "x");
    for (index, value) in values.iter().enumerate() {
        context = context.with_baggage(format!("k{index:02}"), *value);
    }
    let headers = injected(&context);
    let sent = text(&headers, "baggage").expect("a header");
    let is_octet = |byte: u8| matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e);
    for member in sent.split(',') {
        let (_, value) = member.split_once('=').expect("a member");
        assert!(value.bytes().all(is_octet), "{member:?}");
    }
    let read = extract(&headers);
    assert_eq!(read.baggage_items().map(|(_, value)| value).collect::<Vec<_>>(), values);
}

#[test]
fn baggage_that_is_sent_is_cut_by_whole_members() {
    let of = |count: usize, length: usize| {
        (0..count)
            .fold(RequestContext::new(), |context, n| context.with_baggage(format!("k{n:03}"), "v".repeat(length - 5)))
    };
    let sent = |context: &RequestContext| text(&injected(context), "baggage").map(str::to_owned).expect("a header");
    assert_eq!(sent(&of(64, 127)).len(), 8_191);
    assert_eq!(sent(&of(100, 20)).split(',').count(), 64);
    let cut = sent(&of(64, 1_000));
    assert!(cut.len() <= 8_192 && cut.split(',').all(|member| member.len() == 1_000), "{}", cut.len());
    assert_eq!(cut.split(',').count(), 8);
    assert!(!injected(&of(1, 9_000)).contains_key("baggage"));
}

#[test]
fn a_tracestate_that_no_header_can_have_is_not_sent() {
    let context = received(&[("traceparent", TRACEPARENT)]).with_tracestate("a=1\r\nx-evil: 1");
    let headers = injected(&context);
    assert_eq!((headers.len(), text(&headers, "traceparent")), (1, Some(TRACEPARENT)));
}

#[test]
fn datadogs_headers_say_what_traceparent_says() {
    let injector = Injector::to(["agent"]).datadog(true);
    let of = |context: &RequestContext| {
        let mut headers = HeaderMap::new();
        context.sync_scope(|| injector.inject("agent", &mut headers));
        headers
    };
    let headers = of(&received(&[("traceparent", TRACEPARENT)]));
    assert_eq!(text(&headers, "x-datadog-trace-id"), Some("9532127138774266268"));
    assert_eq!(text(&headers, "x-datadog-parent-id"), Some("13235353014750950193"));
    assert_eq!(text(&headers, "x-datadog-sampling-priority"), Some("1"));
    assert_eq!(text(&headers, "x-datadog-tags"), Some("_dd.p.tid=0af7651916cd43dd"));
    let mut datadogs = headers.clone();
    datadogs.remove("traceparent");
    let read = extract(&datadogs);
    assert_eq!(read.traceparent(), TRACEPARENT);

    let unsampled = of(&received(&[("traceparent", &TRACEPARENT.replace("-01", "-00"))]));
    assert_eq!(text(&unsampled, "x-datadog-sampling-priority"), Some("0"));
    let short = TraceId::from_u128(7).expect("not zero");
    let headers = of(&RequestContext::new().with_trace_id(short));
    assert_eq!((text(&headers, "x-datadog-trace-id"), text(&headers, "x-datadog-tags")), (Some("7"), None));
    // Outside of a stage the span is a new one, and the same in both headers.
    let parent: SpanId = text(&headers, "traceparent").expect("it is set")[36..52].parse().expect("a span's id");
    assert_eq!(text(&headers, "x-datadog-parent-id"), Some(&*parent.as_u64().to_string()));
}

#[test]
fn only_hosts_that_are_named_get_headers() {
    let injector = Injector::to(["api.example.com", "*.internal", "localhost:8080", "[::1]", "münchen.example"]);
    let is_sent = |host: &str| {
        let mut headers = HeaderMap::new();
        let is_sent = RequestContext::new().sync_scope(|| injector.inject(host, &mut headers));
        assert_eq!(is_sent, !headers.is_empty());
        is_sent
    };
    for host in [
        "api.example.com",
        "API.EXAMPLE.COM",
        "api.example.com.",
        "api.example.com:443",
        "a.internal",
        "a.b.internal:1",
        "localhost",
        "::1",
        "[::1]:80",
        "münchen.example",
    ] {
        assert!(is_sent(host), "{host:?}");
    }
    for host in [
        "",
        "example.com",
        "xapi.example.com",
        "api.example.com.evil.org",
        "internal",
        "notinternal",
        "api.example.com@evil.org",
        "api.example.com:80@evil.org",
        "evil.org/api.example.com",
        "evil.org#api.example.com",
        "[::2]",
    ] {
        assert!(!is_sent(host), "{host:?}");
    }
    assert!(!RequestContext::new().sync_scope(|| Injector::to([""; 0]).inject("any", &mut HeaderMap::new())));
    assert!(RequestContext::new().sync_scope(|| Injector::to(["*"]).inject("any", &mut HeaderMap::new())));
}

#[test]
fn a_host_may_be_named_by_a_url() {
    let injector = Injector::to([
        "https://api.internal",
        "http://embedder.internal:8080/v1?x=1#top",
        "search.internal/v1",
        "https://*.eu.internal/",
        "https://user@secret.internal",
        "https://",
    ]);
    let is_sent = |host: &str| RequestContext::new().sync_scope(|| injector.inject(host, &mut HeaderMap::new()));
    for host in ["api.internal", "embedder.internal", "search.internal", "a.eu.internal"] {
        assert!(is_sent(host), "{host:?}");
    }
    for host in ["", "https", "user", "secret.internal", "user@secret.internal", "https://api.internal", "v1"] {
        assert!(!is_sent(host), "{host:?}");
    }
}

#[test]
fn a_request_is_sent_to_the_host_of_its_uri_or_else_of_its_header() {
    let injector = Injector::to(["api.internal"]);
    let sent = |mut request: Request<()>| RequestContext::new().sync_scope(|| injector.inject_request(&mut request));
    let to = |uri: &str| Request::builder().uri(uri);
    assert!(sent(to("https://api.internal:8443/v1").body(()).expect("a request")));
    assert!(!sent(to("https://api.internal@evil.org/v1").body(()).expect("a request")));
    assert!(!sent(to("https://evil.org/v1").header("host", "api.internal").body(()).expect("a request")));
    assert!(sent(to("/v1").header("host", "api.internal").body(()).expect("a request")));
    assert!(!sent(to("/v1").body(()).expect("a request")));
}
