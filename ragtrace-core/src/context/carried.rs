//! Contexts that spans of somebody else's carry: whoever enters such a span is in its context,
//! until it leaves the span.
//!
//! A scope of ours gives the thread back what it found, and it is nested in others, since it is a
//! call or a poll. Spans are not: they are left in any order, and a guard that is held over an
//! `await` leaves its span long after the poll that entered it. So the thread has a list of who put
//! what on it, from the oldest to the newest. A span that is left takes back what it put there and
//! nothing else, wherever in the list it stands; a scope that leaves puts aside what was entered in
//! it and is still there. The list is empty as long as no span is entered that changes the context,
//! and then scopes only look whether it is.
//!
//! It does not promise this where no scope of ours is: a guard that is held over an `await` in a
//! task that has none leaves the span's context on the thread until it is dropped, and what runs
//! there meanwhile without a scope of its own is in it.

use std::cell::RefCell;

use super::current;
use super::request_context::RequestContext;
use crate::SpanId;

/// How many frames a thread has before a new one takes the place of the oldest. Only guards that
/// are never dropped, or on another thread, leave so many.
const MOST_FRAMES: usize = 512;

/// Identifies a span that carries a context: its number, and whose number that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Tells the numbers of one set of spans from those of another.
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
    /// The span was left while a scope was above it, which puts the span's context on the thread
    /// again when it leaves.
    is_over: bool,
}

/// Tells a context on a thread from others.
type ContextId = (Option<u64>, Option<SpanId>);

#[derive(Debug, Default)]
struct Frames(Vec<Frame>);

thread_local! {
    static FRAMES: RefCell<Frames> = const { RefCell::new(Frames(Vec::new())) };
}

/// Puts `context`, which the span `by` carries, on this thread until [`exit`]. Where a stage of its
/// trace runs on the thread, and it is of none itself, the thread's goes on: a span that was made
/// before the stage began has nothing to add.
pub fn enter(by: Carrier, context: &RequestContext) {
    let stage = stage_within(context);
    let context = stage.as_ref().unwrap_or(context);
    let put = id_of(context);
    // Where others might be left before this one, it has to be in the list although it changes
    // nothing.
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

/// Returns the thread's context, if that is of a stage of the trace of `context`, which is of no
/// stage.
pub(crate) fn stage_within(context: &RequestContext) -> Option<RequestContext> {
    let is_of_trace = |now: &RequestContext| now.request.trace_id == context.request.trace_id && !is_of_no_stage(now);
    if is_of_no_stage(context) { current::current().filter(is_of_trace) } else { None }
}

/// Takes back what [`enter`] put on this thread for the span `by`.
#[inline]
pub fn exit(by: Carrier) {
    if current::is_carrying() {
        drop(with_frames(|frames| frames.exit(by)));
    }
}

/// Notes that a scope begins here, where there are frames.
#[cold]
#[inline(never)]
pub(crate) fn enter_scope() {
    with_frames(|frames| frames.0.push(Frame::Scope));
}

/// Takes off the thread what was entered in the scope that is about to leave and is still there.
#[cold]
#[inline(never)]
pub(crate) fn before_scope_leaves() {
    drop(with_frames(Frames::leave_scope));
}

/// Takes off the thread what was left while the scope that has left was there.
#[cold]
#[inline(never)]
pub(crate) fn after_scope_left() {
    while let Some(entered) = with_frames(Frames::take_one_that_is_over).flatten() {
        drop(entered.take_off());
    }
}

/// Lets `change` change the thread's frames. What it returns is dropped by the caller, when nothing
/// is borrowed. Where the thread is at its end there is no list any more.
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

    /// Removes the span at `at`, which has one above it: that one found its context, and will leave
    /// what it found itself.
    fn remove_below_span(&mut self, at: usize) -> Option<RequestContext> {
        let Frame::Span(entered) = self.0.remove(at) else { return None };
        let Some(Frame::Span(above)) = self.0.get_mut(at) else { return None };
        std::mem::replace(&mut above.before, entered.before)
    }

    /// Forgets the oldest span that can go where there are too many. Returns a context that is
    /// there no more.
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
    /// Puts back what was there before, unless the thread has something else meanwhile.
    fn take_off(self) -> Option<RequestContext> {
        if current_id() == self.put { current::swap(self.before) } else { self.before }
    }
}

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
