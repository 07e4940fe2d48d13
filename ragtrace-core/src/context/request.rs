//! Requests: the ids that all records of a request share, and the listener that receives them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::request_id::RequestId;
use super::trace_flag;
use crate::time::{Anchor, Ticks};
use crate::{SpanId, TraceId, id};

/// The part of a context that stays the same throughout a request.
#[derive(Clone)]
pub struct Request {
    /// A random number, never zero, that distinguishes this request from every other one and from
    /// its own state before an edit.
    pub version: u64,
    pub trace_id: TraceId,
    pub request_id: Option<RequestId>,
    pub user_id: Option<Box<str>>,
    pub tenant_id: Option<Box<str>>,
    pub session_id: Option<Box<str>>,
    pub request_type: Option<Box<str>>,
    /// The LangSmith run that the request continues, in dotted-order form.
    pub langsmith_parent: Option<Box<str>>,
    pub(crate) baggage: Baggage,
    /// The parent span in another process.
    pub(crate) remote_parent: Option<SpanId>,
    /// The `traceparent` flags sent with outgoing calls: the caller's, or those of a trace that
    /// began here.
    pub(crate) trace_flags: u8,
    /// The caller's `tracestate`, sent with outgoing calls.
    pub(crate) tracestate: Option<Box<str>>,
    /// Spans of other traces that caused this request without being continued by it.
    pub links: Box<[SpanLink]>,
    /// Set if the trace id was received without a parent span. Other processes may then have roots
    /// of the trace too.
    pub has_given_trace_id: bool,
    /// Set on the placeholder for log lines outside of any request. Its trace id means nothing.
    pub is_nobody: bool,
    pub anchor: Anchor,
    /// Receives the request's entries instead of the queue.
    pub(crate) listener: Option<Arc<dyn Listener>>,
}

impl Request {
    /// Creates a request that begins now, with only a trace id.
    pub fn new(trace_id: TraceId) -> Self {
        Self::begun_at(Anchor::now(), trace_id)
    }

    /// Creates a request that began at `anchor`, with only a trace id.
    pub(crate) fn begun_at(anchor: Anchor, trace_id: TraceId) -> Self {
        Self {
            version: fresh_version(),
            trace_id,
            request_id: None,
            user_id: None,
            tenant_id: None,
            session_id: None,
            request_type: None,
            langsmith_parent: None,
            baggage: Baggage::default(),
            remote_parent: None,
            trace_flags: trace_flag::KNOWN,
            tracestate: None,
            links: Box::default(),
            has_given_trace_id: false,
            is_nobody: false,
            anchor,
            listener: None,
        }
    }

    /// Creates the placeholder for log lines outside of any request.
    pub(crate) fn nobody() -> Self {
        Self { is_nobody: true, ..Self::new(TraceId::from_u128(1).unwrap_or_default()) }
    }

    /// Returns the ids and the type of the request, in the order of the canonical JSON.
    pub fn texts(&self) -> [Option<&str>; 5] {
        let [_, rest @ ..] = self.given_texts();
        let [user_id, tenant_id, session_id, request_type] = rest;
        [self.request_id.as_deref(), user_id, tenant_id, session_id, request_type]
    }

    /// Returns [`Request::texts`] without a generated request id, which needs no redaction.
    pub fn given_texts(&self) -> [Option<&str>; 5] {
        let Self { request_id, user_id, tenant_id, session_id, request_type, .. } = self;
        let [user_id, tenant_id, session_id, request_type] =
            [user_id, tenant_id, session_id, request_type].map(Option::as_deref);
        [request_id.as_ref().and_then(RequestId::given), user_id, tenant_id, session_id, request_type]
    }

    /// Returns a copy of the request in which the texts are replaced by the results of `change`, or
    /// `None` if `change` returns `None` for all of them. `texts` are those of [`Request::texts`]
    /// or [`Request::given_texts`].
    pub fn with_changed(&self, texts: [Option<&str>; 5], change: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let changed = texts.map(|text| text.and_then(&change));
        if changed.iter().all(Option::is_none) {
            return None;
        }
        let mut request = self.clone();
        let [request_id, rest @ ..] = changed;
        if let Some(text) = request_id {
            request.request_id = Some(text.into());
        }
        let Self { user_id, tenant_id, session_id, request_type, .. } = &mut request;
        for (place, text) in [user_id, tenant_id, session_id, request_type].into_iter().zip(rest) {
            if let Some(text) = text {
                *place = Some(text.into());
            }
        }
        Some(request)
    }

