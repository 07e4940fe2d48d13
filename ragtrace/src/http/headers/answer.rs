//! The headers of an answer, which say in which trace it was made.
//!
//! `X-Trace-ID` has the trace's id as records print it. `Server-Timing` has the request's span,
//! under two names: `trace`, which the W3C's draft has for it, and `traceparent`, which the browser
//! agents of today look for.
//!
//! A page of another origin sees either only if the answer says so. Nothing is opened that the
//! application has not: where it answers other origins (`Access-Control-Allow-Origin`,
//! `Access-Control-Expose-Headers`), these headers are added to what they may read, and an origin
//! that it names to what they may time. `*` is none: it opens answers to what is asked without
//! cookies, and the times would be those of any request, with the cookies of whoever looks at the
//! page.

use http::HeaderMap;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue};

use super::names::{SERVER_TIMING, TIMING_ALLOW_ORIGIN, X_TRACE_ID};
use super::value;
use crate::RequestContext;

/// Adds the headers of an answer that was made in `context`, whose span is the request's.
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

/// Returns the metrics of a request, whose `traceparent` this is.
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

/// Adds names to those that pages of other origins may read.
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
