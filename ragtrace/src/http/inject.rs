//! The headers of outgoing requests, which carry a context to whoever is called.

use http::{HeaderMap, HeaderName, HeaderValue};
use ragtrace_core::context::{Caller, trace_flag};

use super::headers::{self, DATADOG_UPPER_BITS, baggage_value, names};
use crate::RequestContext;

/// Sets the headers that carry the current context on; see [`Injector`] for which they are, and for
/// headers that go to some hosts alone. Without a current context nothing is set.
///
/// On a request that came in, inside [`TraceLayer`](super::TraceLayer), it has another tracer
/// further in, or whoever the request is handed on to, go on with the request's trace:
/// OpenTelemetry's layers read `traceparent`, too.
///
/// ```
/// use ragtrace::RequestContext;
/// use ragtrace::http::inject;
///
/// let mut headers = http::HeaderMap::new(); // `headers_mut()` of a request of reqwest's, or of hyper's
/// let context = RequestContext::new();
/// context.sync_scope(|| inject(&mut headers));
/// let traceparent = headers["traceparent"].to_str().unwrap();
/// assert!(traceparent.contains(&context.trace_id().to_hex()));
/// ```
pub fn inject(headers: &mut HeaderMap) {
    if let Some(context) = RequestContext::current() {
        set(headers, &context);
    }
}

/// Sets the headers that carry a context to whoever is called, on requests to hosts that the
/// application names.
///
/// | header | is |
/// | --- | --- |
/// | `traceparent` | the trace and the current span, with the flags of the caller whose trace it is |
/// | `tracestate` | the caller's |
/// | `baggage` | the context's, up to 64 members and 8,192 bytes by whole members: the application's own first, then those that came with the request, each in the order of their names |
/// | `langsmith-trace` | the caller's: the run of a LangSmith client that the request continues |
/// | `x-datadog-…` | trace, span and whether it is sampled, if they are asked for ([`Injector::datadog`]) |
///
/// Headers are set, and never added to others of their name. Of all these, and of B3's, nothing
/// stays that was there before, and an `X-Trace-ID` only if it names the context's trace: a request
/// that is handed on would say two things, and the next service go on with a trace that this one
/// has left.
///
/// A run that continues a LangSmith client's hands the client's dotted order on, so what is called
/// stands beside it there, below the same run. Of a run that continues none there is no dotted
/// order to send: it has the place of each stage above, which is known only where runs are written.
///
/// A client that follows redirects takes these headers along, to whatever host it is sent: one that
/// may be sent anywhere should be told not to follow, or to set headers anew.
///
/// ```
/// use ragtrace::RequestContext;
/// use ragtrace::http::Injector;
///
/// let injector = Injector::to(["embedder.internal", "*.search.internal"]).datadog(true);
/// RequestContext::new().sync_scope(|| {
///     let mut headers = http::HeaderMap::new();
///     assert!(injector.inject("eu.search.internal", &mut headers));
///     assert!(headers.contains_key("x-datadog-trace-id"));
///
///     let mut elsewhere = http::HeaderMap::new();
///     assert!(!injector.inject("api.example.com", &mut elsewhere));
///     assert!(elsewhere.is_empty());
/// });
/// ```
#[derive(Clone, Debug)]
pub struct Injector {
    hosts: Vec<Host>,
    has_datadog: bool,
}

impl Injector {
    /// Makes an injector for requests to `hosts`, and to no other. `*.example.com` stands for all
    /// hosts below `example.com`, and `*` for every host. Letters are the same in both cases, and a
    /// port is passed over. A name beyond ASCII is written as it stands in URLs (`xn--…`). Of a URL
    /// its host counts. What has none, or a user before it, names nobody.
    pub fn to<H: AsRef<str>>(hosts: impl IntoIterator<Item = H>) -> Self {
        let hosts = hosts.into_iter().filter_map(|host| Host::of(of_url(host.as_ref()))).collect();
        Self { hosts, has_datadog: false }
    }

    /// Sets whether Datadog's own headers are sent too, for services whose tracers are not told to
    /// read `traceparent`.
    ///
    /// They say whether the trace is sampled, and no more: of a caller's priority "keep" (2) or
    /// "drop" (-1) that is 1 or 0, and its tags are not sent on.
    pub fn datadog(mut self, is_on: bool) -> Self {
        self.has_datadog = is_on;
        self
    }

    /// Sets the headers of a request to `host` that carry the current context on, and returns true;
    /// or leaves them as they are, if the host is not named or there is no current context.
    ///
    /// The host is as `http::Uri::host` and `host_str` of reqwest's `Url` give it.
    pub fn inject(&self, host: &str, headers: &mut HeaderMap) -> bool {
        let is_named = name_of(host).is_some_and(|name| self.hosts.iter().any(|host| host.includes(&name)));
        let Some(context) = is_named.then(RequestContext::current).flatten() else { return false };
        let caller = set(headers, &context);
        if let Some(caller) = caller.filter(|_| self.has_datadog) {
            set_datadog(headers, caller);
        }
        true
    }

