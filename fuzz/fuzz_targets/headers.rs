//! Checks that headers of any bytes yield a context whose own headers read back as the same
//! context.
//!
//! An input consists of lines, each with the number of a header name and a value.
#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use ragtrace::RequestContext;
use ragtrace::http::{Injector, extract};

const NAMES: [&str; 15] = [
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
];

fuzz_target!(|bytes: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some((number, value)) = line.split_first() else { continue };
        let name = NAMES[usize::from(number.wrapping_sub(b'a')) % NAMES.len()];
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    let context = extract(&headers);
    let written = context.traceparent();
    RequestContext::from_traceparent(&written).unwrap_or_else(|error| panic!("{error}"));
    assert!(context.request_id().is_some_and(|id| (1..=128).contains(&id.len()) && id.is_ascii()));
    let mut sent = HeaderMap::new();
    context.sync_scope(|| assert!(Injector::to(["*"]).datadog(true).inject("any", &mut sent)));
    let read = extract(&sent);
    assert_eq!(read.trace_id(), context.trace_id());
    assert_eq!(read.tracestate(), context.tracestate());
    assert_eq!(read.langsmith_parent(), context.langsmith_parent());
    assert!(read.baggage_items().all(|(name, value)| context.baggage_item(name) == Some(value)));
    // The caller's flags and, if no stage has begun, its span.
    if let Some(span) = context.span_id() {
        assert_eq!((read.span_id(), read.traceparent()), (Some(span), written));
    }
});
