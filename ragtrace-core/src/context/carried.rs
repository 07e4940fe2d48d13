//! Contexts carried by spans of the `tracing` crate: entering such a span makes its context the
//! current one until the span is exited.
//!
//! Scopes of this crate are nested, because each is a call or a poll, and each restores the context
//! that it found. `tracing` spans are not nested: they can be exited in any order, and a guard held
//! across an `await` exits its span long after the poll that entered it. Each thread therefore
//! keeps a list of frames, from oldest to newest. Exiting a span removes only what that span put on
//! the thread, wherever in the list its frame is. When a scope ends, frames entered in it that are
//! still there are removed. The list is empty unless a span that changes the context is entered,
//! and scopes only check that it is.
//!
//! This does not cover code outside of any scope. A guard held across an `await` in a task without
//! a scope leaves the span's context on the thread until the guard is dropped, and code that runs
//! on the thread in the meantime without a scope of its own sees that context.

use std::cell::RefCell;

use super::current;
use super::request_context::RequestContext;
use crate::SpanId;

/// The maximum number of frames per thread; a new one then replaces the oldest. Only guards that
/// are leaked, or dropped on another thread, leave so many.
const MOST_FRAMES: usize = 512;

/// Identifies a span that carries a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Distinguishes the span ids of one subscriber's layer from another's.
    pub layer: u64,
    pub span: u64,
}

#[derive(Debug)]
enum Frame {
    /// A scope that was entered while there were other frames.
    Scope,
    Span(EnteredCarrier),
}

#[derive(Debug)]
struct EnteredCarrier {
    by: Carrier,
    put: ContextId,
    before: Option<RequestContext>,
    /// Set if the span was exited while a scope was above it. When the scope ends it restores the
    /// span's context, which has to be removed then.
    is_over: bool,
}

/// Identifies a context on a thread, by its request's version and its span.
type ContextId = (Option<u64>, Option<SpanId>);

#[derive(Debug, Default)]
struct Frames(Vec<Frame>);

thread_local! {
    static FRAMES: RefCell<Frames> = const { RefCell::new(Frames(Vec::new())) };
}

/// Makes `context`, carried by the span `by`, the current one on this thread until [`exit`].
///
/// If `context` is outside of any stage, and the thread is in a stage of the same trace, the thread
/// keeps its context: a span created before the stage began adds nothing.
pub fn enter(by: Carrier, context: &RequestContext) {
    let stage = stage_within(context);
    let context = stage.as_ref().unwrap_or(context);
    let put = id_of(context);
    // If frames exist, this one is added even though it changes nothing, because the others might
    // be exited first.
    if current_id() == put && !current::is_carrying() {
        return;
    }
    drop(with_frames(|frames| {
        let forgotten = frames.make_room();
        let before = current::swap(Some(context.clone()));
        frames.0.push(Frame::Span(EnteredCarrier { by, put, before, is_over: false }));
        forgotten
    }));
}

/// Returns the thread's context if it is inside a stage of the same trace as `context`, and
/// `context` itself is outside of any stage.
pub(crate) fn stage_within(context: &RequestContext) -> Option<RequestContext> {
    let is_of_trace = |now: &RequestContext| now.request.trace_id == context.request.trace_id && !is_of_no_stage(now);
    if is_of_no_stage(context) { current::current().filter(is_of_trace) } else { None }
}

/// Removes the context that [`enter`] made current on this thread for the span `by`.
#[inline]
pub fn exit(by: Carrier) {
    if current::is_carrying() {
        drop(with_frames(|frames| frames.exit(by)));
    }
}

/// Adds a frame for a scope that begins while there are frames.
#[cold]
#[inline(never)]
pub(crate) fn enter_scope() {
    with_frames(|frames| frames.0.push(Frame::Scope));
}

/// Removes the frames entered in the scope that is about to end, and restores the context from
/// before them.
#[cold]
#[inline(never)]
pub(crate) fn before_scope_leaves() {
    drop(with_frames(Frames::leave_scope));
}

/// Removes the contexts of spans that were exited while the scope that has just ended was active.
#[cold]
#[inline(never)]
pub(crate) fn after_scope_left() {
    while let Some(entered) = with_frames(Frames::take_one_that_is_over).flatten() {
        drop(entered.take_off());
    }
}

