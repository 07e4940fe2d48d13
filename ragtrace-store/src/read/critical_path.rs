//! The critical path: the spans that determine how long a trace takes.
//!
//! It is found from its end, as is customary. At the end of a root, and then at each point reached,
//! the path goes on in the child that ended last before that point. While no child ended, it is the
//! span's own. When a child is walked through, the path continues at its start. A child that was
//! still running at a point, beside the one that the path came from, was not waited for.
//!
//! A child counts as far as it lies inside of its parent, so a clock that differs in another
//! process makes no part negative. A span that has not ended reaches to the last record of its
//! trace. Each root has a path of its own.
//!
//! Sorting the children takes the longest: n log n for n spans. Nothing here recurses.

use std::cmp::Reverse;
use std::time::Duration;

use ragtrace::Timestamp;

use super::extent::Extent;
use super::trace::{Span, SpanNode, Trace};

/// Two microseconds: as much as the start of one span and the end of the one before it may be off,
/// since starts are rounded to a microsecond and durations are not.
const ROUNDING: Duration = Duration::from_micros(2);

/// The critical path of a trace, from [`Trace::critical_path`].
///
/// Making any other span faster makes the trace no faster.
#[derive(Clone, Debug)]
pub struct CriticalPath<'a> {
    trace: &'a Trace,
    parts: Vec<Part>,
}

/// A stretch of a critical path, during which the trace waited for one span and for none of its
/// children.
#[derive(Clone, Copy, Debug)]
pub struct PathPart<'a> {
    span: SpanNode<'a>,
    started_at: Timestamp,
    duration: Duration,
}

impl Trace {
    /// Returns the critical path: the spans that determine how long the trace takes.
    ///
    /// It is found from the end of each root, going back to the child that ended last before the
    /// point reached. Children that overlap it, or ran beside it, are not on it. A child counts as
    /// far as it lies inside of its parent, and a span that has not ended reaches to the last
    /// record of the trace.
    pub fn critical_path(&self) -> CriticalPath<'_> {
        CriticalPath::of(self)
    }
}

impl<'a> CriticalPath<'a> {
    fn of(trace: &'a Trace) -> Self {
        let extents = Extent::all(&trace.spans, trace.started_at, trace.duration);
        let mut parts = Vec::new();
        walk(&trace.spans, &extents, |_| (), |part| parts.push(part));
        Self { trace, parts }
    }

    /// Returns the parts of the path by root, and for each root in order of time. The parts of one
    /// root do not overlap, and their durations add up to that of the root.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = PathPart<'a>> + ExactSizeIterator {
        let trace = self.trace;
        self.parts.iter().map(move |part| PathPart {
            span: trace.node(part.span),
            started_at: trace.started_at.plus(part.extent.from),
            duration: part.extent.duration(),
        })
    }
}

impl<'a> PathPart<'a> {
    /// Returns the span that the trace waited for.
    pub fn span(self) -> SpanNode<'a> {
        self.span
    }

    /// Returns the start of the part.
    pub fn started_at(self) -> Timestamp {
        self.started_at
    }

    /// Returns the duration of the part.
    pub fn duration(self) -> Duration {
        self.duration
    }
}

/// Returns for each span on the critical path the time for which the path is its own, and `None`
/// for the others.
pub(super) fn critical_times(spans: &[Span], extents: &[Extent]) -> Vec<Option<Duration>> {
    let mut visited = vec![false; spans.len()];
    let mut times = vec![Duration::ZERO; spans.len()];
    walk(spans, extents, |span| visited[span] = true, |part| times[part.span] += part.extent.duration());
    visited.into_iter().zip(times).map(|(visited, time)| visited.then_some(time)).collect()
}

/// A part of the path as an index and offsets.
#[derive(Clone, Copy, Debug)]
struct Part {
    span: usize,
    extent: Extent,
}

/// A span that the path is walking through.
struct Frame {
    span: usize,
    /// The part of the span that lies on the path.
    extent: Extent,
    /// The point that is reached: everything after it has been assigned.
    point: Duration,
    /// The number of its children that have been considered.
    considered: usize,
}

impl Frame {
    fn new(span: usize, extent: Extent) -> Self {
        Self { span, extent, point: extent.to, considered: 0 }
    }

    /// Assigns the time between an offset and the point to the span itself.
    fn own_since(&self, from: Duration) -> Option<Part> {
        (from < self.point).then_some(Part { span: self.span, extent: Extent { from, to: self.point } })
    }
}

/// Walks the paths of all roots, and reports the spans on them and, root by root and in order of
/// time, their parts.
fn walk(spans: &[Span], extents: &[Extent], mut visit: impl FnMut(usize), mut report: impl FnMut(Part)) {
    let children = Children::by_end(spans, extents);
    let mut root = 0;
    while root < spans.len() {
        let mut parts = Vec::new();
        let mut frames = vec![Frame::new(root, extents[root])];
        visit(root);
        while let Some(frame) = frames.last_mut() {
            if let Some(child) = last_ended(frame, children.of(frame.span), extents) {
                parts.extend(frame.own_since(child.extent.to));
                frame.point = child.extent.from;
                visit(child.span);
                frames.push(child);
            } else {
                parts.extend(frame.own_since(frame.extent.from));
                frames.pop();
            }
        }
        parts.into_iter().rev().for_each(&mut report);
        root = spans[root].end;
    }
}

/// Returns the child that ended last before the point that is reached.
fn last_ended(frame: &mut Frame, children: &[usize], extents: &[Extent]) -> Option<Frame> {
    while let Some(&child) = children.get(frame.considered) {
        frame.considered += 1;
        let Some(inside) = extents[child].within(frame.extent) else { continue };
        if inside.to > frame.point + ROUNDING {
            continue;
        }
        if let Some(inside) = inside.within(Extent { from: frame.extent.from, to: frame.point }) {
            return Some(Frame::new(child, inside));
        }
    }
    None
}

/// The children of all spans, those of one parent by their end, the last first.
struct Children {
    ordered: Vec<usize>,
    /// Where the children of each span begin, and after the last span where they end.
    begins: Vec<usize>,
}

impl Children {
    fn by_end(spans: &[Span], extents: &[Extent]) -> Self {
        let mut begins = vec![0; spans.len() + 1];
        for parent in spans.iter().filter_map(|span| span.parent) {
            begins[parent + 1] += 1;
        }
        for at in 0..spans.len() {
            begins[at + 1] += begins[at];
        }
        let mut free = begins.clone();
        let mut ordered = vec![0; begins[spans.len()]];
        for (at, span) in spans.iter().enumerate() {
            if let Some(parent) = span.parent {
                ordered[free[parent]] = at;
                free[parent] += 1;
            }
        }
        for at in 0..spans.len() {
            // Of those that ended together, the path goes through the one that began first.
            ordered[begins[at]..begins[at + 1]]
                .sort_unstable_by_key(|child| (Reverse(extents[*child].to), extents[*child].from, *child));
        }
        Self { ordered, begins }
    }

    fn of(&self, parent: usize) -> &[usize] {
        &self.ordered[self.begins[parent]..self.begins[parent + 1]]
    }
}
