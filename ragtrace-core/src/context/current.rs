//! The thread's current context: that of the running poll or call.
//!
//! Request and span are stored separately, so that a stage in its parent's request changes only the
//! span and touches no reference count.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use super::request::Request;
use super::request_context::RequestContext;
use crate::SpanId;

struct Current {
    // Without a destructor, access to the thread-local is a plain load. Nothing leaks: every scope
    // restores what it found, so this is empty when the thread ends.
    request: Cell<ManuallyDrop<Option<Arc<Request>>>>,
    span: Cell<Option<SpanId>>,
    /// Set while contexts carried by `tracing` spans are on the thread; see [`super::carried`].
    is_carrying: Cell<bool>,
}

thread_local! {
    static CURRENT: Current = const {
        Current { request: Cell::new(ManuallyDrop::new(None)), span: Cell::new(None), is_carrying: Cell::new(false) }
    };
}

/// Replaces the current context and returns the previous one, which the caller has to restore.
pub(crate) fn swap(context: Option<RequestContext>) -> Option<RequestContext> {
    let (request, span) = context.map_or((None, None), |context| (Some(context.request), context.span));
    let request = swap_request(request);
    let span = swap_span(span);
    request.map(|request| RequestContext { request, span })
}

/// Replaces the current request, keeping the span, and returns the previous request, which the
/// caller has to restore.
#[inline]
pub(crate) fn swap_request(request: Option<Arc<Request>>) -> Option<Arc<Request>> {
    CURRENT.with(|current| ManuallyDrop::into_inner(current.request.replace(ManuallyDrop::new(request))))
}

/// Replaces the current span, keeping the request, and returns the previous span, which the caller
/// has to restore.
#[inline]
pub(crate) fn swap_span(span: Option<SpanId>) -> Option<SpanId> {
    CURRENT.with(|current| current.span.replace(span))
}

/// Returns the current span.
#[inline]
pub(crate) fn span() -> Option<SpanId> {
    CURRENT.with(|current| current.span.get())
}

/// Returns `true` if contexts carried by `tracing` spans are on the thread, which scopes then have
/// to handle.
#[inline]
pub(crate) fn is_carrying() -> bool {
    CURRENT.with(|current| current.is_carrying.get())
}

/// Sets if contexts carried by `tracing` spans are on the thread.
pub(super) fn set_carrying(is_carrying: bool) {
    CURRENT.with(|current| current.is_carrying.set(is_carrying));
}

/// Calls `look` with the current request, if there is one. During the call the thread has no
/// request, so `look` must not need one.
#[inline]
pub(crate) fn with_request<T>(look: impl FnOnce(&Arc<Request>) -> T) -> Option<T> {
    let request = ManuallyDrop::new(swap_request(None));
    let seen = request.as_ref().map(look);
    // The value replaced here is `None`, which needs no drop.
    let _nothing = ManuallyDrop::new(swap_request(ManuallyDrop::into_inner(request)));
    seen
}

/// Returns a clone of the current request.
pub(crate) fn request() -> Option<Arc<Request>> {
    with_request(Arc::clone)
}

/// Returns a clone of the current context.
pub(crate) fn current() -> Option<RequestContext> {
    request().map(|request| RequestContext { request, span: span() })
}

impl RequestContext {
    /// Returns the context of the running poll or call, or `None` outside of any scope or stage.
    pub fn current() -> Option<Self> {
        current()
    }
}
