//! The names of all headers that are read or written.

use http::HeaderName;

macro_rules! names {
    ($($name:ident: $text:literal,)*) => {
        $(pub(in crate::http) static $name: HeaderName = HeaderName::from_static($text);)*
    };
}

names! {
    TRACEPARENT: "traceparent",
    TRACESTATE: "tracestate",
    BAGGAGE: "baggage",
    DATADOG_TRACE_ID: "x-datadog-trace-id",
    DATADOG_PARENT_ID: "x-datadog-parent-id",
    DATADOG_SAMPLING_PRIORITY: "x-datadog-sampling-priority",
    DATADOG_TAGS: "x-datadog-tags",
    DATADOG_ORIGIN: "x-datadog-origin",
    B3: "b3",
    B3_TRACE_ID: "x-b3-traceid",
    B3_SPAN_ID: "x-b3-spanid",
    B3_SAMPLED: "x-b3-sampled",
    B3_FLAGS: "x-b3-flags",
    B3_PARENT_SPAN_ID: "x-b3-parentspanid",
    LANGSMITH_TRACE: "langsmith-trace",
    X_TRACE_ID: "x-trace-id",
    X_REQUEST_ID: "x-request-id",
    SERVER_TIMING: "server-timing",
    TIMING_ALLOW_ORIGIN: "timing-allow-origin",
}

/// All headers that carry a context, or part of one.
pub(in crate::http) static OF_CONTEXTS: [&HeaderName; 15] = [
    &TRACEPARENT,
    &TRACESTATE,
    &BAGGAGE,
    &LANGSMITH_TRACE,
    &DATADOG_TRACE_ID,
    &DATADOG_PARENT_ID,
    &DATADOG_SAMPLING_PRIORITY,
    &DATADOG_TAGS,
    &DATADOG_ORIGIN,
    &B3,
    &B3_TRACE_ID,
    &B3_SPAN_ID,
    &B3_PARENT_SPAN_ID,
    &B3_SAMPLED,
    &B3_FLAGS,
];
