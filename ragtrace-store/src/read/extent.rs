//! The place of a span on the time line of its trace.

use std::time::Duration;

use ragtrace::Timestamp;

use super::trace::Span;

/// The start and the end of a span, as offsets from the start of its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) from: Duration,
    pub(super) to: Duration,
}

impl Extent {
    /// Returns the extents of all spans. A span that has not ended reaches to the end of the trace.
    pub(super) fn all(spans: &[Span], started_at: Timestamp, duration: Duration) -> Vec<Self> {
        let extent = |span: &Span| {
            let from = span.started_at.since(started_at);
            let to = span.duration.map_or(duration, |duration| from.saturating_add(duration));
            Self { from, to: to.max(from) }
        };
        spans.iter().map(extent).collect()
    }

    /// Returns the part that lies inside of another extent, or `None` if there is none.
    pub(super) fn within(self, other: Self) -> Option<Self> {
        let inside = Self { from: self.from.max(other.from), to: self.to.min(other.to) };
        (inside.from < inside.to).then_some(inside)
    }

    pub(super) fn duration(self) -> Duration {
        self.to.saturating_sub(self.from)
    }
}
