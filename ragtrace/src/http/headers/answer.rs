//! The headers of a response that name its trace.
//!
//! `X-Trace-ID` contains the trace id in the form that records have. `Server-Timing` contains the
//! request's span under two names: `trace`, which the W3C draft uses, and `traceparent`, which
//! today's browser agents look for.
//!
//! A page of another origin sees these headers only if the response allows it. This module allows
//! nothing that the application has not: where the application answers other origins
//! (`Access-Control-Allow-Origin`, `Access-Control-Expose-Headers`), these headers are added to the
//! exposed ones, and an origin that is named may read the timing. The origin `*` may not: it allows
//! requests without cookies only, while timings would also show requests with the cookies of the
//! page's visitor.

use http::HeaderMap;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue};

use super::names::{SERVER_TIMING, TIMING_ALLOW_ORIGIN, X_TRACE_ID};
use super::value;
use crate::RequestContext;

/// Adds the headers of a response that was made in `context`, whose current span is the request's.
pub(crate) fn answer(headers: &mut HeaderMap, context: &RequestContext, has_server_timing: bool) {
    let Ok(trace_id) = HeaderValue::from_bytes(&context.trace_id().to_hyphenated()) else { return };
    headers.insert(&X_TRACE_ID, trace_id);
    if has_server_timing && let Ok(metrics) = HeaderValue::from_bytes(&server_timing(&context.traceparent_bytes())) {
        headers.append(&SERVER_TIMING, metrics);
    }
    let allowed = headers.get(ACCESS_CONTROL_ALLOW_ORIGIN).cloned();
    if allowed.is_some() || headers.contains_key(ACCESS_CONTROL_EXPOSE_HEADERS) {
        let exposed: &[&str] = if has_server_timing { &["X-Trace-ID", "Server-Timing"] } else { &["X-Trace-ID"] };
        expose(headers, exposed);
    }
    let is_named = |origin: &HeaderValue| origin.as_bytes() != b"*";
    let may_time = has_server_timing && !headers.contains_key(&TIMING_ALLOW_ORIGIN);
    if let Some(origin) = allowed.filter(|origin| may_time && is_named(origin)) {
        headers.insert(&TIMING_ALLOW_ORIGIN, origin);
    }
}

/// Returns the `Server-Timing` value for a request with this `traceparent`.
fn server_timing(traceparent: &[u8; 55]) -> [u8; 142] {
    let mut metrics = [0; 142];
    let parts = [&b"trace;desc="[..], traceparent, b", traceparent;desc=\"", traceparent, b"\""];
    let mut rest = &mut metrics[..];
    for part in parts {
        let (place, behind) = rest.split_at_mut(part.len());
        place.copy_from_slice(part);
        rest = behind;
    }
    metrics
}

/// Adds names to the headers that pages of other origins may read.
fn expose(headers: &mut HeaderMap, names: &[&str]) {
    let is_listed = |name: &str| {
        let mut listed = value::members(headers, &ACCESS_CONTROL_EXPOSE_HEADERS);
        listed.any(|listed| listed.eq_ignore_ascii_case(name.as_bytes()))
    };
    let missing: Vec<_> = names.iter().copied().filter(|name| !is_listed(name)).collect();
    if let Ok(missing) = HeaderValue::try_from(missing.join(", "))
        && !missing.is_empty()
    {
        headers.append(ACCESS_CONTROL_EXPOSE_HEADERS, missing);
    }
}