    /// Returns a request for a score of another trace, which keeps only the user, the tenant and
    /// the listener of this one.
    pub(crate) fn judging(&self, trace_id: TraceId) -> Self {
        Self {
            user_id: self.user_id.clone(),
            tenant_id: self.tenant_id.clone(),
            listener: self.listener.clone(),
            ..Self::begun_at(self.anchor, trace_id)
        }
    }

    /// Returns this request with another tenant.
    pub(crate) fn with_tenant(&self, tenant_id: Option<&str>) -> Self {
        Self { version: fresh_version(), tenant_id: tenant_id.map(Into::into), ..self.clone() }
    }

    /// Returns the listener that receives the request's entries instead of the queue. Always `None`
    /// without the feature `testing`, so that no code checks for one.
    #[inline]
    pub(crate) fn listener(&self) -> Option<&Arc<dyn Listener>> {
        if cfg!(feature = "testing") { self.listener.as_ref() } else { None }
    }

    /// Returns the current time as the request's stages see it.
    #[inline]
    pub(crate) fn now(&self) -> Ticks {
        self.listener().map_or_else(Ticks::now, |listener| listener.now())
    }

    /// Creates the id of a new span in the request.
    #[inline]
    pub(crate) fn new_span_id(&self) -> SpanId {
        self.listener().map_or_else(SpanId::new, |listener| listener.new_span_id())
    }
}

/// The baggage items by name. Most requests have none and only need a pointer for them.
#[derive(Clone, Default)]
#[expect(clippy::box_collection, reason = "a pointer is smaller than a map, and most requests have no baggage")]
pub(crate) struct Baggage(Option<Box<BTreeMap<Box<str>, BaggageItem>>>);

impl Baggage {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Adds an item, replacing an item of the same name.
    pub(crate) fn insert(&mut self, name: Box<str>, item: BaggageItem) {
        self.0.get_or_insert_default().insert(name, item);
    }

    pub(crate) fn get(&self, name: &str) -> Option<&BaggageItem> {
        self.0.as_ref()?.get(name)
    }

    /// Returns the items sorted by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &BaggageItem)> {
        self.0.iter().flat_map(|items| items.iter()).map(|(name, item)| (&**name, item))
    }
}

/// A baggage item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaggageItem {
    pub(crate) value: Box<str>,
    /// The item's properties as received. They have no meaning here and are sent on unchanged.
    pub(crate) properties: Box<str>,
    /// Set if a caller sent the item. The application's own items are sent on first.
    pub(crate) is_received: bool,
}

/// A span of another trace that caused a request without being continued by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SpanLink {
    /// The linked span's trace id.
    pub trace_id: TraceId,
    /// The linked span's id.
    pub span_id: SpanId,
}

impl SpanLink {
    /// Creates a link to a span.
    pub fn new(trace_id: TraceId, span_id: SpanId) -> Self {
        Self { trace_id, span_id }
    }
}

/// Receives entries of requests instead of the queue, and provides their stages with time and ids.
/// A test's capture is a listener.
pub trait Listener: Send + Sync + 'static {
    /// Accepts an entry, given as its head and its fields in the form described in
    /// [`crate::entry`].
    ///
    /// Returns `true` if the entry is kept. If the start of a run was not kept, the end repeats its
    /// contents.
    fn accept(&self, request: &Arc<Request>, head: &[u64], fields: &[u64]) -> bool;

    /// Returns the current time.
    fn now(&self) -> Ticks {
        Ticks::now()
    }

    /// Creates the id of a new span.
    fn new_span_id(&self) -> SpanId {
        SpanId::new()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({})", self.trace_id)
    }
}

impl PartialEq for Request {
    fn eq(&self, other: &Self) -> bool {
        self.trace_id == other.trace_id
            && self.texts() == other.texts()
            && self.langsmith_parent == other.langsmith_parent
            && self.links == other.links
    }
}

/// Returns a random number that is not zero.
pub(super) fn fresh_version() -> u64 {
    id::random().max(1)
}
