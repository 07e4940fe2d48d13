//! The public handle of a request: its ids, its baggage and the current span.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "testing")]
use super::request::Listener;
use super::request::{BaggageItem, Request, SpanLink, fresh_version};
use super::request_id::RequestId;
use super::trace_flag;
use crate::json;
use crate::time::{Anchor, Ticks};
use crate::{SpanId, TraceId, Value};

/// The identity of a request (trace, user, tenant and so on) together with the current span.
///
/// Stages that run in a context's [`scope`](RequestContext::scope) belong to its request. Ids that
/// are not set stay absent: there is no default user or tenant. Clones are cheap and share their
/// data.
///
/// # Examples
///
/// ```
/// use ragtrace::RequestContext;
///
/// let request = RequestContext::new().with_user_id("alice").with_tenant_id("acme").with_request_type("ingest");
/// request.sync_scope(|| {
///     let current = RequestContext::current().expect("inside a scope");
///     assert_eq!(current.user_id(), Some("alice"));
///     assert_eq!(current.trace_id(), request.trace_id());
/// });
/// assert!(RequestContext::current().is_none());
/// ```
#[derive(Clone)]
pub struct RequestContext {
    pub(crate) request: Arc<Request>,
    /// The parent of a stage that starts here. The span is in this process or, if it equals
    /// `Request::remote_parent`, in another one.
    pub(crate) span: Option<SpanId>,
}

impl RequestContext {
    /// Creates a request with a new trace id and a new request id (`req-` and 32 hex digits), and
    /// without a user, tenant, session or type.
    pub fn new() -> Self {
        let anchor = Anchor::now();
        let mut request = Request::begun_at(anchor, TraceId::at(anchor.wall));
        request.request_id = Some(RequestId::fresh());
        Self { request: Arc::new(request), span: None }
    }

    /// Creates a context with a new trace id and nothing else, for a stage that runs outside of any
    /// request.
    #[doc(hidden)]
    pub fn bare() -> Self {
        let anchor = Anchor::now();
        let request = Request::begun_at(anchor, TraceId::at(anchor.wall));
        Self { request: Arc::new(request), span: None }
    }

    /// Sets the trace id.
    ///
    /// If it differs from the present one, everything that belonged to the previous trace is
    /// cleared: its flags, its `tracestate`, and the parent span or LangSmith run. Stages that
    /// start in the context are then local roots.
    pub fn with_trace_id(mut self, id: TraceId) -> Self {
        if self.request.trace_id != id {
            self.span = None;
            let request = self.edit();
            (request.trace_id, request.tracestate) = (id, None);
            (request.remote_parent, request.langsmith_parent) = (None, None);
            (request.trace_flags, request.has_given_trace_id) = (trace_flag::of_id(id), false);
        }
        self
    }

