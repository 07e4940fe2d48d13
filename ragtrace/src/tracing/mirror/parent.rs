//! The parent of a run's span.

use std::sync::Arc;

use ragtrace_core::entry::Run;
use ragtrace_core::{SpanId, TraceId};
use tracing_core::Dispatch;

use super::entered_runs::{self, EnteredRun};
use super::tracing_span::{Surrounding, TracingSpan};
use super::{open_runs, subscriber};

/// The parent of a new span.
pub(super) enum Parent {
    /// The subscriber's current span, as for every span without an explicit parent. The value is
    /// the span of the enclosing run; spans of the application may lie between the two.
    Current(Surrounding),
    /// The span of the run's parent, which is on another thread, or whose context came to this one
    /// without a span.
    Span(Arc<TracingSpan>),
    /// No parent, because a trace begins inside of another one; the value is the span in which it
    /// does.
    None { follows: Option<Arc<TracingSpan>> },
}

impl Parent {
    /// Finds the parent of a run that begins on this thread.
    pub(super) fn of(run: &Run, trace: TraceId, dispatch: &Dispatch, subscriber: usize) -> Self {
        // Surrounding spans of another subscriber do not count.
        let is_here =
            |surrounding: &Surrounding| surrounding.span.as_ref().is_none_or(|span| span.subscriber == subscriber);
        let innermost = entered_runs::innermost().filter(|innermost| is_here(&innermost.surrounding));
        let begins_trace = |within: &EnteredRun| run.local_root && within.trace != trace;
        match (innermost, parent_in_process(run)) {
            (Some(within), _) if begins_trace(&within) => Self::None { follows: within.surrounding.span },
            (Some(within), Some(parent)) if within.run == parent => Self::Current(within.surrounding),
            (_, Some(parent)) => {
                let parent_span = open_runs::get(parent).map(|open| open.surrounding).filter(is_here);
                // A span of the parent's context that is entered elsewhere is inside of the parent.
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

    /// Returns the surrounding of a run without a span of its own.
    pub(super) fn into_surrounding(self) -> Surrounding {
        match self {
            Self::Current(surrounding) => surrounding.inherited(),
            Self::Span(span) => Surrounding::around(span),
            Self::None { .. } => Surrounding::default(),
        }
    }
}

/// Returns the run's parent, if that is in this process.
fn parent_in_process(run: &Run) -> Option<SpanId> {
    run.parent.filter(|_| !run.local_root)
}
