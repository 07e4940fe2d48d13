//! The handle of a request that applications hold: ids, baggage and the current span.

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

/// Who asked, in which trace, and which span is the current one. A clone is cheap and shares the
/// rest.
///
/// Ids that are absent are absent: nothing is made up for a missing user or tenant.
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
    /// The span that is the parent of what starts here, in this process or
    /// (`Request::remote_parent`) another.
    pub(crate) span: Option<SpanId>,
}

impl RequestContext {
    /// Makes a request with a trace and a request id of its own (`req-` and 32 hex digits), and no
    /// user, tenant, session or type.
    pub fn new() -> Self {
        let anchor = Anchor::now();
        let mut request = Request::begun_at(anchor, TraceId::at(anchor.wall));
        request.request_id = Some(RequestId::fresh());
        Self { request: Arc::new(request), span: None }
    }

    /// A trace of its own and nothing else, for a stage that runs outside any request.
    #[doc(hidden)]
    pub fn bare() -> Self {
        let anchor = Anchor::now();
        let request = Request::begun_at(anchor, TraceId::at(anchor.wall));
        Self { request: Arc::new(request), span: None }
    }

    /// Sets the trace's id. If it is another one, what was said of the trace before goes: its
    /// flags, its `tracestate`, and the span or the LangSmith run that was the parent there. What
    /// starts in the context is a root.
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