    /// Sets the request id.
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.edit().request_id = Some(RequestId::from(id.into()));
        self
    }

    /// Sets the id of the user who makes the request.
    pub fn with_user_id(mut self, id: impl Into<String>) -> Self {
        self.edit().user_id = Some(boxed(id));
        self
    }

    /// Sets the id of the user's tenant.
    pub fn with_tenant_id(mut self, id: impl Into<String>) -> Self {
        self.edit().tenant_id = Some(boxed(id));
        self
    }

    /// Sets the session id: the conversation or thread that several requests belong to.
    pub fn with_session_id(mut self, id: impl Into<String>) -> Self {
        self.edit().session_id = Some(boxed(id));
        self
    }

    /// Sets the request's type, such as `ingest` or `query`.
    pub fn with_request_type(mut self, request_type: impl Into<String>) -> Self {
        self.edit().request_type = Some(boxed(request_type));
        self
    }

    /// Sets the LangSmith run that the request continues, given as a dotted order, the value of the
    /// header `langsmith-trace`.
    ///
    /// A value that is not a dotted order, or is longer than 4 KiB, is ignored.
    ///
    /// # Examples
    ///
    /// ```
    /// use ragtrace::RequestContext;
    ///
    /// let parent = "20261126T101500000000Z0199a5b2-6f1e-7c3a-8a4b-0123456789ab";
    /// let request = RequestContext::new().with_langsmith_parent(parent);
    /// assert_eq!(request.langsmith_parent(), Some(parent));
    /// assert_eq!(RequestContext::new().with_langsmith_parent("nonsense").langsmith_parent(), None);
    /// ```
    pub fn with_langsmith_parent(mut self, dotted_order: &str) -> Self {
        if is_dotted_order(dotted_order) {
            self.edit().langsmith_parent = Some(dotted_order.into());
        }
        self
    }

    /// Sets the value of the caller's `tracestate` header, which carries the vendor-specific part
    /// of a trace context.
    ///
    /// It is sent unchanged with the request's outgoing calls. A later change of the trace id
    /// removes it.
    pub fn with_tracestate(mut self, tracestate: impl Into<String>) -> Self {
        self.edit().tracestate = Some(tracestate.into().into());
        self
    }

    /// Adds a link to a span of another trace that caused this request without being continued by
    /// it. Links appear in records of local roots.
    ///
    /// # Examples
    ///
    /// ```
    /// use ragtrace::{RequestContext, SpanId, TraceId};
    ///
    /// let (trace, span) = (TraceId::new(), SpanId::new());
    /// let request = RequestContext::new().with_link(trace, span);
    /// assert_eq!(request.links()[0].trace_id, trace);
    /// ```
    pub fn with_link(mut self, trace_id: TraceId, span_id: SpanId) -> Self {
        let request = self.edit();
        request.links = request.links.iter().copied().chain([SpanLink { trace_id, span_id }]).collect();
        self
    }

    /// Sets the `traceparent` flags for the request's outgoing calls. Unknown flags are cleared.
    #[doc(hidden)]
    pub fn with_trace_flags(mut self, flags: u8) -> Self {
        self.edit().trace_flags = flags & trace_flag::KNOWN;
        self
    }

    /// Replaces the request id with a new one.
    #[doc(hidden)]
    pub fn with_fresh_request_id(mut self) -> Self {
        self.edit().request_id = Some(RequestId::fresh());
        self
    }

    /// Sets the trace id to one received without a parent span, which other processes may share.
    #[doc(hidden)]
    pub fn with_given_trace_id(self, id: TraceId) -> Self {
        let mut context = self.with_trace_id(id);
        let request = context.edit();
        (request.has_given_trace_id, request.trace_flags) = (true, trace_flag::SAMPLED);
        context
    }

    /// Adds a baggage item: a small named value that travels with the request. An item with the
    /// same name is replaced.
    ///
    /// `ragtrace::http::inject` sends the items to other services, so they should not be
    /// confidential.
    pub fn with_baggage(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let item = BaggageItem { value: value.into().into(), properties: Box::default(), is_received: false };
        self.edit().baggage.insert(name.into().into(), item);
        self
    }

    /// Adds a baggage item received from a caller, with its properties as written in the header.
    #[doc(hidden)]
    pub fn with_received_baggage(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
        properties: impl Into<String>,
    ) -> Self {
        let item = BaggageItem { value: value.into().into(), properties: properties.into().into(), is_received: true };
        self.edit().baggage.insert(name.into().into(), item);
        self
    }

    /// Returns the trace id.
    pub fn trace_id(&self) -> TraceId {
        self.request.trace_id
    }

    /// Returns the current span, which is the parent of a stage that starts here, or `None` if
    /// there is none.
    pub fn span_id(&self) -> Option<SpanId> {
        self.span
    }

    /// Returns the request id, if set.
    pub fn request_id(&self) -> Option<&str> {
        self.request.request_id.as_deref()
    }

    /// Returns the user id, if set.
    pub fn user_id(&self) -> Option<&str> {
        self.request.user_id.as_deref()
    }

    /// Returns the tenant id, if set.
    pub fn tenant_id(&self) -> Option<&str> {
        self.request.tenant_id.as_deref()
    }

    /// Returns the session id, if set.
    pub fn session_id(&self) -> Option<&str> {
        self.request.session_id.as_deref()
    }

    /// Returns the request's type, if set.
    pub fn request_type(&self) -> Option<&str> {
        self.request.request_type.as_deref()
    }

    /// Returns the LangSmith run that the request continues, in dotted-order form, if set.
    pub fn langsmith_parent(&self) -> Option<&str> {
        self.request.langsmith_parent.as_deref()
    }

    /// Returns the value of the caller's `tracestate` header, if set.
    pub fn tracestate(&self) -> Option<&str> {
        self.request.tracestate.as_deref()
    }

    /// Returns the links to spans of other traces that caused this request.
    pub fn links(&self) -> &[SpanLink] {
        &self.request.links
    }

    /// Returns the value of the baggage item named `name`, if there is one.
    pub fn baggage_item(&self, name: &str) -> Option<&str> {
        self.request.baggage.get(name).map(|item| &*item.value)
    }

    /// Returns an iterator over the names and values of all baggage items, sorted by name.
    pub fn baggage_items(&self) -> impl Iterator<Item = (&str, &str)> {
        self.request.baggage.iter().map(|(name, item)| (name, &*item.value))
    }

    /// Returns an iterator over the names, values and properties of all baggage items: first the
    /// application's own, then received ones, each sorted by name.
    #[doc(hidden)]
    pub fn baggage_members(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let of = |is_received| self.request.baggage.iter().filter(move |(_, item)| item.is_received == is_received);
        of(false).chain(of(true)).map(|(name, item)| (name, &*item.value, &*item.properties))
    }

    /// Returns the time since the request's context was created in this process.
    pub fn elapsed(&self) -> Duration {
        Ticks::now().since(self.request.anchor.ticks)
    }

    /// Returns the context as a JSON object that contains the ids that are set, `baggage` if there
    /// is any, and `elapsed_ms`.
    pub fn to_json(&self) -> String {
        json::text_of(|mut object| {
            object.display("trace_id", self.trace_id());
            if let Some(span) = self.span {
                object.display("span_id", span);
            }
            object.optional_text("request_id", self.request_id());
            object.optional_text("user_id", self.user_id());
            object.optional_text("tenant_id", self.tenant_id());
            object.optional_text("session_id", self.session_id());
            object.optional_text("request_type", self.request_type());
            object.optional_text("langsmith_parent", self.langsmith_parent());
            if !self.request.baggage.is_empty() {
                let mut baggage = object.nested("baggage");
                for (name, value) in self.baggage_items() {
                    baggage.field(name, &Value::Text(Cow::Owned(value.to_owned())));
                }
                baggage.close();
            }
            object.float("elapsed_ms", self.elapsed().as_secs_f64() * 1_000.0);
            object.close();
        })
    }

    /// Sets the listener that receives the request's entries.
    #[doc(hidden)]
    #[cfg(feature = "testing")]
    pub fn with_listener(mut self, listener: Arc<dyn Listener>) -> Self {
        self.edit().listener = Some(listener);
        self
    }

    /// Creates a context with trace id 1 and the given time, for reproducible tests.
    #[doc(hidden)]
    #[cfg(feature = "testing")]
    pub fn reproducible(anchor: Anchor) -> Self {
        let trace_id = TraceId::from_u128(1).unwrap_or_default();
        Self { request: Arc::new(Request::begun_at(anchor, trace_id)), span: None }
    }

    /// Returns this context with the listener of `around`, unless it has one of its own.
    pub(super) fn inherit(&self, around: impl FnOnce() -> Option<Self>) -> Self {
        let mut context = self.clone();
        // Listeners exist only with the feature `testing`.
        if cfg!(feature = "testing") && self.request.listener.is_none() {
            let listener = around().and_then(|around| around.request.listener.clone());
            if listener.is_some() {
                context.edit().listener = listener;
            }
        }
        context
    }

    /// Returns the context of code inside the run of `request` whose span is `span`.
    #[doc(hidden)]
    pub fn inside(request: &Arc<Request>, span: SpanId) -> Self {
        Self { request: Arc::clone(request), span: Some(span) }
    }

    /// Returns a context for a run that starts a new trace: a copy of `request` with a new trace,
    /// or only a new trace if there is no request.
    #[cold]
    #[inline(never)]
    pub(crate) fn root_of(request: Option<&Arc<Request>>) -> Self {
        let Some(request) = request else { return Self::bare() };
        let anchor = Anchor::now();
        let trace_id = TraceId::at(anchor.wall);
        let version = fresh_version();
        let request = Request {
            version,
            trace_id,
            anchor,
            remote_parent: None,
            trace_flags: trace_flag::KNOWN,
            tracestate: None,
            has_given_trace_id: false,
            langsmith_parent: None,
            ..(**request).clone()
        };
        Self { request: Arc::new(request), span: None }
    }

    fn edit(&mut self) -> &mut Request {
        let request = Arc::make_mut(&mut self.request);
        request.version = fresh_version();
        request
    }
}

impl Default for RequestContext {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestContext({})", self.to_json())
    }
}

// Inlined into the setters, because the compiler sees that a copy of a `&str` needs no shrinking.
#[inline]
fn boxed(text: impl Into<String>) -> Box<str> {
    text.into().into_boxed_str()
}

/// Returns `true` for a dotted order as LangSmith's clients write it: steps joined by dots, each a
/// time (`%Y%m%dT%H%M%S%fZ`) followed by a hyphenated UUID, of at most 4 KiB in all.
fn is_dotted_order(text: &str) -> bool {
    const LONGEST: usize = 4 << 10;
    let is_time = |time: &[u8]| {
        time.iter().enumerate().all(|(at, byte)| if at == 8 { *byte == b'T' } else { byte.is_ascii_digit() })
    };
    let is_step = |step: &str| {
        let (time, id) = step.split_once('Z').unwrap_or_default();
        time.len() == 21 && is_time(time.as_bytes()) && id.len() == 36 && uuid::Uuid::try_parse(id).is_ok()
    };
    text.len() <= LONGEST && text.split('.').all(is_step)
}
