//! The headers of a request, read into its context, and those that answer it.
//!
//! [`read`] promises: it makes a context of any headers whatever, in time that grows with their
//! size and memory that does not. What is malformed, too long or there twice counts as absent; it
//! is neither repeated nor logged. No flag of a caller's decides what is sampled here; the id of
//! the trace does, so whoever names it chooses.
//!
//! | said by | in the order in which they are believed |
//! | --- | --- |
//! | trace and parent | `traceparent`, else Datadog's headers, else B3's, else `X-Trace-ID` (a trace without a parent) |
//! | the flag "sampled", which is sent on | whoever names the trace; B3 also where it names none |
//! | vendors' state of the trace | `tracestate`, if it is `traceparent` that names the trace |
//! | the run of a LangSmith client | `langsmith-trace`, whoever names the trace |
//! | the request | `X-Request-ID` |
//! | what travels along | `baggage`, whoever names the trace |
//!
//! A public endpoint believes nobody: whoever names the trace chooses what is sampled, and could
//! write into the trace of somebody else, and baggage goes on to services inside in our name. There
//! the trace is a new one, the caller's is a link, the request's id is kept, and of LangSmith's
//! headers and of baggage nothing is.

mod answer;
mod b3;
mod baggage;
mod datadog;
mod families;
mod ids;
mod langsmith;
pub(super) mod names;
mod tracestate;
mod value;
mod w3c;

use http::HeaderMap;
use ragtrace_core::context::{Caller, trace_flag};

pub(super) use self::answer::answer;
pub(super) use self::baggage::to_value as baggage_value;
pub(super) use self::datadog::UPPER_BITS as DATADOG_UPPER_BITS;
use self::families::Families;
pub(super) use self::ids::trace_id;
use crate::RequestContext;

/// Returns the context of a request that came with these headers, for what is served without the
/// layer: a queue's messages, a server that is no tower service. The other side is
/// [`inject`](crate::http::inject).
///
/// A malformed header counts as absent. Whoever sent the headers chooses the trace, and so what is
/// sampled of it: they should be those of a caller that is trusted.
///
/// ```
/// let mut headers = http::HeaderMap::new();
/// headers.insert("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse()?);
/// let context = ragtrace::http::extract(&headers);
/// assert_eq!(context.trace_id().to_hex(), "0af7651916cd43dd8448eb211c80319c");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub fn extract(headers: &HeaderMap) -> RequestContext {
    read(headers, false)
}

/// Returns the context of a request with these headers. A public endpoint starts a trace of its
/// own, and keeps the caller's as a link.
pub(super) fn read(headers: &HeaderMap, is_public: bool) -> RequestContext {
    let present = Families::of(headers);
    let context = if is_public { restart(headers, present) } else { go_on(headers, present) };
    let request_id = present.has(Families::REQUEST_ID).then(|| ids::request_id(headers)).flatten();
    let context = match request_id {
        Some(id) => context.with_request_id(id),
        None => context.with_fresh_request_id(),
    };
    if is_public || !present.has(Families::BAGGAGE) {
        return context;
    }
    let members = baggage::read(headers).filter(|member| langsmith::is_harmless(&member.name));
    members.fold(context, |context, member| context.with_received_baggage(member.name, member.value, member.properties))
}

/// Returns the caller, and the family of headers that names it.
fn caller(headers: &HeaderMap, present: Families) -> Option<(Caller, Families)> {
    let read = |family, of: fn(&HeaderMap) -> Option<Caller>| {
        let caller = present.has(family).then(|| of(headers)).flatten()?;
        Some((caller, family))
    };
    read(Families::W3C, w3c::caller)
        .or_else(|| read(Families::DATADOG, datadog::caller))
        .or_else(|| read(Families::B3, b3::caller))
}

/// Goes on with the caller's trace.
fn go_on(headers: &HeaderMap, present: Families) -> RequestContext {
    let caller = caller(headers, present);
    let tracestate = match caller {
        Some((_, Families::W3C)) if present.has(Families::TRACESTATE) => tracestate::read(headers),
        _ => None,
    };
    let b3_verdict = || present.has(Families::B3).then(|| b3::verdict(headers)).flatten();
    let given_trace_id = || {
        let trace_id = present.has(Families::TRACE_ID).then(|| ids::trace_id(headers)).flatten()?;
        let flags = trace_flag::of_sampled(b3_verdict().unwrap_or(true));
        Some(Caller { trace_id, parent: None, flags })
    };
    let mut context = match caller.map(|(caller, _)| caller).or_else(given_trace_id) {
        Some(caller) => RequestContext::continuing(caller),
        None => match b3_verdict() {
            Some(false) => RequestContext::bare().with_trace_flags(trace_flag::RANDOM),
            Some(true) | None => RequestContext::bare(),
        },
    };
    if let Some(tracestate) = tracestate {
        context = context.with_tracestate(tracestate);
    }
    match present.has(Families::LANGSMITH).then(|| langsmith::parent(headers)).flatten() {
        Some(parent) => context.with_langsmith_parent(parent),
        None => context,
    }
}

/// Starts a trace that is linked to the caller's.
fn restart(headers: &HeaderMap, present: Families) -> RequestContext {
    match caller(headers, present).and_then(|(caller, _)| Some((caller.trace_id, caller.parent?))) {
        Some((trace_id, parent)) => RequestContext::bare().with_link(trace_id, parent),
        None => RequestContext::bare(),
    }
}
