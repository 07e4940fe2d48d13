//! A request: the ids that all of its records share, and who listens to it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::request_id::RequestId;
use super::trace_flag;
use crate::time::{Anchor, Ticks};
use crate::{SpanId, TraceId, id};

/// The part of a context that stays the same over a request.
#[derive(Clone)]
pub struct Request {
    /// Tells it from every other request and from what it was before it was edited: random, and
    /// never zero.
    pub version: u64,
    pub trace_id: TraceId,
    pub request_id: Option<RequestId>,
    pub user_id: Option<Box<str>>,
    pub tenant_id: Option<Box<str>>,
    pub session_id: Option<Box<str>>,
    pub request_type: Option<Box<str>>,
    /// The run of a LangSmith client that the request continues, as its dotted order.
    pub langsmith_parent: Option<Box<str>>,
    pub(crate) baggage: Baggage,
    /// The parent that another process named.
    pub(crate) remote_parent: Option<SpanId>,
    /// The flags of `traceparent` that the request is sent on with: the caller's, or ours.
    pub(crate) trace_flags: u8,
    /// The caller's `tracestate`, which is sent on.
    pub(crate) tracestate: Option<Box<str>>,
    /// Spans of other traces that led to the request, and that it does not continue.
    pub links: Box<[SpanLink]>,
    /// The trace's id was given without a parent, so other processes may have roots of it, too.
    pub has_given_trace_id: bool,
    /// Stands for no request: what is logged outside of any belongs to it, and its trace is none.
    pub is_nobody: bool,
    pub anchor: Anchor,
    /// Receives the request's entries in the place of the queue.
    pub(crate) listener: Option<Arc<dyn Listener>>,
}

impl Request {
    pub fn new(trace_id: TraceId) -> Self {
        Self::begun_at(Anchor::now(), trace_id)
    }

    /// Makes a request that began at `anchor`.
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

    /// Makes what stands for no request, and has the present time.
    pub(crate) fn nobody() -> Self {
        Self { is_nobody: true, ..Self::new(TraceId::from_u128(1).unwrap_or_default()) }
    }

    /// Returns the texts that say whose it is, in the order of the canonical JSON.
    pub fn texts(&self) -> [Option<&str>; 5] {
        let [_, rest @ ..] = self.given_texts();
        let [user_id, tenant_id, session_id, request_type] = rest;
        [self.request_id.as_deref(), user_id, tenant_id, session_id, request_type]
    }

    /// Returns [`Request::texts`] without an id that was made here, which nobody has to look
    /// through.
    pub fn given_texts(&self) -> [Option<&str>; 5] {
        let Self { request_id, user_id, tenant_id, session_id, request_type, .. } = self;
        let [user_id, tenant_id, session_id, request_type] =
            [user_id, tenant_id, session_id, request_type].map(Option::as_deref);
        [request_id.as_ref().and_then(RequestId::given), user_id, tenant_id, session_id, request_type]
    }

    /// Returns the request with what `change` returns for its texts in their places, or `None` if
    /// it returns nothing. The texts are [`Request::texts`] or [`Request::given_texts`].
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

    /// Returns what of this request goes for what is said, in it, of another trace: whose it is.
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

    /// Returns who receives the request's entries in the place of the queue. Without the feature
    /// `testing` nobody can, and no code asks.
    #[inline]
    pub(crate) fn listener(&self) -> Option<&Arc<dyn Listener>> {
        if cfg!(feature = "testing") { self.listener.as_ref() } else { None }
    }

    /// Returns the time that the request's stages see.
    #[inline]
    pub(crate) fn now(&self) -> Ticks {
        self.listener().map_or_else(Ticks::now, |listener| listener.now())
    }

    /// Makes an id for a span of the request.
    #[inline]
    pub(crate) fn new_span_id(&self) -> SpanId {
        self.listener().map_or_else(SpanId::new, |listener| listener.new_span_id())
    }
}

/// Items of baggage by their names. Most requests have none, and pay for no more than a pointer.
#[derive(Clone, Default)]
pub(crate) struct Baggage(Option<Box<BTreeMap<Box<str>, BaggageItem>>>);

impl Baggage {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Adds an item, in the place of that of its name.
    pub(crate) fn insert(&mut self, name: Box<str>, item: BaggageItem) {
        self.0.get_or_insert_default().insert(name, item);
    }

    pub(crate) fn get(&self, name: &str) -> Option<&BaggageItem> {
        self.0.as_ref()?.get(name)
    }

    /// Returns the items in the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &BaggageItem)> {
        self.0.iter().flat_map(|items| items.iter()).map(|(name, item)| (&**name, item))
    }
}

/// An item of baggage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaggageItem {
    pub(crate) value: Box<str>,
    /// The properties that came with it, as they came: they mean nothing here, and are sent on.
    pub(crate) properties: Box<str>,
    /// True if the caller sent it; items of the application go on before it.
    pub(crate) is_received: bool,
}

/// A span of another trace that led to a request, and that the request does not continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SpanLink {
    /// The span's trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
}

impl SpanLink {
    /// Makes a link with a span.
    pub fn new(trace_id: TraceId, span_id: SpanId) -> Self {
        Self { trace_id, span_id }
    }
}

/// Receives the entries of the requests that carry it, in the place of the queue, and gives their
/// stages time and ids. A test's capture is one.
pub trait Listener: Send + Sync + 'static {
    /// Takes an entry: its head, then its fields, both as [`crate::entry`] has them. Returns
    /// whether it is kept; the end of a run whose start was not kept repeats what the start said.
    fn accept(&self, request: &Arc<Request>, head: &[u64], fields: &[u64]) -> bool;

    /// Returns the time.
    fn now(&self) -> Ticks {
        Ticks::now()
    }

    /// Makes an id for a span.
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

pub(super) fn fresh_version() -> u64 {
    id::random().max(1)
}
