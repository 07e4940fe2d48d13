//! The span that a run's span is a child of.

use std::sync::Arc;

use ragtrace_core::entry::Run;
use ragtrace_core::{SpanId, TraceId};
use tracing_core::Dispatch;

use super::entered_runs::{self, EnteredRun};
use super::tracing_span::{Surrounding, TracingSpan};
use super::{open_runs, subscriber};

/// The span that is to be the parent of a new one.
pub(super) enum Parent {
    /// The subscriber's current span, as for every span that says nothing of its parent; beside it,
    /// the span of the run around. Spans of the application's may lie between the two.
    Current(Surrounding),
    /// That of the run's parent, which is on another thread, or came to this one with its context
    /// alone.
    Span(Arc<TracingSpan>),
    /// None, where a trace begins inside another one; and the span in which it does.
    None { follows: Option<Arc<TracingSpan>> },
}

impl Parent {
    /// Finds the parent of a run that begins on this thread.
    pub(super) fn of(run: &Run, trace: TraceId, dispatch: &Dispatch, subscriber: usize) -> Self {
        // What lies around this in another subscriber is none of this one's.
        let is_here =
            |surrounding: &Surrounding| surrounding.span.as_ref().is_none_or(|span| span.subscriber == subscriber);
        let innermost = entered_runs::innermost().filter(|innermost| is_here(&innermost.surrounding));
        let begins_trace = |within: &EnteredRun| run.local_root && within.trace != trace;
        match (innermost, parent_in_process(run)) {
            (Some(within), _) if begins_trace(&within) => Self::None { follows: within.surrounding.span },
            (Some(within), Some(parent)) if within.run == parent => Self::Current(within.surrounding),
            (_, Some(parent)) => {
                let parent_span = open_runs::get(parent).map(|open| open.surrounding).filter(is_here);
                // Whoever enters a span of the parent's elsewhere is inside the parent.
                if subscriber::carried(dispatch) == Some(parent) {
                    return Self::Current(parent_span.unwrap_or_default());
                }
                match parent_span.and_then(|surrounding| surrounding.span) {
                    Some(span) => Self::Span(span),
                    None => Self::Current(Surrounding::default()),
                }
            }
            _ => Self::Current(Surrounding::default()),
        }
    }

    /// Returns what is around a run that has no span of its own.
    pub(super) fn into_surrounding(self) -> Surrounding {
        match self {
            Self::Current(surrounding) => surrounding.inherited(),
            Self::Span(span) => Surrounding::around(span),
            Self::None { .. } => Surrounding::default(),
        }
    }
}

/// Returns the run's parent, if it is a run of this process.
fn parent_in_process(run: &Run) -> Option<SpanId> {
    run.parent.filter(|_| !run.local_root)
}
