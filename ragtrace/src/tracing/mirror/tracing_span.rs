//! The `tracing` spans of runs.

use std::sync::Arc;

use tracing_core::Dispatch;
use tracing_core::span::Id;

use super::showing;

/// A span with the dispatcher that made it, because no other may enter, leave or close it. The span
/// is closed when this is dropped, which happens without holding a lock.
pub(super) struct TracingSpan {
    pub(super) dispatch: Dispatch,
    pub(super) id: Id,
    /// The number of the dispatcher's subscriber.
    pub(super) subscriber: usize,
}

impl Drop for TracingSpan {
    fn drop(&mut self) {
        showing::span(|| self.dispatch.try_close(self.id.clone()));
    }
}

/// The span around everything that begins in a run: the run's own span, or the enclosing one if a
/// filter left that out.
#[derive(Clone, Default)]
pub(super) struct Surrounding {
    pub(super) span: Option<Arc<TracingSpan>>,
    is_own: bool,
}

impl Surrounding {
    /// Returns the surrounding of a run with a span.
    pub(super) fn own(span: TracingSpan) -> Self {
        Self { span: Some(Arc::new(span)), is_own: true }
    }

    /// Returns the surrounding of a run without a span inside of a run with `span`.
    pub(super) fn around(span: Arc<TracingSpan>) -> Self {
        Self { span: Some(span), is_own: false }
    }

    /// Returns the surrounding of a run without a span inside of a run with this surrounding.
    pub(super) fn inherited(self) -> Self {
        Self { is_own: false, ..self }
    }

    /// Returns the run's own span, if it has one.
    pub(super) fn as_own(&self) -> Option<&TracingSpan> {
        self.span.as_deref().filter(|_| self.is_own)
    }
}
