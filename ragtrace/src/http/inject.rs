//! The headers of outgoing requests, which carry the context to another service.

use http::{HeaderMap, HeaderName, HeaderValue};
use ragtrace_core::context::{Caller, trace_flag};

use super::headers::{self, DATADOG_UPPER_BITS, baggage_value, names};
use crate::RequestContext;

/// Sets the headers that carry the current context to another service; does nothing if there is no
/// current context.
///
/// [`Injector`] describes the headers, and restricts them to some hosts.
///
/// An incoming request inside of [`TraceLayer`](super::TraceLayer) may be passed to this function
/// too. Another tracer behind the layer, such as OpenTelemetry's layers, which read `traceparent`,
/// or the service that the request is forwarded to, then continues the request's trace.
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

/// An injector of the headers that carry a context to other services, for requests to the hosts
/// that the application names.
///
/// | header | content |
/// | --- | --- |
/// | `traceparent` | the trace and the current span, with the flags of the caller if the trace is the caller's |
/// | `tracestate` | the caller's |
/// | `baggage` | the context's baggage, at most 64 members and 8,192 bytes, by whole members: first the application's own, then those of the incoming request, each in the order of their names |
/// | `langsmith-trace` | the caller's: the run of a LangSmith client that the request continues |
/// | `x-datadog-…` | the trace, the span and the sampling decision, if enabled ([`Injector::datadog`]) |
///
/// Headers are replaced, not added to. Earlier values of all these headers, and of B3's, are
/// removed, and so is an `X-Trace-ID` of another trace. Otherwise a forwarded request could name
/// two traces, and the next service might continue one that this service has left.
///
/// If a run continues that of a LangSmith client, the client's dotted order is sent on, so the run
/// of the called service becomes a sibling of this one, below the client's run. If it continues
/// none, no dotted order is sent: that would name every stage above, and these are known only where
/// runs are written.
///
/// A client that follows redirects sends these headers to whatever host it is redirected to. A
/// client that may be redirected anywhere should not follow redirects, or should set the headers
/// again.
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
    /// Creates an injector for requests to `hosts` and to no others.
    ///
    /// `*.example.com` stands for all hosts below `example.com`, and `*` for every host. Case does
    /// not matter, and a port is ignored. Write names beyond ASCII as in URLs (`xn--…`). Of a URL,
    /// the host is used. An entry that has no host, or that has a user name before it, matches
    /// nothing.
    pub fn to<H: AsRef<str>>(hosts: impl IntoIterator<Item = H>) -> Self {
        let hosts = hosts.into_iter().filter_map(|host| Host::of(of_url(host.as_ref()))).collect();
        Self { hosts, has_datadog: false }
    }

    /// Sets whether Datadog's own headers are sent too, for services whose tracers are not
    /// configured to read `traceparent`; `false` by default.
    ///
    /// These headers contain only whether the trace is sampled: a caller's priority of "keep" (2)
    /// becomes 1, and "drop" (-1) becomes 0. The caller's tags are not sent on.
    pub fn datadog(mut self, is_on: bool) -> Self {
        self.has_datadog = is_on;
        self
    }

    /// Sets the headers that carry the current context on a request to `host`, if it is among the
    /// injector's hosts.
    ///
    /// Returns `true` if the headers were set. Returns `false` and leaves the headers as they are
    /// if the host is not among the injector's, or if there is no current context.
    ///
    /// Pass the host as `http::Uri::host`, or `host_str` of reqwest's `Url`, returns it.
    pub fn inject(&self, host: &str, headers: &mut HeaderMap) -> bool {
        let is_named = name_of(host).is_some_and(|name| self.hosts.iter().any(|host| host.includes(&name)));
        let Some(context) = is_named.then(RequestContext::current).flatten() else { return false };
        let caller = set(headers, &context);
        if let Some(caller) = caller.filter(|_| self.has_datadog) {
            set_datadog(headers, caller);
        }
        true
    }

    /// Sets the headers of a request as [`Injector::inject`] does.
    ///
    /// The host is that of the request's URI or, if the URI has none, that of the header `host`.
    pub fn inject_request<B>(&self, request: &mut http::Request<B>) -> bool {
        let of_header = || request.headers().get(http::header::HOST)?.to_str().ok();
        let host = request.uri().host().or_else(of_header).unwrap_or_default().to_owned();
        self.inject(&host, request.headers_mut())
    }
}

/// A host, or several, as an application names them.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Every,
    One(String),
    /// All hosts below this one.
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

/// Returns the host and port of a URL, or the whole text if it is not a URL.
fn of_url(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Returns the name of a host in lower case, without its port, a dot at its end and the brackets of
/// an address, or `None` if the text is not a host, for example because a user name precedes it.
fn name_of(host: &str) -> Option<String> {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let name = match host.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            let is_whole = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
            Some(address).filter(|_| is_whole)?
        }
        // An IPv6 address has several colons.
        None => match host.split_once(':') {
            Some((name, port)) if !port.contains(':') => Some(name).filter(|_| is_port(port))?,
            _ => host,
        },
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:%~".contains(&byte) || byte >= 0x80;
    (!name.is_empty() && name.bytes().all(is_name)).then(|| name.to_ascii_lowercase())
}

/// Sets the headers of every request, and returns the caller that they name.
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

/// Removes headers that would be mistaken for this context's: those of another trace, or of baggage
/// that the context does not have.
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

/// Sets a header if there is a value and it is valid in a header.
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
