//! The `tracing` spans of runs.

use std::sync::Arc;

use tracing_core::Dispatch;
use tracing_core::span::Id;

use super::showing;

/// A span, and the dispatcher that made it: a span is entered, left and closed by no other. It is
/// closed when this is dropped, which is done under no lock.
pub(super) struct TracingSpan {
    pub(super) dispatch: Dispatch,
    pub(super) id: Id,
    /// Which subscriber the dispatcher has.
    pub(super) subscriber: usize,
}

impl Drop for TracingSpan {
    fn drop(&mut self) {
        showing::span(|| self.dispatch.try_close(self.id.clone()));
    }
}

/// The span that is around what begins in a run: its own, or, where a filter leaves that out, the
/// one around it.
#[derive(Clone, Default)]
pub(super) struct Surrounding {
    pub(super) span: Option<Arc<TracingSpan>>,
    is_own: bool,
}

impl Surrounding {
    /// Makes that of a run with a span.
    pub(super) fn own(span: TracingSpan) -> Self {
        Self { span: Some(Arc::new(span)), is_own: true }
    }

    /// Makes that of a run without a span inside the one that has `span`.
    pub(super) fn around(span: Arc<TracingSpan>) -> Self {
        Self { span: Some(span), is_own: false }
    }

    /// Makes that of a run without a span inside the one that has this.
    pub(super) fn inherited(self) -> Self {
        Self { is_own: false, ..self }
    }

    /// Returns the run's own span, if it has one.
    pub(super) fn as_own(&self) -> Option<&TracingSpan> {
        self.span.as_deref().filter(|_| self.is_own)
    }
}
