//! Self times: the time that a span spent in none of its children.

use std::time::Duration;

use super::extent::Extent;
use super::trace::Span;

/// Returns each span's self time: its duration without the time during which at least one child
/// ran. A span that has not ended has none.
///
/// Children that overlap count once, and only as far as they lie inside of the span. The spans are
/// in depth-first order, children by their start.
pub(super) fn self_times(spans: &[Span], extents: &[Extent]) -> Vec<Option<Duration>> {
    (0..spans.len()).map(|at| spans[at].duration.map(|_| self_time(at, spans, extents))).collect()
}

fn self_time(at: usize, spans: &[Span], extents: &[Extent]) -> Duration {
    let own = extents[at];
    let mut alone = own.duration();
    // Everything before this offset is accounted for.
    let mut covered = own.from;
    let mut child = at + 1;
    while child < spans[at].end {
        if let Some(inside) = extents[child].within(own) {
            let from = inside.from.max(covered);
            alone = alone.saturating_sub(inside.to.saturating_sub(from));
            covered = covered.max(inside.to);
        }
        child = spans[child].end;
    }
    alone
}