/// Calls `change` with the thread's frames, or returns `None` if the thread is being destroyed.
///
/// The caller drops the result after the borrow has ended, because its destructor may run other
/// code.
fn with_frames<T>(change: impl FnOnce(&mut Frames) -> T) -> Option<T> {
    let changed = FRAMES.try_with(|frames| {
        let mut frames = frames.try_borrow_mut().ok()?;
        let changed = change(&mut frames);
        current::set_carrying(!frames.0.is_empty());
        Some(changed)
    });
    changed.ok().flatten()
}

impl Frames {
    fn exit(&mut self, by: Carrier) -> Option<RequestContext> {
        let is_entered = |frame: &Frame| matches!(frame, Frame::Span(entered) if entered.by == by && !entered.is_over);
        let at = self.0.iter().rposition(is_entered)?;
        let is_topmost = at + 1 == self.0.len();
        let is_below_scope = matches!(self.0.get(at + 1), Some(Frame::Scope));
        if is_below_scope {
            if let Some(Frame::Span(entered)) = self.0.get_mut(at) {
                entered.is_over = true;
            }
            return None;
        }
        if is_topmost {
            let Some(Frame::Span(entered)) = self.0.pop() else { return None };
            return entered.take_off();
        }
        self.remove_below_span(at)
    }

    /// Removes the span's frame at `at`, which has another span's frame directly above it, and
    /// returns the context that the removed span had put on the thread. The span above restores
    /// what the removed span had found.
    fn remove_below_span(&mut self, at: usize) -> Option<RequestContext> {
        let Frame::Span(entered) = self.0.remove(at) else { return None };
        let Some(Frame::Span(above)) = self.0.get_mut(at) else { return None };
        std::mem::replace(&mut above.before, entered.before)
    }

    /// Removes the oldest frame that can be removed if there are too many. Returns a context that
    /// is no longer needed.
    fn make_room(&mut self) -> Option<RequestContext> {
        if self.0.len() < MOST_FRAMES {
            return None;
        }
        let are_spans = |pair: &[Frame]| matches!(pair, [Frame::Span(_), Frame::Span(_)]);
        let oldest = self.0.windows(2).position(are_spans)?;
        self.remove_below_span(oldest)
    }

    fn leave_scope(&mut self) -> Option<RequestContext> {
        let begin = self.0.iter().rposition(|frame| matches!(frame, Frame::Scope));
        let put = if let Some(Frame::Span(topmost)) = self.0.last() { Some(topmost.put) } else { None };
        let mut entered = self.0.drain(begin.unwrap_or(0)..).skip(usize::from(begin.is_some()));
        let Some(Frame::Span(first)) = entered.next() else { return None };
        if put == Some(current_id()) { current::swap(first.before) } else { first.before }
    }

    fn take_one_that_is_over(&mut self) -> Option<EnteredCarrier> {
        match self.0.pop() {
            Some(Frame::Span(entered)) if entered.is_over => Some(entered),
            other => {
                self.0.extend(other);
                None
            }
        }
    }
}

impl EnteredCarrier {
    /// Restores the context from before the span was entered, unless the thread has another one by
    /// now.
    fn take_off(self) -> Option<RequestContext> {
        if current_id() == self.put { current::swap(self.before) } else { self.before }
    }
}

/// Returns `true` if the context is outside of any stage of this process.
fn is_of_no_stage(context: &RequestContext) -> bool {
    context.span == context.request.remote_parent
}

fn id_of(context: &RequestContext) -> ContextId {
    (Some(context.request.version), context.span)
}

fn current_id() -> ContextId {
    (current::with_request(|request| request.version), current::span())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_that_are_never_dropped_leave_a_bounded_list_and_the_others_are_left_as_ever() {
        let count = || FRAMES.with(|frames| frames.borrow().0.len());
        let spans = MOST_FRAMES as u64 * 3;
        let contexts: Vec<_> = (0..spans).map(|_| RequestContext::new()).collect();
        for (span, context) in (0..).zip(&contexts) {
            enter(Carrier { layer: 1, span }, context);
        }
        assert_eq!((count(), current_id()), (MOST_FRAMES, id_of(contexts.last().expect("many"))));
        let around = RequestContext::new();
        around.sync_scope(|| {
            enter(Carrier { layer: 2, span: 1 }, &contexts[0]);
            assert_eq!(current_id(), id_of(&contexts[0]));
            exit(Carrier { layer: 2, span: 1 });
            assert_eq!(current_id().0, Some(around.request.version));
        });
        assert_eq!(current_id(), id_of(contexts.last().expect("many")));
        (0..spans).rev().for_each(|span| exit(Carrier { layer: 1, span }));
        assert_eq!((count(), current_id()), (0, (None, None)));
    }
}
