//! Who asked, and in which trace: what every record of a request shares.
//!
//! A thread holds at most one current context. It is put there for the length of a poll or a call and taken back after
//! it, also when that one panics, so it never leaks into whatever the thread does next. A context crosses tasks
//! and threads only where the code says so: [`spawn`], [`InContext::in_current_context`], [`RequestContext::scope`] and
//! [`RequestContext::sync_scope`].

pub(crate) mod current;
mod scope;
mod traceparent;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use scope::{InContext, Scoped, spawn};

use crate::capture::Capture;
use crate::json;
use crate::time::{Anchor, Ticks};
use crate::{SpanId, TraceId, Value};

/// Who asked, in which trace, and which span is the current one. A clone is cheap and shares the rest.
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
    /// The span that is the parent of what starts here, in this process or (`Request::remote_parent`) another.
    pub(crate) span: Option<SpanId>,
}

/// What does not change over a request.
#[derive(Clone)]
pub struct Request {
    /// Tells it from every other request and from what it was before it was edited: random, and never zero.
    pub version: u64,
    pub trace_id: TraceId,
    pub request_id: Option<Box<str>>,
    pub user_id: Option<Box<str>>,
    pub tenant_id: Option<Box<str>>,
    pub session_id: Option<Box<str>>,
    pub request_type: Option<Box<str>>,
    pub(crate) baggage: BTreeMap<Box<str>, Box<str>>,
    /// The parent that another process named.
    pub(crate) remote_parent: Option<SpanId>,
    pub anchor: Anchor,
    /// The test that wants this request's records for itself.
    pub(crate) capture: Option<Arc<Capture>>,
}

impl Request {
    pub fn new(trace_id: TraceId) -> Self {
        Self {
            version: fresh_version(),
            trace_id,
            request_id: None,
            user_id: None,
            tenant_id: None,
            session_id: None,
            request_type: None,
            baggage: BTreeMap::new(),
            remote_parent: None,
            anchor: Anchor::now(),
            capture: None,
        }
    }
}

impl Request {
    /// Returns the texts that say whose it is, in the order of the canonical JSON.
    pub fn texts(&self) -> [&Option<Box<str>>; 5] {
        [&self.request_id, &self.user_id, &self.tenant_id, &self.session_id, &self.request_type]
    }

    /// Returns the texts of [`Request::texts`], to be changed.
    pub fn texts_mut(&mut self) -> [&mut Option<Box<str>>; 5] {
        [&mut self.request_id, &mut self.user_id, &mut self.tenant_id, &mut self.session_id, &mut self.request_type]
    }

    /// The test that wants this request's records. Without the feature `testing` nothing asks.
    #[inline]
    pub(crate) fn capture(&self) -> Option<&Arc<Capture>> {
        if cfg!(feature = "testing") { self.capture.as_ref() } else { None }
    }

    /// The time that the request's stages see.
    #[inline]
    pub(crate) fn now(&self) -> Ticks {
        self.capture().map_or_else(Ticks::now, |capture| capture.now())
    }

    /// An id for a span of the request.
    #[inline]
    pub(crate) fn span_id(&self) -> SpanId {
        self.capture().map_or_else(SpanId::new, |capture| capture.span_id())
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({})", self.trace_id)
    }
}

impl PartialEq for Request {
    fn eq(&self, other: &Self) -> bool {
        self.trace_id == other.trace_id && self.texts() == other.texts()
    }
}

impl RequestContext {
    /// A new request: a trace of its own and a request id (`req-` and 32 hex digits); no user, tenant or type.
    pub fn new() -> Self {
        let mut context = Self::bare();
        context.edit().request_id = Some(fresh_request_id());
        context
    }

    /// A trace of its own and nothing else, for a stage that runs outside any request.
    #[doc(hidden)]
    pub fn bare() -> Self {
        let anchor = Anchor::now();
        let request = Request { anchor, ..Request::new(TraceId::at(anchor.wall)) };
        Self { request: Arc::new(request), span: None }
    }

    /// The context of the running poll or call, if there is one.
    pub fn current() -> Option<Self> {
        current::current()
    }

    /// Sets the trace's id.
    pub fn with_trace_id(mut self, id: TraceId) -> Self {
        self.edit().trace_id = id;
        self
    }

    /// Sets the request's id.
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.edit().request_id = Some(id.into().into());
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

    /// Adds an item of baggage: a small fact that travels with the request.
    pub fn with_baggage(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.edit().baggage.insert(name.into().into(), value.into().into());
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

    /// Returns the item of baggage of this name.
    pub fn baggage_item(&self, name: &str) -> Option<&str> {
        self.request.baggage.get(name).map(AsRef::as_ref)
    }

    /// Returns all items of baggage, in the order of their names.
    pub fn baggage_items(&self) -> impl Iterator<Item = (&str, &str)> {
        self.request.baggage.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// Time since the request's context was made in this process.
    pub fn elapsed(&self) -> Duration {
        Ticks::now().since(self.request.anchor.ticks)
    }

    /// The context as a JSON object: the ids that are present, `baggage` if there is any, and `elapsed_ms`.
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

    /// The same, recorded for a test.
    #[doc(hidden)]
    #[cfg(feature = "testing")]
    pub fn captured_by(mut self, capture: &Arc<Capture>) -> Self {
        self.edit().capture = Some(Arc::clone(capture));
        self
    }

    /// A trace whose id is 1, at a time that a test says.
    #[doc(hidden)]
    #[cfg(feature = "testing")]
    pub fn made_up(anchor: Anchor) -> Self {
        let trace_id = TraceId::from_u128(1).unwrap_or_default();
        Self { request: Arc::new(Request { anchor, ..Request::new(trace_id) }), span: None }
    }

    /// The same, recorded for whom `around` is recorded for, unless it is for somebody already.
    fn inherit(&self, around: Option<Self>) -> Self {
        let mut context = self.clone();
        let capture = around.and_then(|around| around.request.capture.clone());
        if let (Some(capture), None) = (capture, &self.request.capture) {
            context.edit().capture = Some(capture);
        }
        context
    }

    /// For a run that starts a trace: the same request in a trace of its own, or nothing but that.
    #[cold]
    #[inline(never)]
    pub(crate) fn root_of(request: Option<&Arc<Request>>) -> Self {
        let Some(request) = request else { return Self::bare() };
        let anchor = Anchor::now();
        let trace_id = TraceId::at(anchor.wall);
        let version = fresh_version();
        let request = Request { version, trace_id, anchor, remote_parent: None, ..(**request).clone() };
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

fn fresh_version() -> u64 {
    fastrand::u64(1..)
}

fn fresh_request_id() -> Box<str> {
    format!("req-{:032x}", fastrand::u128(..)).into()
}
