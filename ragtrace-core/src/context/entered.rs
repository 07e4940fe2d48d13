//! A guard that makes a context the current one.

use std::mem::ManuallyDrop;

use super::request_context::RequestContext;
use super::{carried, current};

/// Makes the context of `owner` the current one until dropped, then returns the context to `owner`
/// and restores the thread's previous one.
///
/// Contexts are moved, so no reference count changes.
pub(crate) struct Entered<'a> {
    owner: &'a mut Option<RequestContext>,
    before: ManuallyDrop<Option<RequestContext>>,
}

impl<'a> Entered<'a> {
    /// Makes the context of `owner` the current one.
    pub(crate) fn new(owner: &'a mut Option<RequestContext>) -> Self {
        let before = ManuallyDrop::new(current::swap(owner.take()));
        if current::is_carrying() {
            carried::enter_scope();
        }
        Self { owner, before }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let is_carrying = current::is_carrying();
        if is_carrying {
            carried::before_scope_leaves();
        }
        let before = ManuallyDrop::into_inner(std::mem::replace(&mut self.before, ManuallyDrop::new(None)));
        *self.owner = current::swap(before);
        if is_carrying {
            carried::after_scope_left();
        }
    }
}
