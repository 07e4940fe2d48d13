//! A guard that makes a context the current one.

use std::mem::{self, ManuallyDrop};
use std::sync::Arc;

use super::request::Request;
use super::request_context::RequestContext;
use super::{carried, current};
use crate::SpanId;

/// Makes the context of `owner` the current one until dropped, then returns the context to `owner`
/// and restores the thread's previous one.
///
/// Contexts are moved, so no reference count changes.
pub(crate) struct Entered<'a> {
    owner: &'a mut Option<RequestContext>,
    // The thread's previous context. The destructor moves the request out.
    request: ManuallyDrop<Option<Arc<Request>>>,
    span: Option<SpanId>,
}

impl<'a> Entered<'a> {
    /// Makes the context of `owner` the current one.
    pub(crate) fn new(owner: &'a mut Option<RequestContext>) -> Self {
        let (request, span) = owner.take().map_or((None, None), |context| (Some(context.request), context.span));
        let request = ManuallyDrop::new(current::swap_request(request));
        let span = current::swap_span(span);
        if current::is_carrying() {
            carried::enter_scope();
        }
        Self { owner, request, span }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let is_carrying = current::is_carrying();
        if is_carrying {
            carried::before_scope_leaves();
        }
        let before = ManuallyDrop::into_inner(mem::replace(&mut self.request, ManuallyDrop::new(None)));
        let request = current::swap_request(before);
        let span = current::swap_span(self.span);
        let context = request.map(|request| RequestContext { request, span });
        // The owner has nothing while its context is current.
        let _nothing = ManuallyDrop::new(mem::replace(self.owner, context));
        if is_carrying {
            carried::after_scope_left();
        }
    }
}
