//! The headers of a request that are read into its context, and the headers of the response.
//!
//! [`read`] promises to make a context from any headers, in time that grows with their size and
//! memory that does not. Headers that are malformed, too long or repeated count as absent, and are
//! neither sent on nor logged. A caller's flags do not decide what is sampled here; the trace id
//! does, so a caller that chooses the id decides.
//!
//! | information | sources, in order of precedence |
//! | --- | --- |
//! | trace and parent | `traceparent`, then Datadog's headers, then B3's, then `X-Trace-ID` (a trace without a parent) |
//! | the flag "sampled", which is sent on | the header that names the trace; B3's even if they do not name one |
//! | the trace state of other vendors | `tracestate`, if `traceparent` names the trace |
//! | the run of a LangSmith client | `langsmith-trace`, whichever header names the trace |
//! | the request id | `X-Request-ID` |
//! | baggage | `baggage`, whichever header names the trace |
//!
//! A public endpoint trusts no caller: a caller that names the trace chooses whether it is sampled,
//! could write into another user's trace, and could pass baggage to internal services in this
//! service's name. There, each request starts a new trace with a link to the caller's, the request
//! id is kept, and LangSmith's headers and baggage are ignored.

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

/// Returns the context of a request with these headers, where no layer reads them: for messages of
/// a queue, or a server that is not a tower service.
///
/// The trace and the caller's span come from `traceparent`, else from Datadog's headers, else from
/// B3's; `X-Trace-ID` gives a trace without a span. `tracestate` (if `traceparent` names the
/// trace), `X-Request-ID`, `baggage` and `langsmith-trace` are read too. Without these headers, the
/// context has a new trace id and a new request id. Malformed headers count as absent. The sender
/// of the headers chooses the trace, and so whether it is sampled; read only headers of trusted
/// callers. [`inject`](crate::http::inject) is the reverse function.
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

/// Returns the context of a request with these headers. A public endpoint starts a new trace with a
/// link to the caller's.
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

/// Continues the caller's trace.
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

/// Starts a trace with a link to the caller's.
fn restart(headers: &HeaderMap, present: Families) -> RequestContext {
    match caller(headers, present).and_then(|(caller, _)| Some((caller.trace_id, caller.parent?))) {
        Some((trace_id, parent)) => RequestContext::bare().with_link(trace_id, parent),
        None => RequestContext::bare(),
    }
}
