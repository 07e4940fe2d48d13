//! The context that the running poll or call has on this thread.
//!
//! Request and span lie apart, so that a stage that runs in the request of its parent changes the
//! span alone, and counts no reference.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use super::request::Request;
use super::request_context::RequestContext;
use crate::SpanId;

struct Current {
    // Without a destructor an access is a plain load. Nothing is lost by it: every scope puts back
    // what it found, so the place is empty when the thread ends.
    request: Cell<ManuallyDrop<Option<Arc<Request>>>>,
    span: Cell<Option<SpanId>>,
    /// True while contexts that spans carry are on the thread; see [`super::carried`].
    is_carrying: Cell<bool>,
}

thread_local! {
    static CURRENT: Current = const {
        Current { request: Cell::new(ManuallyDrop::new(None)), span: Cell::new(None), is_carrying: Cell::new(false) }
    };
}

/// Puts `context` in place, and returns what was there. Whoever calls it puts that back.
pub(crate) fn swap(context: Option<RequestContext>) -> Option<RequestContext> {
    let (request, span) = context.map_or((None, None), |context| (Some(context.request), context.span));
    let request = swap_request(request);
    let span = swap_span(span);
    request.map(|request| RequestContext { request, span })
}

/// Puts `request` in place and leaves the span, as [`swap`].
#[inline]
pub(crate) fn swap_request(request: Option<Arc<Request>>) -> Option<Arc<Request>> {
    CURRENT.with(|current| ManuallyDrop::into_inner(current.request.replace(ManuallyDrop::new(request))))
}

/// Puts `span` in place and leaves the request, as [`swap`].
#[inline]
pub(crate) fn swap_span(span: Option<SpanId>) -> Option<SpanId> {
    CURRENT.with(|current| current.span.replace(span))
}

/// The current span.
#[inline]
pub(crate) fn span() -> Option<SpanId> {
    CURRENT.with(|current| current.span.get())
}

/// Returns whether contexts that spans carry are on the thread, of which a scope has to take care.
#[inline]
pub(crate) fn is_carrying() -> bool {
    CURRENT.with(|current| current.is_carrying.get())
}

/// Sets whether contexts that spans carry are on the thread.
pub(super) fn set_carrying(is_carrying: bool) {
    CURRENT.with(|current| current.is_carrying.set(is_carrying));
}

/// Lets `look` at the current request, if there is one. Meanwhile the thread has none, so `look`
/// must not need it.
#[inline]
pub(crate) fn with_request<T>(look: impl FnOnce(&Arc<Request>) -> T) -> Option<T> {
    let request = ManuallyDrop::new(swap_request(None));
    let seen = request.as_ref().map(look);
    // What was put in its place is `None`, which has nothing to drop.
    let _nothing = ManuallyDrop::new(swap_request(ManuallyDrop::into_inner(request)));
    seen
}

/// A clone of the current request.
pub(crate) fn request() -> Option<Arc<Request>> {
    with_request(Arc::clone)
}

/// A clone of the current context.
pub(crate) fn current() -> Option<RequestContext> {
    request().map(|request| RequestContext { request, span: span() })
}

impl RequestContext {
    /// Returns the context of the running poll or call, if there is one.
    pub fn current() -> Option<Self> {
        current()
    }
}