    /// Sets the request's id.
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.edit().request_id = Some(RequestId::from(id.into()));
        self
    }

    /// Sets the user: who asked.
    pub fn with_user_id(mut self, id: impl Into<String>) -> Self {
        self.edit().user_id = Some(id.into().into());
        self
    }

    /// Sets the tenant that the user belongs to.
    pub fn with_tenant_id(mut self, id: impl Into<String>) -> Self {
        self.edit().tenant_id = Some(id.into().into());
        self
    }

    /// Sets the session: the conversation or thread that several requests belong to.
    pub fn with_session_id(mut self, id: impl Into<String>) -> Self {
        self.edit().session_id = Some(id.into().into());
        self
    }

    /// Sets the request's type, such as `ingest` or `query`.
    pub fn with_request_type(mut self, request_type: impl Into<String>) -> Self {
        self.edit().request_type = Some(request_type.into().into());
        self
    }

    /// Sets the run of a LangSmith client that the request continues: the value of the header
    /// `langsmith-trace`, a dotted order. One that is none, or is longer than 4 KiB, is passed
    /// over.
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

    /// Sets the vendors' part of the caller's trace context, the value of the header `tracestate`.
    /// It goes on with the request's own calls as it came; where the trace's id is changed
    /// afterwards, it goes.
    pub fn with_tracestate(mut self, tracestate: impl Into<String>) -> Self {
        self.edit().tracestate = Some(tracestate.into().into());
        self
    }

    /// Adds a link with a span of another trace that led to this request, and that the request does
    /// not continue. Records of local roots have it.
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

    /// Sets the flags of `traceparent` that go on with the request's own calls.
    #[doc(hidden)]
    pub fn with_trace_flags(mut self, flags: u8) -> Self {
        self.edit().trace_flags = flags & trace_flag::KNOWN;
        self
    }

    /// Gives the request a new id.
    #[doc(hidden)]
    pub fn with_fresh_request_id(mut self) -> Self {
        self.edit().request_id = Some(RequestId::fresh());
        self
    }

    /// Sets the trace's id to one that came without a parent, and that other processes may have as
    /// well.
    #[doc(hidden)]
    pub fn with_given_trace_id(self, id: TraceId) -> Self {
        let mut context = self.with_trace_id(id);
        let request = context.edit();
        (request.has_given_trace_id, request.trace_flags) = (true, trace_flag::SAMPLED);
        context
    }

    /// Adds an item of baggage: a small fact that travels with the request.
    pub fn with_baggage(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let item = BaggageItem { value: value.into().into(), properties: Box::default(), is_received: false };
        self.edit().baggage.insert(name.into().into(), item);
        self
    }

    /// Adds an item of baggage that a caller sent, with the properties that it came with, as they
    /// are in a header.
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

    /// Returns the trace's id.
    pub fn trace_id(&self) -> TraceId {
        self.request.trace_id
    }

    /// Returns the current span: the parent of a stage that starts here.
    pub fn span_id(&self) -> Option<SpanId> {
        self.span
    }

    /// Returns the request's id, if it is set.
    pub fn request_id(&self) -> Option<&str> {
        self.request.request_id.as_deref()
    }

    /// Returns the user's id, if it is set.
    pub fn user_id(&self) -> Option<&str> {
        self.request.user_id.as_deref()
    }

    /// Returns the tenant's id, if it is set.
    pub fn tenant_id(&self) -> Option<&str> {
        self.request.tenant_id.as_deref()
    }

    /// Returns the session's id, if it is set.
    pub fn session_id(&self) -> Option<&str> {
        self.request.session_id.as_deref()
    }

    /// Returns the request's type, if it is set.
    pub fn request_type(&self) -> Option<&str> {
        self.request.request_type.as_deref()
    }

    /// Returns the run of a LangSmith client that the request continues, as its dotted order.
    pub fn langsmith_parent(&self) -> Option<&str> {
        self.request.langsmith_parent.as_deref()
    }

    /// Returns the vendors' part of the caller's trace context.
    pub fn tracestate(&self) -> Option<&str> {
        self.request.tracestate.as_deref()
    }

    /// Returns the spans of other traces that led to this request.
    pub fn links(&self) -> &[SpanLink] {
        &self.request.links
    }

    /// Returns the item of baggage of this name.
    pub fn baggage_item(&self, name: &str) -> Option<&str> {
        self.request.baggage.get(name).map(|item| &*item.value)
    }

    /// Returns all items of baggage, in the order of their names.
    pub fn baggage_items(&self) -> impl Iterator<Item = (&str, &str)> {
        self.request.baggage.iter().map(|(name, item)| (name, &*item.value))
    }

    /// Returns all items of baggage with their properties: those of the application before those
    /// that a caller sent, both in the order of their names.
    #[doc(hidden)]
    pub fn baggage_members(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let of = |is_received| self.request.baggage.iter().filter(move |(_, item)| item.is_received == is_received);
        of(false).chain(of(true)).map(|(name, item)| (name, &*item.value, &*item.properties))
    }

    /// Returns the time since the request's context was made in this process.
    pub fn elapsed(&self) -> Duration {
        Ticks::now().since(self.request.anchor.ticks)
    }

    /// Returns the context as a JSON object: the ids that are present, `baggage` if there is any,
    /// and `elapsed_ms`.
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

    /// Has `listener` receive the request's entries.
    #[doc(hidden)]
    #[cfg(feature = "testing")]
    pub fn with_listener(mut self, listener: Arc<dyn Listener>) -> Self {
        self.edit().listener = Some(listener);
        self
    }

    /// Makes a context whose trace id is 1, at a time that a test sets.
    #[doc(hidden)]
    #[cfg(feature = "testing")]
    pub fn reproducible(anchor: Anchor) -> Self {
        let trace_id = TraceId::from_u128(1).unwrap_or_default();
        Self { request: Arc::new(Request::begun_at(anchor, trace_id)), span: None }
    }

    /// Returns this context with the listener of `around`, unless it has one itself.
    pub(super) fn inherit(&self, around: impl FnOnce() -> Option<Self>) -> Self {
        let mut context = self.clone();
        // Without the feature nobody has one.
        if cfg!(feature = "testing") && self.request.listener.is_none() {
            let listener = around().and_then(|around| around.request.listener.clone());
            if listener.is_some() {
                context.edit().listener = listener;
            }
        }
        context
    }

    /// Returns the context of what runs inside a run of `request` whose span is `span`.
    #[doc(hidden)]
    pub fn inside(request: &Arc<Request>, span: SpanId) -> Self {
        Self { request: Arc::clone(request), span: Some(span) }
    }

    /// For a run that starts a trace: the same request in a trace of its own, or nothing but that.
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
/// Returns true for a dotted order as LangSmith's clients write it: steps joined by dots, each of
/// them a time (`%Y%m%dT%H%M%S%fZ`) and a hyphenated UUID.
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