    /// Sets the headers of a request as [`Injector::inject`] does. The host is that of its URI or,
    /// where that has none, of the header `host`.
    pub fn inject_request<B>(&self, request: &mut http::Request<B>) -> bool {
        let of_header = || request.headers().get(http::header::HOST)?.to_str().ok();
        let host = request.uri().host().or_else(of_header).unwrap_or_default().to_owned();
        self.inject(&host, request.headers_mut())
    }
}

/// Hosts as an application names them.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Every,
    One(String),
    /// All below this one.
    Below(String),
}

impl Host {
    fn of(text: &str) -> Option<Self> {
        match text.strip_prefix("*.") {
            _ if text == "*" => Some(Self::Every),
            Some(parent) => name_of(parent).map(Self::Below),
            None => name_of(text).map(Self::One),
        }
    }

    fn includes(&self, name: &str) -> bool {
        match self {
            Self::Every => true,
            Self::One(host) => host == name,
            Self::Below(parent) => name
                .strip_suffix(&**parent)
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|rest| !rest.is_empty()),
        }
    }
}

/// Returns the part of a URL that is its host and port, or a text that is none as it is.
fn of_url(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Returns a host's name in lower case, without its port, the dot at its end and the brackets of an
/// address; `None` for what is no host, as where a user stands before it.
fn name_of(host: &str) -> Option<String> {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let name = match host.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            let is_whole = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
            Some(address).filter(|_| is_whole)?
        }
        // An address of IPv6 has several colons.
        None => match host.split_once(':') {
            Some((name, port)) if !port.contains(':') => Some(name).filter(|_| is_port(port))?,
            _ => host,
        },
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:%~".contains(&byte) || byte >= 0x80;
    (!name.is_empty() && name.bytes().all(is_name)).then(|| name.to_ascii_lowercase())
}

/// Sets the headers of every request, and returns what they say.
fn set(headers: &mut HeaderMap, context: &RequestContext) -> Option<Caller> {
    let traceparent = context.traceparent();
    let caller = Caller::of_traceparent(&traceparent);
    remove_others(headers, context);
    set_text(headers, &names::TRACEPARENT, Some(traceparent));
    set_text(headers, &names::TRACESTATE, context.tracestate().map(str::to_owned));
    set_text(headers, &names::BAGGAGE, baggage_value(context));
    set_text(headers, &names::LANGSMITH_TRACE, context.langsmith_parent().map(str::to_owned));
    caller
}

/// Removes what would be taken for this context's: of a trace that it does not go on with, or of
/// baggage that it has not.
fn remove_others(headers: &mut HeaderMap, context: &RequestContext) {
    if headers.is_empty() {
        return;
    }
    for name in names::OF_CONTEXTS {
        headers.remove(name);
    }
    if headers::trace_id(headers) != Some(context.trace_id()) {
        headers.remove(&names::X_TRACE_ID);
    }
}

fn set_datadog(headers: &mut HeaderMap, caller: Caller) {
    let (upper, lower) = caller.trace_id.as_uuid().as_u64_pair();
    set_text(headers, &names::DATADOG_TRACE_ID, Some(lower.to_string()));
    set_text(headers, &names::DATADOG_PARENT_ID, caller.parent.map(|parent| parent.as_u64().to_string()));
    let is_sampled = caller.flags & trace_flag::SAMPLED != 0;
    set_text(headers, &names::DATADOG_SAMPLING_PRIORITY, Some(u8::from(is_sampled).to_string()));
    set_text(headers, &names::DATADOG_TAGS, (upper != 0).then(|| format!("{DATADOG_UPPER_BITS}={upper:016x}")));
}

/// Sets a header, if there is a value for it that a header may have.
fn set_text(headers: &mut HeaderMap, name: &HeaderName, value: Option<String>) {
    if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_known_by_its_name_alone() {
        let names = |host: &str| name_of(host);
        assert_eq!(names("API.Example.com.").as_deref(), Some("api.example.com"));
        assert_eq!(names("api.example.com:8443").as_deref(), Some("api.example.com"));
        assert_eq!(names("[::1]:80").as_deref(), names("::1").as_deref());
        for other in
            ["", ".", ":80", "user@host", "host:80@elsewhere", "host/elsewhere", "ho st", "[::1", "[::1]x", "host:x"]
        {
            assert_eq!(names(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_star_stands_for_all_that_is_below() {
        let below = Host::of("*.example.com").expect("a host");
        assert!(below.includes("a.example.com") && below.includes("a.b.example.com"));
        for other in ["example.com", ".example.com", "anexample.com", "example.com.evil", "evil"] {
            assert!(!below.includes(other), "{other:?}");
        }
        assert!(Host::of("*").is_some_and(|every| every.includes("anything")));
        assert_eq!(Host::of("http://host"), None);
    }
}
