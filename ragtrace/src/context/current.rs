//! The context that the running poll or call has on this thread.

use std::cell::Cell;
use std::mem::ManuallyDrop;

use super::RequestContext;

thread_local! {
    // Without a destructor an access is a plain load. Nothing is lost by it: every scope puts back what it found, so
    // the slot is empty when the thread ends.
    static CURRENT: Cell<ManuallyDrop<Option<RequestContext>>> = const { Cell::new(ManuallyDrop::new(None)) };
}

/// Puts `context` in place, and returns what was there. Whoever calls it puts that back.
pub(crate) fn swap(context: Option<RequestContext>) -> Option<RequestContext> {
    CURRENT.with(|current| ManuallyDrop::into_inner(current.replace(ManuallyDrop::new(context))))
}

/// A clone of the current context.
pub(crate) fn current() -> Option<RequestContext> {
    let context = swap(None);
    let clone = context.clone();
    // What was put in its place is `None`, which has nothing to drop.
    drop(swap(context));
    clone
}

/// The current context is `slot`'s for as long as this lives; then `slot` has it back, and the thread what it had
/// before. The context moves, so no reference is counted.
pub(crate) struct Entered<'a> {
    slot: &'a mut Option<RequestContext>,
    before: ManuallyDrop<Option<RequestContext>>,
}

impl<'a> Entered<'a> {
    pub(crate) fn new(slot: &'a mut Option<RequestContext>) -> Self {
        let before = ManuallyDrop::new(swap(slot.take()));
        Self { slot, before }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let before = ManuallyDrop::into_inner(std::mem::replace(&mut self.before, ManuallyDrop::new(None)));
        *self.slot = swap(before);
    }
}
